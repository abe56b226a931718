//! What admins do to users and messages.

use super::audit::{Act, log};
use crate::messages::blank;
use crate::schema::users;
use crate::sessions::end_all_and_keys;
use crate::time::PgTime;
use diesel::prelude::*;
use tertulia_domain::{AuditAction, ChatId, MessageId, Reason, Timestamp, UserId};

/// Suspends a user for a reason, or lifts the suspension, in a transaction of the caller's. False when there is no such
/// user.
pub(super) fn set_suspended(
    connection: &mut PgConnection,
    id: UserId,
    by: UserId,
    reason: Option<&Reason>,
    at: Timestamp,
) -> QueryResult<bool> {
    let user = users::table.find(id.as_uuid()).filter(users::deleted_at.is_null());
    let before = user
        .select(users::suspended_at)
        .for_no_key_update()
        .first::<Option<PgTime>>(connection)
        .optional()?;
    let Some(before) = before else { return Ok(false) };
    if before.is_some() == reason.is_some() {
        return Ok(true);
    }
    diesel::update(user)
        .set((
            users::suspended_at.eq(reason.map(|_| PgTime(at))),
            users::updated_at.eq(PgTime(at)),
        ))
        .execute(connection)?;
    if reason.is_some() {
        end_all_and_keys(connection, id)?;
    }
    let action = match reason {
        Some(_) => AuditAction::Suspend,
        None => AuditAction::Unsuspend,
    };
    log(
        connection,
        &Act {
            actor: by,
            action,
            user: id,
            message: None,
            reason,
            at,
        },
    )?;
    Ok(true)
}

/// Deletes somebody's message, in a transaction of the caller's; one that was deleted before stays as it is. False when
/// there is no such message in that chat.
pub(super) fn remove_message(
    connection: &mut PgConnection,
    chat_id: ChatId,
    id: MessageId,
    by: UserId,
    reason: Option<&Reason>,
    at: Timestamp,
) -> QueryResult<bool> {
    let Some(blanked) = blank(connection, chat_id, id, at)? else {
        return Ok(false);
    };
    if blanked.fresh {
        log(
            connection,
            &Act {
                actor: by,
                action: AuditAction::RemoveMessage,
                user: blanked.sender,
                message: Some(id),
                reason,
                at,
            },
        )?;
    }
    Ok(true)
}
