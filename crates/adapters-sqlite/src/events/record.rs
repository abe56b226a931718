use crate::id::DbId;
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tertulia_domain::{MemberRole, Seq, Timestamp, UserId};
use tertulia_sql_support::ChangeRecord;

/// Where a change has its place, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub(crate) struct Recorded {
    pub(crate) event_seq: i64,
    pub(crate) at: i64,
}

/// In a statement over `chats`: that time, or the chat's latest if that is later.
macro_rules! not_before {
    () => {
        "max(?, chats.active_at, coalesce((
            SELECT at FROM chat_changes WHERE chat_id = chats.id ORDER BY event_seq DESC LIMIT 1
        ), 0))"
    };
}

const COUNT: &[&str] = &["UPDATE chats SET change_count = change_count + 1 WHERE id = ?"];

const RECORD: &[&str] = &[
    "INSERT INTO chat_changes (chat_id, event_seq, seq, kind, user_id, number, role, at)
    SELECT id, last_seq + change_count, last_seq, ?, ?, ?, ?, ",
    not_before!(),
    " FROM chats WHERE id = ?
    RETURNING event_seq, at",
];

/// Gives a change of a chat the next number.
pub(crate) fn record(
    conn: &mut SqliteConnection,
    chat: DbId,
    change: ChangeRecord,
    at: Timestamp,
) -> QueryResult<Recorded> {
    Sql::<()>::new(COUNT).id(chat).execute(conn)?;
    Sql::<(BigInt, BigInt)>::new(RECORD)
        .text(change.kind())
        .optional_id(change.user_id())
        .optional_integer(change.number())
        .optional_text(change.role().map(MemberRole::as_str))
        .integer(at.as_millis())
        .id(chat)
        .get_result(conn)
}

const RECORD_ERASURE: &[&str] = &[
    "INSERT INTO chat_changes (chat_id, event_seq, seq, kind, number, at)
    SELECT chats.id,
        chats.last_seq + chats.change_count + row_number() OVER (PARTITION BY chats.id ORDER BY messages.seq),
        chats.last_seq, ?, messages.seq, ",
    not_before!(),
    " FROM messages JOIN chats ON chats.id = messages.chat_id
    WHERE messages.sender_id = ? AND messages.deleted_at IS NULL",
];

/// Gives a change to each message of somebody that is not blank yet; [`recount`] has to follow in each chat.
pub(crate) fn record_erasure(conn: &mut SqliteConnection, sender: DbId, at: Timestamp) -> QueryResult<()> {
    Sql::<()>::new(RECORD_ERASURE)
        .text(ChangeRecord::MessageDeleted(Seq::ZERO).kind())
        .integer(at.as_millis())
        .id(sender)
        .execute(conn)
        .map(drop)
}

const RECOUNT: &[&str] = &["UPDATE chats SET change_count = (
        SELECT event_seq - seq FROM chat_changes WHERE chat_id = chats.id ORDER BY event_seq DESC LIMIT 1
    )
    WHERE id = ?"];

/// Counts the changes of a chat that got many.
pub(crate) fn recount(conn: &mut SqliteConnection, chat: DbId) -> QueryResult<()> {
    Sql::<()>::new(RECOUNT).id(chat).execute(conn).map(drop)
}

const COME_BACK: &[&str] = &["DELETE FROM departures WHERE user_id = ? AND chat_id = ?"];

/// Somebody comes into a chat that is there, with everything up to `read_seq` read. Gives the event's number.
pub(crate) fn came(
    conn: &mut SqliteConnection,
    chat: DbId,
    user: UserId,
    role: MemberRole,
    read_seq: Seq,
    at: Timestamp,
) -> QueryResult<i64> {
    Sql::<()>::new(COME_BACK).id(user).id(chat).execute(conn)?;
    let added = record(conn, chat, ChangeRecord::MemberAdded(user, role, read_seq), at)?;
    Ok(added.event_seq)
}

const DEPART: &[&str] = &[
    "INSERT INTO departures (user_id, chat_id, number, event_seq, deleted, at)
    SELECT ?, id, number, ?, 0, ? FROM chats WHERE id = ?",
    REPLACE,
];

const REPLACE: &str = "
    ON CONFLICT (user_id, chat_id)
    DO UPDATE SET event_seq = excluded.event_seq, deleted = excluded.deleted, at = excluded.at";

/// Somebody is out of a chat that stays.
pub(crate) fn went(conn: &mut SqliteConnection, chat: DbId, user: UserId, at: Timestamp) -> QueryResult<()> {
    let removed = record(conn, chat, ChangeRecord::MemberRemoved(user), at)?;
    Sql::<()>::new(DEPART)
        .id(user)
        .integer(removed.event_seq)
        .integer(removed.at)
        .id(chat)
        .execute(conn)
        .map(drop)
}

const CLOSE: &[&str] = &[
    "INSERT INTO departures (user_id, chat_id, number, event_seq, deleted, at)
    SELECT memberships.user_id, chats.id, chats.number, chats.last_seq + chats.change_count + 1, 1, ",
    not_before!(),
    " FROM chats JOIN memberships ON memberships.chat_id = chats.id
    WHERE chats.id = ?",
    REPLACE,
];

/// A chat is about to be deleted, and everybody to be out of it.
pub(crate) fn closing(conn: &mut SqliteConnection, chat: DbId, at: Timestamp) -> QueryResult<()> {
    Sql::<()>::new(CLOSE)
        .integer(at.as_millis())
        .id(chat)
        .execute(conn)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::{CLOSE, COUNT, RECORD, RECOUNT};
    use crate::testing::plan;

    #[test]
    fn a_change_touches_its_own_chat() {
        for statement in [COUNT, RECORD, RECOUNT, CLOSE] {
            let plan = plan(statement);
            assert!(!plan.iter().any(|step| step.starts_with("SCAN ")), "{plan:?}");
            assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
        }
    }
}
