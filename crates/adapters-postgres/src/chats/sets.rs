//! Groups that are known by who is in them.
//!
//! No constraint keeps two of them from being of one set: whoever makes one, or makes one so, holds the set's lock. Those
//! who join or leave one by one may bring two together; then the older one is the one of the set.

use super::create::{NewChat, insert as insert_chat, require_users};
use super::note;
use crate::client::conflict;
use crate::statement::{Statement, prepared};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use tertulia_domain::repository::{InsertChatError, NewSetChat};
use tertulia_domain::{ChatId, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

/// Tells the advisory locks of sets from others: "members" in ASCII.
const LOCKS: i64 = 0x006d_656d_6265_7273;

struct Lock;

impl Statement for Lock {
    type Columns = ();
    const SQL: &'static str = "SELECT pg_advisory_xact_lock(hash_array_extended($1, $2))";
}

/// Looks through the chats of one of them. As many members as the set has, all of them in it, are the set.
struct Find;

impl Statement for Find {
    type Columns = SqlUuid;
    const SQL: &'static str = "
        SELECT c.id
        FROM memberships p JOIN chats c ON c.id = p.chat_id
        WHERE p.user_id = $1[1]
          AND c.by_members
          AND c.member_count = cardinality($1)
          AND NOT EXISTS (SELECT FROM memberships q WHERE q.chat_id = c.id AND q.user_id <> ALL ($1))
        ORDER BY c.number
        LIMIT 1";
}

/// The members as a set is written: in order.
pub(super) fn set_of(members: &[UserId]) -> Vec<Uuid> {
    let mut set: Vec<Uuid> = members.iter().map(|id| *id.as_uuid()).collect();
    set.sort_unstable();
    set.dedup();
    set
}

/// From here to the end of the transaction nobody else makes a chat the one of this set. To be taken before all other
/// locks.
pub(super) fn lock(connection: &mut PgConnection, set: &[Uuid]) -> QueryResult<()> {
    prepared::<Lock, _>((set.into_sql::<Array<SqlUuid>>(), LOCKS.into_sql::<BigInt>())).execute(connection)?;
    Ok(())
}

/// The group that is known by this set.
pub(super) fn find(connection: &mut PgConnection, set: &[Uuid]) -> QueryResult<Option<ChatId>> {
    let found = prepared::<Find, _>((set.into_sql::<Array<SqlUuid>>(),))
        .get_result::<Uuid>(connection)
        .optional()?;
    Ok(found.map(ChatId::from_uuid))
}

/// For a transaction.
pub(super) fn insert(
    connection: &mut PgConnection,
    new: &NewSetChat,
) -> Result<(ChatId, bool), TxError<InsertChatError>> {
    let set = set_of(&new.members);
    lock(connection, &set)?;
    if let Some(id) = find(connection, &set)? {
        return Ok((id, false));
    }
    require_users(connection, &set)?;
    let chat = NewChat {
        id: new.id,
        title: Some(new.title.as_str()),
        parties: None,
        owner: Some(new.owner),
        members: &set,
        by_members: true,
        at: new.at,
    };
    insert_chat(connection, &chat)?;
    if let Some(note) = &new.note
        && !note::set(connection, new.id, note, new.at)?
    {
        return Err(conflict("a chat that was just made is gone").into());
    }
    Ok((new.id, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn only_the_chats_of_one_are_looked_at() {
        let members = [101, 301, 501, 701, 901].map(id);
        let set = format!("ARRAY[{}]", members.join(", "));
        for plan in Sample::create().plans::<Find>("uuid[]", &set) {
            assert!(plan.starts_with("Limit (actual rows=1 "), "{plan}");
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }
}
