//! The events of a chat that are no new message, and who has left.
//!
//! Every one takes the chat's next number in the transaction that makes the change, under the lock of the chat's row. A
//! statement that does all of it locks that row first and looks at what it is to change afterwards: what turns out to be
//! changed already takes no number.

use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::{ChatId, MemberRole, Timestamp};
use tertulia_sql_support::ChangeRecord;
use uuid::Uuid;

/// Counts so many changes in an update of `chats c`. They happened no earlier than what is known to have happened there
/// before.
macro_rules! count_changes {
    ($count:literal, at: $at:literal) => {
        concat!(
            "change_count = c.change_count + ",
            $count,
            ", changed_at = GREATEST(c.changed_at, c.updated_at, ",
            $at,
            ")"
        )
    };
}
pub(crate) use count_changes;

/// Inserts a change as part of a statement. `c` is the chat's row, after the change was counted there.
macro_rules! insert_change {
    ($kind:literal, user: $user:literal, number: $number:literal, from: $from:literal) => {
        concat!(
            "INSERT INTO chat_changes (chat_id, event_seq, seq, kind, user_id, number, at)
            SELECT c.id, c.last_seq + c.change_count, c.last_seq, '",
            $kind,
            "', ",
            $user,
            ", ",
            $number,
            ", c.changed_at FROM ",
            $from
        )
    };
}
pub(crate) use insert_change;

/// Changes of one chat, column by column; gives the first one's number, and when they happened.
struct Record;

impl Statement for Record {
    type Columns = (BigInt, Timestamptz);
    const SQL: &'static str = concat!(
        "WITH c AS (
            UPDATE chats c SET ",
        count_changes!("cardinality($3)", at: "$2"),
        " WHERE c.id = $1 RETURNING c.*
        ),
        recorded AS (
            INSERT INTO chat_changes (chat_id, event_seq, seq, kind, user_id, number, role, at)
            SELECT c.id, c.last_seq + c.change_count - cardinality($3) + entry.place, c.last_seq,
                entry.kind, entry.user_id, entry.number, entry.role, c.changed_at
            FROM c CROSS JOIN unnest($3, $4, $5, $6) WITH ORDINALITY AS entry (kind, user_id, number, role, place)
            RETURNING event_seq, at
        )
        SELECT event_seq, at FROM recorded ORDER BY event_seq LIMIT 1"
    );
}

/// Where and when changes stand among a chat's events.
#[derive(Clone, Copy)]
pub(crate) struct Recorded {
    /// The number of the first of them; the others follow.
    pub(crate) first: i64,
    /// When they happened.
    pub(crate) at: PgTime,
}

impl Recorded {
    /// The same without the first few.
    pub(crate) fn after(self, count: usize) -> Self {
        Self {
            first: self.first.saturating_add(i64::try_from(count).unwrap_or(i64::MAX)),
            ..self
        }
    }
}

/// Records changes of a chat, at least one, for the transaction that makes them and has locked the chat.
pub(crate) fn record(
    connection: &mut PgConnection,
    chat: ChatId,
    at: Timestamp,
    changes: &[ChangeRecord],
) -> QueryResult<Recorded> {
    let kinds: Vec<&str> = changes.iter().map(|change| change.kind()).collect();
    let users: Vec<Option<Uuid>> = changes
        .iter()
        .map(|change| change.user_id().map(|id| *id.as_uuid()))
        .collect();
    let numbers: Vec<Option<i64>> = changes.iter().map(|change| change.number()).collect();
    let roles: Vec<Option<&str>> = changes
        .iter()
        .map(|change| change.role().map(MemberRole::as_str))
        .collect();
    let (first, at) = prepared::<Record, _>((
        chat.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
        (&kinds).into_sql::<Array<Text>>(),
        (&users).into_sql::<Array<Nullable<SqlUuid>>>(),
        (&numbers).into_sql::<Array<Nullable<BigInt>>>(),
        (&roles).into_sql::<Array<Nullable<Text>>>(),
    ))
    .get_result(connection)?;
    Ok(Recorded { first, at })
}

struct Depart;

impl Statement for Depart {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO departures (user_id, chat_id, number, event_seq, deleted, at)
        SELECT gone.id, $1, c.number, $3 + gone.place - 1, false, $4
        FROM chats c CROSS JOIN unnest($2) WITH ORDINALITY AS gone (id, place)
        WHERE c.id = $1
        ON CONFLICT (user_id, chat_id) DO UPDATE
        SET event_seq = EXCLUDED.event_seq, deleted = EXCLUDED.deleted, at = EXCLUDED.at";
}

/// Keeps for those who are out of a chat by which event: the first by the first of these, the others by those that follow.
pub(crate) fn depart(connection: &mut PgConnection, chat: ChatId, users: &[Uuid], by: &Recorded) -> QueryResult<()> {
    prepared::<Depart, _>((
        chat.as_uuid().into_sql::<SqlUuid>(),
        users.into_sql::<Array<SqlUuid>>(),
        by.first.into_sql::<BigInt>(),
        by.at.into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(())
}

struct DepartAll;

impl Statement for DepartAll {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO departures (user_id, chat_id, number, event_seq, deleted, at)
        SELECT p.user_id, c.id, c.number, c.last_seq + c.change_count + 1, true, GREATEST(c.changed_at, c.updated_at, $2)
        FROM chats c JOIN memberships p ON p.chat_id = c.id
        WHERE c.id = $1
        ON CONFLICT (user_id, chat_id) DO UPDATE
        SET event_seq = EXCLUDED.event_seq, deleted = EXCLUDED.deleted, at = EXCLUDED.at";
}

/// Keeps for everybody in a locked chat that it is about to be deleted.
pub(crate) fn depart_all(connection: &mut PgConnection, chat: ChatId, at: Timestamp) -> QueryResult<()> {
    prepared::<DepartAll, _>((
        chat.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(())
}

struct Arrive;

impl Statement for Arrive {
    type Columns = ();
    const SQL: &'static str = "
        WITH back AS (
            DELETE FROM departures WHERE chat_id = $1 AND user_id = ANY ($2)
        )
        UPDATE memberships p SET first_event = $3 + come.place - 1
        FROM unnest($2) WITH ORDINALITY AS come (id, place)
        WHERE p.chat_id = $1 AND p.user_id = come.id";
}

/// Keeps for those who are new in a chat by which event, as [`depart`] does, and forgets that they were ever out of it.
pub(crate) fn arrive(connection: &mut PgConnection, chat: ChatId, users: &[Uuid], by: &Recorded) -> QueryResult<()> {
    prepared::<Arrive, _>((
        chat.as_uuid().into_sql::<SqlUuid>(),
        users.into_sql::<Array<SqlUuid>>(),
        by.first.into_sql::<BigInt>(),
    ))
    .execute(connection)?;
    Ok(())
}
