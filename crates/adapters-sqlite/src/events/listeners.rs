use crate::id::DbId;
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{ChatId, Departure, EventSeq, SessionId, Subscription, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};

const SUBSCRIPTIONS: &[&str] = &[
    "SELECT chats.id, chats.number, chats.member_count, max(chats.active_at, coalesce((
            SELECT at FROM chat_changes WHERE chat_id = chats.id ORDER BY event_seq DESC LIMIT 1
        ), 0)),
        memberships.first_event, chats.last_seq + chats.change_count
    FROM memberships JOIN chats ON chats.id = memberships.chat_id
    WHERE memberships.user_id = ?",
];

pub(super) fn subscriptions(
    conn: &mut SqliteConnection,
    user: DbId,
) -> Result<Vec<Subscription>, TxError<RepositoryError>> {
    type Columns = (Binary, BigInt, BigInt, BigInt, BigInt, BigInt);
    let rows: Vec<(DbId, i64, i64, i64, i64, i64)> = Sql::<Columns>::new(SUBSCRIPTIONS).id(user).load(conn)?;
    let subscription = |(chat, number, member_count, active_at, first, last): (DbId, i64, i64, i64, i64, i64)| {
        Ok(Subscription {
            chat_id: chat.into(),
            number,
            member_count,
            active_at: Timestamp::from_millis(active_at),
            first_event: place(chat, first)?,
            last_event: place(chat, last)?,
        })
    };
    Ok(rows
        .into_iter()
        .map(subscription)
        .collect::<Result<_, RepositoryError>>()?)
}

/// The stored number of an event.
fn place(chat: DbId, event: i64) -> Result<EventSeq, RepositoryError> {
    EventSeq::new(event).ok_or_else(|| inconsistent("chats", chat, "a negative number of events"))
}

const LAST_EVENTS: &[&str] = &["SELECT id, last_seq + change_count FROM chats
    WHERE id IN (SELECT unhex(value) FROM json_each(?))"];

pub(super) fn last_events(
    conn: &mut SqliteConnection,
    chats: Vec<ChatId>,
) -> Result<Vec<(ChatId, EventSeq)>, TxError<RepositoryError>> {
    let rows: Vec<(DbId, i64)> = Sql::<(Binary, BigInt)>::new(LAST_EVENTS).text(list(chats)).load(conn)?;
    let last = |(chat, last): (DbId, i64)| Ok((chat.into(), place(chat, last)?));
    Ok(rows.into_iter().map(last).collect::<Result<_, RepositoryError>>()?)
}

const DEPARTURES: &[&str] =
    &["SELECT chat_id, number, event_seq, at, deleted FROM departures WHERE user_id = ? AND at >= ?"];

pub(super) fn departures(
    conn: &mut SqliteConnection,
    user: DbId,
    since: Timestamp,
) -> Result<Vec<Departure>, TxError<RepositoryError>> {
    let rows: Vec<(DbId, i64, i64, i64, i64)> = Sql::<(Binary, BigInt, BigInt, BigInt, BigInt)>::new(DEPARTURES)
        .id(user)
        .integer(since.as_millis())
        .load(conn)?;
    let departure = |(chat, number, event, at, deleted): (DbId, i64, i64, i64, i64)| {
        Ok(Departure {
            chat_id: chat.into(),
            number,
            seq: place(chat, event)?,
            at: Timestamp::from_millis(at),
            deleted: deleted != 0,
        })
    };
    Ok(rows
        .into_iter()
        .map(departure)
        .collect::<Result<_, RepositoryError>>()?)
}

const LIVE_SESSIONS: &[&str] = &["SELECT id FROM sessions
    WHERE id IN (SELECT unhex(value) FROM json_each(?)) AND (expires_at IS NULL OR expires_at > ?)"];

pub(super) fn live_sessions(
    conn: &mut SqliteConnection,
    sessions: Vec<SessionId>,
    at: Timestamp,
) -> QueryResult<Vec<SessionId>> {
    let found: Vec<DbId> = Sql::<Binary>::new(LIVE_SESSIONS)
        .text(list(sessions))
        .integer(at.as_millis())
        .load(conn)?;
    Ok(found.into_iter().map(Into::into).collect())
}

const ACQUAINTANCES: &[&str] = &[
    "SELECT other.id FROM (SELECT DISTINCT unhex(value) AS id FROM json_each(?)) AS other
    WHERE EXISTS (
        SELECT 1 FROM memberships AS theirs
        JOIN memberships AS own ON own.chat_id = theirs.chat_id AND own.user_id = ?
        JOIN chats ON chats.id = own.chat_id AND chats.member_count <= ?
        WHERE theirs.user_id = other.id
    )
    AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = ? AND blocked_id = other.id)
    AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = other.id AND blocked_id = ?)",
];

pub(super) fn acquaintances(
    conn: &mut SqliteConnection,
    user: DbId,
    others: Vec<UserId>,
    members: i64,
) -> QueryResult<Vec<UserId>> {
    let found: Vec<DbId> = Sql::<Binary>::new(ACQUAINTANCES)
        .text(list(others))
        .id(user)
        .integer(members)
        .id(user)
        .id(user)
        .load(conn)?;
    Ok(found.into_iter().map(Into::into).collect())
}

/// Many identifiers as one value.
pub(super) fn list<T: Into<DbId>>(ids: Vec<T>) -> String {
    let ids: Vec<DbId> = ids.into_iter().map(Into::into).collect();
    DbId::hex_list(&ids)
}

#[cfg(test)]
mod tests {
    use super::{ACQUAINTANCES, DEPARTURES, LAST_EVENTS, LIVE_SESSIONS, SUBSCRIPTIONS};
    use crate::testing::plan;

    #[test]
    fn no_table_is_read_whole() {
        for statement in [ACQUAINTANCES, DEPARTURES, LAST_EVENTS, LIVE_SESSIONS, SUBSCRIPTIONS] {
            let plan = plan(statement);
            let scans = plan.iter().filter(|step| step.starts_with("SCAN "));
            assert!(
                scans
                    .into_iter()
                    .all(|step| step.contains("json_each") || step == "SCAN other"),
                "{plan:?}"
            );
        }
    }
}
