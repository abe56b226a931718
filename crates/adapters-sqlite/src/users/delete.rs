use super::row::Identity;
use crate::chats::{self, Leaving};
use crate::id::DbId;
use crate::messages;
use crate::schema::{chats as chat_table, idempotency_keys, memberships, sessions, users};
use diesel::prelude::*;
use tertulia_domain::repository::{Erased, Removal, RepositoryError};
use tertulia_domain::{Timestamp, UserId};
use tertulia_sql_support::TxError;

pub(super) fn delete(
    conn: &mut SqliteConnection,
    id: UserId,
    erase: bool,
    at: Timestamp,
) -> Result<Option<Erased>, TxError<RepositoryError>> {
    let user = DbId::from(id);
    if !blank(conn, user, at)? {
        return Ok(None);
    }
    let mut erased = Erased {
        sessions: diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).execute(conn)? as u64,
        ..Erased::default()
    };
    // Nobody can ask for these answers again, and they hold what the user wrote.
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::user_id.eq(user))).execute(conn)?;
    let groups: Vec<DbId> = memberships::table
        .inner_join(chat_table::table)
        .filter(memberships::user_id.eq(user))
        .filter(chat_table::kind.eq("group"))
        .select(memberships::chat_id)
        .load(conn)?;
    for chat in groups {
        let leaving = Leaving {
            chat,
            user,
            keep_owner: false,
            at,
        };
        match chats::leave(conn, leaving)? {
            Some(Removal::Removed { .. }) => erased.groups_left += 1,
            Some(Removal::ChatDeleted) => erased.groups_deleted += 1,
            Some(Removal::NotAMember) | None => {}
        }
    }
    if erase {
        erased.messages = messages::blank_all_of(conn, user, at)? as u64;
    }
    Ok(Some(erased))
}

/// Takes names, profile and password off a user. False when there is none of that id who isn't deleted yet.
fn blank(conn: &mut SqliteConnection, user: DbId, at: Timestamp) -> QueryResult<bool> {
    let blanked = diesel::update(users::table.find(user).filter(users::deleted_at.is_null()))
        .set((
            Identity::none(),
            users::password.eq(None::<String>),
            users::updated_at.eq(at.as_millis()),
            users::deleted_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    Ok(blanked > 0)
}
