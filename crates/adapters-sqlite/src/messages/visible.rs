//! The messages that are not deleted, on numbered pages.

use super::read::select;
use super::row::{MessageRow, SELECT};
use crate::id::DbId;
use crate::schema::{chats, messages};
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tertulia_domain::repository::{RepositoryError, VisibleMessages};
use tertulia_domain::{Counted, Message, Window};
use tertulia_sql_support::TxError;

const BEFORE: &[&str] = &[
    SELECT,
    " WHERE m.chat_id = ? AND m.seq < ? AND m.deleted_at IS NULL ORDER BY m.seq DESC LIMIT +? OFFSET +?",
];
const AFTER: &[&str] = &[
    SELECT,
    " WHERE m.chat_id = ? AND m.seq > ? AND m.deleted_at IS NULL ORDER BY m.seq LIMIT +? OFFSET +?",
];

/// In the order of the index of deleted messages.
const DELETED: &[&str] = &["SELECT seq FROM messages INDEXED BY messages_deleted_places
        WHERE chat_id = ? AND seq > ? AND deleted_at IS NOT NULL ORDER BY seq"];
const COUNT_DELETED: &[&str] = &["SELECT count(*) FROM messages INDEXED BY messages_deleted_places
        WHERE chat_id = ? AND deleted_at IS NOT NULL"];

/// Where to begin, how many to take, and how many of those in between to pass over.
struct Part {
    edge: i64,
    take: i64,
    skip: i64,
}

impl Part {
    /// Where nothing is deleted, the places themselves tell where a window begins: `edge` then gives it for the number
    /// that is to be passed over.
    fn of(window: Window, deleted: i64, edge: impl Fn(i64) -> i64, outermost: i64) -> Self {
        let (edge, skip) = if deleted == 0 {
            (edge(window.skip()), 0)
        } else {
            (outermost, window.skip())
        };
        Self {
            edge,
            take: window.take().into(),
            skip,
        }
    }
}

/// A part of a chat's messages, and how many there are in all.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    chat: DbId,
    which: VisibleMessages,
) -> Result<Option<Counted<Message>>, TxError<RepositoryError>> {
    let last_seq: Option<i64> = chats::table
        .find(chat)
        .select(chats::last_seq)
        .get_result(conn)
        .optional()?;
    let Some(last_seq) = last_seq else { return Ok(None) };
    let deleted: i64 = Sql::<BigInt>::new(COUNT_DELETED).id(chat).get_result(conn)?;
    let (statement, part) = match which {
        VisibleMessages::Newest(window) => {
            let part = Part::of(window, deleted, |skip| last_seq + 1 - skip, i64::MAX);
            (BEFORE, part)
        }
        VisibleMessages::Oldest(window) => (AFTER, Part::of(window, deleted, |skip| skip, 0)),
        VisibleMessages::Before(id, most) => {
            let message = messages::table
                .filter(messages::id.eq(DbId::from(id)))
                .filter(messages::chat_id.eq(chat));
            let place: Option<i64> = message.select(messages::seq).get_result(conn).optional()?;
            let Some(edge) = place else { return Ok(None) };
            let take = most.into();
            (BEFORE, Part { edge, take, skip: 0 })
        }
    };
    let items = load(conn, statement, chat, &part)?;
    Ok(Some(Counted {
        items,
        total: last_seq - deleted,
    }))
}

/// The newest message of a chat that is not deleted.
pub(crate) fn newest<E>(conn: &mut SqliteConnection, chat: DbId) -> Result<Option<Message>, TxError<E>> {
    let part = Part {
        edge: i64::MAX,
        take: 1,
        skip: 0,
    };
    Ok(load(conn, BEFORE, chat, &part)?.pop())
}

fn load<E>(
    conn: &mut SqliteConnection,
    statement: &'static [&'static str],
    chat: DbId,
    part: &Part,
) -> Result<Vec<Message>, TxError<E>> {
    let rows: Vec<MessageRow> = select(statement)
        .id(chat)
        .integer(part.edge)
        .integer(part.take)
        .integer(part.skip)
        .load(conn)?;
    Ok(rows.into_iter().map(Message::try_from).collect::<Result<_, _>>()?)
}

/// The places of a chat's deleted messages after that one, in their order.
pub(crate) fn deleted_after(conn: &mut SqliteConnection, chat: DbId, seq: i64) -> QueryResult<Vec<i64>> {
    Sql::<BigInt>::new(DELETED).id(chat).integer(seq).load(conn)
}

#[cfg(test)]
mod tests {
    use super::{AFTER, BEFORE, COUNT_DELETED, DELETED};
    use crate::testing::plan;

    #[test]
    fn a_page_is_a_range_of_the_primary_key() {
        for (statement, range) in [(BEFORE, "seq<?"), (AFTER, "seq>?")] {
            let plan = plan(statement);
            assert_eq!(plan[0], format!("SEARCH m USING PRIMARY KEY (chat_id=? AND {range})"));
            assert!(plan.iter().all(|step| step.starts_with("SEARCH ")), "{plan:?}");
        }
    }

    #[test]
    fn deleted_messages_are_counted_in_their_index() {
        for (statement, range) in [(DELETED, "chat_id=? AND seq>?"), (COUNT_DELETED, "chat_id=?")] {
            let expected = format!("SEARCH messages USING COVERING INDEX messages_deleted_places ({range})");
            assert_eq!(plan(statement), [expected]);
        }
    }
}
