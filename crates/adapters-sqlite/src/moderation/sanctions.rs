use super::audit::{Act, log};
use crate::id::DbId;
use crate::messages::{Blanked, blank};
use crate::schema::users;
use crate::sessions;
use crate::users::exists_undeleted;
use diesel::prelude::*;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{AuditAction, Reason, Timestamp};
use tertulia_sql_support::TxError;

pub(super) fn suspend(
    conn: &mut SqliteConnection,
    user: DbId,
    by: DbId,
    reason: &Reason,
    at: Timestamp,
) -> QueryResult<bool> {
    let free = users::table
        .find(user)
        .filter(users::deleted_at.is_null())
        .filter(users::suspended_at.is_null());
    let suspended = diesel::update(free)
        .set((
            users::suspended_at.eq(at.as_millis()),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    if suspended == 0 {
        return exists_undeleted(conn, user);
    }
    sessions::end_all_and_keys(conn, user)?;
    log(conn, &act(AuditAction::Suspend, user, by, Some(reason), at))?;
    Ok(true)
}

pub(super) fn unsuspend(conn: &mut SqliteConnection, user: DbId, by: DbId, at: Timestamp) -> QueryResult<bool> {
    let suspended = users::table
        .find(user)
        .filter(users::deleted_at.is_null())
        .filter(users::suspended_at.is_not_null());
    let freed = diesel::update(suspended)
        .set((
            users::suspended_at.eq(None::<i64>),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    if freed == 0 {
        return exists_undeleted(conn, user);
    }
    log(conn, &act(AuditAction::Unsuspend, user, by, None, at))?;
    Ok(true)
}

const fn act(action: AuditAction, user: DbId, by: DbId, reason: Option<&Reason>, at: Timestamp) -> Act<'_> {
    Act {
        at,
        actor: by,
        action,
        user,
        message: None,
        reason,
    }
}

/// A message that an admin removes.
pub(super) struct RemoveMessage {
    pub(super) chat: DbId,
    pub(super) message: DbId,
    pub(super) by: DbId,
    pub(super) reason: Option<Reason>,
    pub(super) at: Timestamp,
}

/// To remove what is blank already is no act, and not logged.
pub(super) fn remove_message(
    conn: &mut SqliteConnection,
    remove: &RemoveMessage,
) -> Result<bool, TxError<RepositoryError>> {
    let sender = match blank(conn, remove.chat, remove.message, remove.at)? {
        Blanked::Now { sender } => sender,
        Blanked::Before => return Ok(true),
        Blanked::NotFound => return Ok(false),
    };
    let act = Act {
        at: remove.at,
        actor: remove.by,
        action: AuditAction::RemoveMessage,
        user: sender,
        message: Some(remove.message),
        reason: remove.reason.as_ref(),
    };
    log(conn, &act)?;
    Ok(true)
}
