use crate::rows::{MessageColumns, MessageRow, message_columns, message_joins, read_all};
use crate::statement::{Statement, prepared};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use std::cmp::Reverse;
use tertulia_domain::repository::{RepositoryError, VisibleMessages};
use tertulia_domain::{ChatId, Counted, Message, MessageId, Window};
use tertulia_sql_support::TxError;

/// The number of a chat's newest message, and how many of all are deleted.
struct Length;

impl Statement for Length {
    type Columns = (BigInt, BigInt);
    const SQL: &'static str = "
        SELECT c.last_seq,
            (SELECT count(*) FROM messages m WHERE m.chat_id = c.id AND m.deleted_at IS NOT NULL)
        FROM chats c WHERE c.id = $1";
}

struct SeqOf;

impl Statement for SeqOf {
    type Columns = BigInt;
    const SQL: &'static str = "SELECT m.seq FROM messages m WHERE m.chat_id = $1 AND m.id = $2";
}

/// The place behind so many messages that are not deleted.
macro_rules! place {
    ($direction:literal) => {
        concat!(
            "SELECT m.seq FROM messages m
            WHERE m.chat_id = $1 AND m.deleted_at IS NULL
            ORDER BY m.seq ",
            $direction,
            "
            OFFSET (SELECT $2) LIMIT 1"
        )
    };
}

struct PlaceBackwards;

impl Statement for PlaceBackwards {
    type Columns = BigInt;
    const SQL: &'static str = place!("DESC");
}

struct PlaceForwards;

impl Statement for PlaceForwards {
    type Columns = BigInt;
    const SQL: &'static str = place!("ASC");
}

/// Those that are not deleted, from a place on.
macro_rules! visible {
    ($condition:literal, $direction:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            "
            FROM messages m
            ",
            message_joins!(),
            "
            WHERE m.chat_id = $1 AND ",
            $condition,
            " AND m.deleted_at IS NULL
            ORDER BY m.seq ",
            $direction,
            "
            LIMIT (SELECT $3)"
        )
    };
}

struct Backwards;

impl Statement for Backwards {
    type Columns = MessageColumns;
    const SQL: &'static str = visible!("m.seq <= $2", "DESC");
}

struct Forwards;

impl Statement for Forwards {
    type Columns = MessageColumns;
    const SQL: &'static str = visible!("m.seq >= $2", "ASC");
}

/// For a transaction that sees the database at one moment.
pub(super) fn list(
    connection: &mut PgConnection,
    chat_id: ChatId,
    which: VisibleMessages,
) -> Result<Option<Counted<Message>>, TxError<RepositoryError>> {
    let length = prepared::<Length, _>((chat_id.as_uuid().into_sql::<SqlUuid>(),))
        .get_result::<(i64, i64)>(connection)
        .optional()?;
    let Some((last_seq, deleted)) = length else {
        return Ok(None);
    };
    // Where nothing is deleted, numbers are places.
    let rows = match which {
        VisibleMessages::Newest(window) if deleted == 0 => {
            let from = last_seq - window.skip();
            load::<Backwards>(connection, chat_id, Some(from), window.take())?
        }
        VisibleMessages::Newest(window) => {
            let from = place::<PlaceBackwards>(connection, chat_id, window)?;
            load::<Backwards>(connection, chat_id, from, window.take())?
        }
        VisibleMessages::Oldest(window) if deleted == 0 => {
            let from = 1 + window.skip();
            load::<Forwards>(connection, chat_id, Some(from), window.take())?
        }
        VisibleMessages::Oldest(window) => {
            let from = place::<PlaceForwards>(connection, chat_id, window)?;
            load::<Forwards>(connection, chat_id, from, window.take())?
        }
        VisibleMessages::Before(id, most) => match seq_of(connection, chat_id, id)? {
            None => return Ok(None),
            Some(seq) => load::<Backwards>(connection, chat_id, Some(seq - 1), most)?,
        },
    };
    let mut items: Vec<Message> = read_all(rows)?;
    if let VisibleMessages::Oldest(_) = which {
        items.sort_by_key(|message| message.seq);
    } else {
        items.sort_by_key(|message| Reverse(message.seq));
    }
    let total = last_seq - deleted;
    Ok(Some(Counted { items, total }))
}

fn seq_of(connection: &mut PgConnection, chat_id: ChatId, id: MessageId) -> QueryResult<Option<i64>> {
    prepared::<SeqOf, _>((
        chat_id.as_uuid().into_sql::<SqlUuid>(),
        id.as_uuid().into_sql::<SqlUuid>(),
    ))
    .get_result(connection)
    .optional()
}

fn place<S: Statement<Columns = BigInt>>(
    connection: &mut PgConnection,
    chat_id: ChatId,
    window: Window,
) -> QueryResult<Option<i64>> {
    prepared::<S, _>((
        chat_id.as_uuid().into_sql::<SqlUuid>(),
        window.skip().into_sql::<BigInt>(),
    ))
    .get_result(connection)
    .optional()
}

/// From a place on; none from no place.
fn load<S: Statement<Columns = MessageColumns>>(
    connection: &mut PgConnection,
    chat_id: ChatId,
    from: Option<i64>,
    most: u16,
) -> QueryResult<Vec<MessageRow>> {
    let Some(from) = from else { return Ok(Vec::new()) };
    prepared::<S, _>((
        chat_id.as_uuid().into_sql::<SqlUuid>(),
        from.into_sql::<BigInt>(),
        i64::from(most).into_sql::<BigInt>(),
    ))
    .load(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id, message_id};
    use diesel::connection::SimpleConnection;

    fn assert_range_scan(plan: &str, scan: &str) {
        let line = plan.lines().find(|line| line.contains(scan));
        let line = line.unwrap_or_else(|| panic!("{scan} in {plan}"));
        assert!(line.contains("rows=50 "), "no more is read than is asked for: {plan}");
        for word in ["Sort", "Seq Scan", "Bitmap"] {
            assert!(!plan.contains(word), "{word} in {plan}");
        }
    }

    #[test]
    fn a_page_is_a_range_of_the_primary_key() {
        let mut sample = Sample::create();
        let types = "uuid, bigint, bigint";
        for from in [4_000, 2_000] {
            let values = format!("{}, {from}, 50", id(500));
            for plan in sample.plans::<Backwards>(types, &values) {
                assert_range_scan(&plan, "Index Scan Backward using messages_pkey on messages m ");
            }
            let values = format!("{}, {}, 50", id(500), 4_000 - from + 1);
            for plan in sample.plans::<Forwards>(types, &values) {
                assert_range_scan(&plan, "Index Scan using messages_pkey on messages m ");
            }
        }
    }

    #[test]
    fn places_and_lengths_are_found_by_key() {
        let mut sample = Sample::create();
        let blank = "UPDATE messages SET body = NULL, deleted_at = now() WHERE seq % 100 = 7; ANALYZE messages";
        sample.connection.batch_execute(blank).unwrap();
        let mut plans = Vec::from(sample.plans::<Length>("uuid", &id(500)));
        for plan in &plans {
            assert!(plan.contains("messages_blank"), "{plan}");
        }
        let message = format!("{}, {}", id(500), message_id(500, 7));
        plans.extend(sample.plans::<SeqOf>("uuid, uuid", &message));
        let place = format!("{}, 100", id(500));
        plans.extend(sample.plans::<PlaceBackwards>("uuid, bigint", &place));
        plans.extend(sample.plans::<PlaceForwards>("uuid, bigint", &place));
        for plan in plans {
            for word in ["Sort", "Seq Scan"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }
}
