use crate::chats;
use crate::id::DbId;
use crate::messages;
use crate::sql::Sql;
use crate::users;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tertulia_domain::repository::{Events, RepositoryError};
use tertulia_domain::{EventSeq, Timestamp};
use tertulia_sql_support::{ChangeRow, Head, Mark, Shown, Stretch, TxError};

const BASE: &[&str] = &["SELECT event_seq, seq, at FROM chat_changes
    WHERE chat_id = ? AND event_seq <= ?
    ORDER BY event_seq DESC
    LIMIT 1"];

const FOLLOWING: &[&str] = &[
    "SELECT event_seq, seq, at, kind, user_id, number, role FROM chat_changes
    WHERE chat_id = ? AND event_seq > ?
    ORDER BY event_seq
    LIMIT +?",
];

type Columns = (
    BigInt,
    BigInt,
    BigInt,
    Text,
    Nullable<Binary>,
    Nullable<BigInt>,
    Nullable<Text>,
);
type Row = (i64, i64, i64, String, Option<DbId>, Option<i64>, Option<String>);

pub(super) fn list(
    conn: &mut SqliteConnection,
    id: DbId,
    after: EventSeq,
    limit: u16,
) -> Result<Events, TxError<RepositoryError>> {
    let Some(chat) = chats::find_stored(conn, id)? else {
        return Ok(Events::NoChat);
    };
    let (last_seq, last) = (chat.last_seq.get(), chat.last_event);
    let head = Head {
        last_seq,
        change_count: last.get() - last_seq,
    };
    let base: Option<(i64, i64, i64)> = Sql::<(BigInt, BigInt, BigInt)>::new(BASE)
        .id(id)
        .integer(after.get())
        .get_result(conn)
        .optional()?;
    let changes: Vec<Row> = Sql::<Columns>::new(FOLLOWING)
        .id(id)
        .integer(after.get())
        .integer(limit.into())
        .load(conn)?;
    let changes: Vec<ChangeRow> = changes.into_iter().map(change).collect();
    let Some(stretch) = Stretch::new(chat.id, head, after, limit, base.map(mark), &changes)? else {
        return Ok(Events::Forgotten);
    };
    let (from, count) = stretch.messages();
    let created = messages::after(conn, id, from, count)?;
    let shown = Shown {
        users: users::find_all(conn, &stretch.users())?,
        messages: messages::numbered(conn, id, &stretch.changed_messages())?,
        chat,
    };
    Ok(Events::Listed {
        events: stretch.tell(created, shown)?,
        last,
    })
}

fn mark((event_seq, seq, at): (i64, i64, i64)) -> Mark {
    Mark {
        event_seq,
        seq,
        at: Timestamp::from_millis(at),
    }
}

fn change((event_seq, seq, at, kind, user, number, role): Row) -> ChangeRow {
    ChangeRow {
        mark: mark((event_seq, seq, at)),
        kind,
        user_id: user.map(Into::into),
        number,
        role,
    }
}

#[cfg(test)]
mod tests {
    use super::{BASE, FOLLOWING};
    use crate::testing::plan;

    #[test]
    fn changes_are_a_range_of_the_primary_key() {
        for (statement, range) in [(BASE, "event_seq<?"), (FOLLOWING, "event_seq>?")] {
            let expected = format!("SEARCH chat_changes USING PRIMARY KEY (chat_id=? AND {range})");
            assert_eq!(plan(statement), [expected]);
        }
    }
}
