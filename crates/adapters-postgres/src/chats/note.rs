use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::{ChatId, Note, Timestamp};

/// The lock of the chat's row keeps messages from being sent in between.
struct SetNote;

impl Statement for SetNote {
    type Columns = ();
    const SQL: &'static str = "
        WITH touched AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $5)
            WHERE c.id = $1
            RETURNING c.id, c.last_seq
        )
        INSERT INTO chat_notes (chat_id, text, sender_id, at, seq)
        SELECT id, $2, $3, $4, last_seq FROM touched
        ON CONFLICT (chat_id) DO UPDATE
        SET text = EXCLUDED.text, sender_id = EXCLUDED.sender_id, at = EXCLUDED.at, seq = EXCLUDED.seq";
}

/// Puts a note in the place of a chat's last message. False when there is no such chat.
pub(super) fn set(connection: &mut PgConnection, id: ChatId, note: &Note, at: Timestamp) -> QueryResult<bool> {
    let stored = prepared::<SetNote, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        note.text.as_str().into_sql::<Text>(),
        note.sender.as_uuid().into_sql::<SqlUuid>(),
        PgTime(note.at).into_sql::<Timestamptz>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(stored > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn everything_is_found_by_key() {
        let types = "uuid, text, uuid, timestamptz, timestamptz";
        let values = format!("{}, 'hello', {}, now(), now()", id(500), id(701));
        for plan in Sample::create().plans::<SetNote>(types, &values) {
            for word in ["Seq Scan", "Bitmap"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }
}
