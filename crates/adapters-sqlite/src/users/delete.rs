use super::row::Identity;
use crate::chats::{self, Leaving};
use crate::files;
use crate::id::DbId;
use crate::messages;
use crate::schema::{account_tokens, blocks, chats as chat_table, idempotency_keys, memberships, users};
use crate::sessions;
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
    let avatar: Option<Option<DbId>> = users::table
        .find(user)
        .filter(users::deleted_at.is_null())
        .select(users::avatar_id)
        .get_result(conn)
        .optional()?;
    let Some(avatar) = avatar else { return Ok(None) };
    blank(conn, user, at)?;
    let mut erased = Erased {
        sessions: sessions::end_all(conn, user, None)?,
        files: files::release(conn, avatar, at)?,
        ..Erased::default()
    };
    sessions::end_all_and_keys(conn, user)?;
    diesel::delete(account_tokens::table.filter(account_tokens::user_id.eq(user))).execute(conn)?;
    diesel::delete(blocks::table.filter(blocks::blocker_id.eq(user))).execute(conn)?;
    diesel::delete(blocks::table.filter(blocks::blocked_id.eq(user))).execute(conn)?;
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
        let (removal, files) = chats::leave(conn, leaving)?;
        erased.files += files;
        match removal {
            Some(Removal::Removed { .. }) => erased.groups_left += 1,
            Some(Removal::ChatDeleted) => erased.groups_deleted += 1,
            Some(Removal::NotAMember) | None => {}
        }
    }
    if erase {
        let (messages, files) = messages::blank_all_of(conn, user, at)?;
        erased.messages = messages;
        erased.files += files;
    }
    Ok(Some(erased))
}

/// Takes names, avatar, profile and password off a user.
fn blank(conn: &mut SqliteConnection, user: DbId, at: Timestamp) -> QueryResult<()> {
    diesel::update(users::table.find(user))
        .set((
            Identity::none(),
            users::password.eq(None::<String>),
            users::avatar_id.eq(None::<DbId>),
            users::avatar_view.eq(None::<String>),
            users::email_verified_at.eq(None::<i64>),
            users::updated_at.eq(at.as_millis()),
            users::deleted_at.eq(at.as_millis()),
        ))
        .execute(conn)
        .map(drop)
}
