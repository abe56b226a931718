use crate::rows::{MessageColumns, MessageRow, message_columns, message_joins, read_all, session_lives};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use std::cmp::Reverse;
use tertulia_domain::repository::{ListMessages, ListMessagesError};
use tertulia_domain::{Message, MessageRange, Page};
use tertulia_sql_support::TxError;

/// A page in one direction from a place, with who may see it: at least one row, whose message is NULL if there is none.
///
/// The sub-query walks along the primary key from the place on and stops at the limit.
macro_rules! history {
    ($condition:literal, $direction:literal) => {
        concat!(
            "WITH reader AS (
                SELECT u.id, u.role
                FROM sessions e JOIN users u ON u.id = e.user_id
                WHERE ",
            session_lives!(),
            "
            ),
            access AS (
                SELECT EXISTS (SELECT FROM reader) AS alive,
                    EXISTS (
                        SELECT FROM reader
                        WHERE EXISTS (SELECT FROM memberships p WHERE p.chat_id = $4 AND p.user_id = reader.id)
                            OR reader.role = 'admin' AND EXISTS (SELECT FROM chats c WHERE c.id = $4)
                    ) AS granted
            )
            SELECT access.alive, access.granted, page.*
            FROM access LEFT JOIN LATERAL (
                SELECT ",
            message_columns!(),
            "
                FROM messages m
                ",
            message_joins!(),
            "
                WHERE access.granted AND m.chat_id = $4 AND ",
            $condition,
            "
                ORDER BY m.seq ",
            $direction,
            "
                LIMIT (SELECT $6)
            ) page ON true"
        )
    };
}

type Columns = (Bool, Bool, Nullable<MessageColumns>);

struct Backwards;

impl Statement for Backwards {
    type Columns = Columns;
    const SQL: &'static str = history!("m.seq < $5", "DESC");
}

struct Forwards;

impl Statement for Forwards {
    type Columns = Columns;
    const SQL: &'static str = history!("m.seq > $5", "ASC");
}

#[derive(Queryable)]
struct HistoryRow {
    alive: bool,
    granted: bool,
    message: Option<MessageRow>,
}

pub(super) fn page(
    connection: &mut PgConnection,
    list: &ListMessages,
) -> Result<Page<Message, MessageRange>, TxError<ListMessagesError>> {
    let rows = match list.range {
        MessageRange::Newest => load::<Backwards>(connection, list, i64::MAX)?,
        MessageRange::Before(seq) => load::<Backwards>(connection, list, seq.get())?,
        MessageRange::After(seq) => load::<Forwards>(connection, list, seq.get())?,
    };
    match rows.first() {
        Some(row) if !row.alive => return Err(TxError::Named(ListMessagesError::SessionEnded)),
        Some(row) if !row.granted => return Err(TxError::Named(ListMessagesError::ChatNotFound)),
        _ => {}
    }
    let mut messages: Vec<Message> = read_all(rows.into_iter().filter_map(|row| row.message).collect())?;
    // The rows come as the sub-query gives them, but SQL doesn't promise that; to sort what is sorted costs nothing.
    Ok(if let MessageRange::After(_) = list.range {
        messages.sort_by_key(|message| message.seq);
        Page::from_fetched(messages, list.limit, |last| MessageRange::After(last.seq))
    } else {
        messages.sort_by_key(|message| Reverse(message.seq));
        Page::from_fetched(messages, list.limit, |last| MessageRange::Before(last.seq))
    })
}

fn load<S: Statement<Columns = Columns>>(
    connection: &mut PgConnection,
    list: &ListMessages,
    from: i64,
) -> QueryResult<Vec<HistoryRow>> {
    prepared::<S, _>((
        list.session.session_id.as_uuid().into_sql::<SqlUuid>(),
        list.session.user_id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(list.at).into_sql::<Timestamptz>(),
        list.chat_id.as_uuid().into_sql::<SqlUuid>(),
        from.into_sql::<BigInt>(),
        list.limit.fetch().into_sql::<BigInt>(),
    ))
    .load(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    const TYPES: &str = "uuid, uuid, timestamptz, uuid, bigint, bigint";

    /// For a member of the long chat number 500, which was neither made first nor last.
    fn values(from: i64) -> String {
        let member = id(701);
        format!("{member}, {member}, now(), {}, {from}, 51", id(500))
    }

    fn assert_range_scan(plan: &str, scan: &str) {
        let lines: Vec<&str> = plan.lines().collect();
        let found = lines
            .iter()
            .position(|line| line.contains(scan))
            .unwrap_or_else(|| panic!("{scan} in {plan}"));
        assert!(
            lines[found].contains("rows=51 "),
            "no more is read than is asked for: {plan}"
        );
        assert!(
            lines[found + 1].contains("chat_id") && lines[found + 1].contains("seq"),
            "{plan}"
        );
        for word in ["Sort", "Seq Scan", "Bitmap"] {
            assert!(!plan.contains(word), "{word} in {plan}");
        }
    }

    #[test]
    fn a_page_is_a_range_of_the_primary_key() {
        let mut sample = Sample::create();
        for from in [i64::MAX, 4_000, 2_000, 52] {
            for plan in sample.plans::<Backwards>(TYPES, &values(from)) {
                assert_range_scan(&plan, "Index Scan Backward using messages_pkey on messages m ");
            }
        }
        for from in [0, 2_000, 3_949] {
            for plan in sample.plans::<Forwards>(TYPES, &values(from)) {
                assert_range_scan(&plan, "Index Scan using messages_pkey on messages m ");
            }
        }
    }
}
