use crate::idempotency::cutoff;
use crate::rows::{AuthorColumns, AuthorRow, ReplyColumns, ReplyRow, reply_columns};
use crate::schema::idempotency_keys;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tertulia_domain::repository::{AppendError, AppendMessage, Appended, RepositoryError};
use tertulia_domain::{Claim, Message, MessageContent, MessageId, Seq};
use tertulia_sql_support::{MessageSnapshot, TxError, inconsistent, violated_unique};

/// Sends a message, with everything that this depends on and entails: one statement, one round trip, one commit.
///
/// Whatever must hold is looked up first, in the statement's snapshot. Only if all of it holds is the chat's row updated,
/// which gives out the number and whose lock makes the senders of one chat take turns; everything that is written after
/// that hangs on the row that this update returns. So a message that can't be sent takes no number.
///
/// Two sends of one claim don't see each other's record in their snapshots. The second one waits at the latest when it
/// inserts its own, fails, and nothing of it happened.
struct Append;

impl Statement for Append {
    /// The sender if the session lives; the claim's record; whether the sender may write there; the answered message; and
    /// what was given out.
    type Columns = (
        Nullable<AuthorColumns>,
        Nullable<(Bool, Nullable<Jsonb>)>,
        Bool,
        Nullable<ReplyColumns>,
        Nullable<(BigInt, Timestamptz)>,
    );
    const SQL: &'static str = concat!(
        "WITH sender AS (
            SELECT u.id, u.username, u.display_name, u.role
            FROM sessions e JOIN users u ON u.id = e.user_id
            WHERE e.id = $1 AND e.user_id = $2 AND e.expires_at > $3
        ),
        earlier AS (
            SELECT k.fingerprint = $10 AS same, k.message
            FROM idempotency_keys k
            WHERE k.user_id = $8 AND k.key = $9 AND k.created_at >= $12
        ),
        target AS (
            SELECT c.id
            FROM chats c JOIN sender ON sender.role = 'admin'
                OR EXISTS (SELECT FROM memberships p WHERE p.chat_id = $4 AND p.user_id = $2)
            WHERE c.id = $4
        ),
        answered (id, seq, sender_id, username, display_name, body) AS (
            SELECT ",
        reply_columns!(),
        "
            FROM messages r JOIN users ru ON ru.id = r.sender_id
            WHERE r.id = $7 AND r.chat_id = $4
        ),
        numbered AS (
            UPDATE chats c
            SET last_seq = c.last_seq + 1,
                active_at = GREATEST(c.active_at, $3),
                updated_at = GREATEST(c.updated_at, $3)
            FROM target
            WHERE c.id = target.id
              AND NOT EXISTS (SELECT FROM earlier)
              AND ($7 IS NULL OR EXISTS (SELECT FROM answered))
            RETURNING c.last_seq AS seq, c.active_at AS created_at
        ),
        sent AS (
            INSERT INTO messages (chat_id, seq, id, sender_id, body, reply_to_seq, created_at)
            SELECT $4, numbered.seq, $5, $2, $6, answered.seq, numbered.created_at
            FROM numbered LEFT JOIN answered ON true
        ),
        read AS (
            UPDATE memberships p SET read_seq = numbered.seq
            FROM numbered
            WHERE p.chat_id = $4 AND p.user_id = $2
        ),
        recorded AS (
            INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at, message)
            SELECT $8, $9, $10, $11, jsonb_build_object(
                'id', $5,
                'chat_id', $4,
                'seq', numbered.seq,
                'sender', jsonb_build_object(
                    'id', sender.id, 'username', sender.username, 'display_name', sender.display_name
                ),
                'body', $6,
                'reply_to', CASE WHEN answered.id IS NOT NULL THEN jsonb_build_object(
                    'id', answered.id,
                    'seq', answered.seq,
                    'sender', jsonb_build_object(
                        'id', answered.sender_id,
                        'username', answered.username,
                        'display_name', answered.display_name
                    ),
                    'body', answered.body
                ) END,
                'created_at', (extract(epoch FROM numbered.created_at) * 1000)::bigint
            )
            FROM numbered CROSS JOIN sender LEFT JOIN answered ON true
            WHERE $9 IS NOT NULL
        )
        SELECT sender.id, sender.username, sender.display_name,
            earlier.same, earlier.message,
            target.id IS NOT NULL,
            answered.*,
            numbered.*
        FROM (VALUES (1)) AS always
            LEFT JOIN sender ON true
            LEFT JOIN earlier ON true
            LEFT JOIN target ON true
            LEFT JOIN answered ON true
            LEFT JOIN numbered ON true"
    );
}

#[derive(Queryable)]
struct Outcome {
    sender: Option<AuthorRow>,
    earlier: Option<(bool, Option<Value>)>,
    reachable: bool,
    answered: Option<ReplyRow>,
    numbered: Option<(i64, PgTime)>,
}

/// How often a send that met another one of its claim, or a record past its time, is begun again.
const RETRIES: usize = 3;

pub(super) fn append(connection: &mut PgConnection, message: &AppendMessage) -> Result<Appended, TxError<AppendError>> {
    let mut retries = RETRIES;
    loop {
        match (run(connection, message), &message.claim) {
            (Err(error), Some(claim)) if retries > 0 && violated_unique(&error) == Some("idempotency_keys_pkey") => {
                remove_if_forgotten(connection, claim)?;
                retries -= 1;
            }
            (outcome, _) => return read(outcome?, message),
        }
    }
}

fn run(connection: &mut PgConnection, message: &AppendMessage) -> QueryResult<Outcome> {
    let claim = message.claim.as_ref();
    prepared::<Append, _>((
        message.session.session_id.as_uuid().into_sql::<SqlUuid>(),
        message.session.user_id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(message.at).into_sql::<Timestamptz>(),
        message.chat_id.as_uuid().into_sql::<SqlUuid>(),
        message.id.as_uuid().into_sql::<SqlUuid>(),
        message.body.as_str().into_sql::<Text>(),
        message
            .reply_to
            .as_ref()
            .map(MessageId::as_uuid)
            .into_sql::<Nullable<SqlUuid>>(),
        claim
            .map(|claim| claim.user_id.as_uuid())
            .into_sql::<Nullable<SqlUuid>>(),
        claim.map(|claim| claim.key.as_str()).into_sql::<Nullable<Text>>(),
        claim
            .map(|claim| &claim.fingerprint.0[..])
            .into_sql::<Nullable<Binary>>(),
        claim.map(|claim| PgTime(claim.at)).into_sql::<Nullable<Timestamptz>>(),
        claim
            .map(|claim| PgTime(cutoff(claim)))
            .into_sql::<Nullable<Timestamptz>>(),
    ))
    .get_result(connection)
}

/// Makes room where a record that is past its time still holds the claim's key.
fn remove_if_forgotten(connection: &mut PgConnection, claim: &Claim) -> QueryResult<()> {
    diesel::delete(idempotency_keys::table.find((claim.user_id.as_uuid(), claim.key.as_str())))
        .filter(idempotency_keys::created_at.lt(PgTime(cutoff(claim))))
        .execute(connection)?;
    Ok(())
}

fn read(outcome: Outcome, message: &AppendMessage) -> Result<Appended, TxError<AppendError>> {
    let Some(sender) = outcome.sender else {
        return Err(TxError::Named(AppendError::SessionEnded));
    };
    match outcome.earlier {
        Some((true, Some(snapshot))) => return Ok(replay(snapshot)?),
        // Another request; it may even have been no message.
        Some(_) => return Err(TxError::Named(AppendError::KeyReused)),
        None => {}
    }
    let Some((seq, created_at)) = outcome.numbered else {
        let reply_missing = message.reply_to.is_some() && outcome.answered.is_none();
        return Err(TxError::Named(if outcome.reachable && reply_missing {
            AppendError::ReplyNotFound
        } else {
            // Also if the chat was deleted while the statement waited for it.
            AppendError::ChatNotFound
        }));
    };
    let seq = Seq::new(seq).ok_or_else(|| inconsistent("chats", message.chat_id, format_args!("last_seq {seq}")))?;
    Ok(Appended {
        message: Message {
            id: message.id,
            chat_id: message.chat_id,
            seq,
            sender: sender.try_into()?,
            content: MessageContent::Present {
                body: Some(message.body.clone()),
            },
            reply_to: outcome.answered.map(TryInto::try_into).transpose()?,
            created_at: created_at.into(),
            edited_at: None,
        },
        replayed: false,
    })
}

fn replay(snapshot: Value) -> Result<Appended, RepositoryError> {
    let snapshot = serde_json::from_value::<MessageSnapshot>(snapshot)
        .map_err(|error| inconsistent("idempotency_keys", "of a message", error))?;
    Ok(Appended {
        message: snapshot.restore()?,
        replayed: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id, message_id};

    #[test]
    fn everything_is_found_by_key() {
        let types = "uuid, uuid, timestamptz, uuid, uuid, text, uuid, uuid, text, bytea, timestamptz, timestamptz";
        let (member, chat, message, reply) = (id(701), id(500), id(1), message_id(500, 3));
        let values = format!(
            "{member}, {member}, now(), {chat}, {message}, 'hello', {reply}, {member}, 'key', '', now(), now()"
        );
        for plan in Sample::create().plans::<Append>(types, &values) {
            assert!(
                plan.contains("Insert on idempotency_keys (actual rows=0 loops=1)"),
                "{plan}"
            );
            for word in ["Seq Scan", "Bitmap", "never executed"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }
}
