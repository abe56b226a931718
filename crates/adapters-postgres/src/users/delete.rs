use crate::account_tokens;
use crate::chats::remove_member;
use crate::client::conflict;
use crate::files::release;
use crate::messages::blank_all;
use crate::schema::{chats, idempotency_keys, memberships, users};
use crate::sessions::end_all_and_keys;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::connection::SimpleConnection;
use diesel::dsl::{exists, select};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Uuid as SqlUuid};
use serde_json::{Value, json};
use tertulia_domain::repository::{Erased, Removal, RepositoryError};
use tertulia_domain::{ChatId, Timestamp, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

/// The chats that a user is in and, if that is asked for, those that they wrote in: locked, in the order of their ids.
struct LockChats;

impl Statement for LockChats {
    type Columns = SqlUuid;
    const SQL: &'static str = "
        SELECT c.id
        FROM chats c
        WHERE c.id IN (
            SELECT p.chat_id FROM memberships p WHERE p.user_id = $1
            UNION
            SELECT m.chat_id FROM messages m WHERE $2 AND m.sender_id = $1 AND m.deleted_at IS NULL
        )
        ORDER BY c.id
        FOR NO KEY UPDATE OF c";
}

/// Deletes an account, in a transaction of the caller's.
pub(super) fn account(
    connection: &mut PgConnection,
    id: UserId,
    erase: bool,
    at: Timestamp,
) -> Result<Option<Erased>, TxError<RepositoryError>> {
    let mut erased = Erased::default();
    let mut unused = Vec::new();
    if erase {
        // What somebody wrote over the years may take longer to find than any other statement is given.
        connection.batch_execute("SET LOCAL statement_timeout = 0")?;
    }
    let locked = prepared::<LockChats, _>((id.as_uuid().into_sql::<SqlUuid>(), erase.into_sql::<Bool>()))
        .load::<Uuid>(connection)?;
    for chat in locked {
        // Passes over direct chats, and over groups that the user has left before.
        let departure = remove_member(connection, ChatId::from_uuid(chat), id, false, at)?;
        unused.extend(departure.files);
        match departure.removal {
            Some(Removal::Removed { .. }) => erased.groups_left += 1,
            Some(Removal::ChatDeleted) => erased.groups_deleted += 1,
            Some(Removal::NotAMember) | None => {}
        }
    }
    let Some(avatar) = blank_user(connection, id, at)? else {
        return Ok(None);
    };
    // From here on nobody can add the user to a group: that takes a lock on the user's row. Whoever has just done it
    // before has to be undone too, and in the order in which locks are taken.
    let still_in = memberships::table
        .inner_join(chats::table)
        .filter(memberships::user_id.eq(id.as_uuid()).and(chats::kind.eq("group")));
    if select(exists(still_in)).get_result(connection)? {
        return Err(conflict("a user joined a group while their account was being deleted").into());
    }
    erased.sessions = end_all_and_keys(connection, id)?;
    account_tokens::delete_all(connection, id)?;
    prepared::<DeleteBlocks, _>((id.as_uuid().into_sql::<SqlUuid>(),)).execute(connection)?;
    // Nobody can ask for these answers again.
    diesel::delete(idempotency_keys::table.filter(idempotency_keys::user_id.eq(id.as_uuid()))).execute(connection)?;
    unused.extend(avatar);
    if erase {
        let (messages, files) = blank_all(connection, id, at)?;
        erased.messages = messages.unsigned_abs();
        unused.extend(files);
    }
    erased.files = release(connection, &unused, at)?;
    Ok(Some(erased))
}

struct DeleteBlocks;

impl Statement for DeleteBlocks {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM blocks WHERE blocker_id = $1 OR blocked_id = $1";
}

/// The avatar that the user had, as a list of none or one; `None` when there is no such user or they are deleted already.
fn blank_user(connection: &mut PgConnection, id: UserId, at: Timestamp) -> QueryResult<Option<Vec<Uuid>>> {
    let user = users::table.find(id.as_uuid()).filter(users::deleted_at.is_null());
    let avatar = user
        .select(users::avatar_id)
        .for_update()
        .first::<Option<Uuid>>(connection)
        .optional()?;
    let Some(avatar) = avatar else { return Ok(None) };
    diesel::update(user)
        .set((
            users::username.eq(None::<&str>),
            users::username_key.eq(None::<&str>),
            users::email.eq(None::<&str>),
            users::email_key.eq(None::<&str>),
            users::email_verified_at.eq(None::<PgTime>),
            users::display_name.eq(None::<&str>),
            users::display_name_key.eq(None::<&str>),
            users::avatar_id.eq(None::<Uuid>),
            users::avatar_view.eq(None::<Value>),
            users::profile.eq(json!({})),
            users::password.eq(None::<&str>),
            users::updated_at.eq(PgTime(at)),
            users::deleted_at.eq(PgTime(at)),
        ))
        .execute(connection)?;
    Ok(Some(avatar.into_iter().collect()))
}
