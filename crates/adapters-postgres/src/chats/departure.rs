use super::members::write_role;
use super::{delete_chat, lock_group, touch};
use crate::schema::memberships;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::membership::successor;
use tertulia_domain::repository::{Removal, RepositoryError};
use tertulia_domain::{ChatId, MemberRole, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};
use uuid::Uuid;

/// The longest-standing of each role that an owner may be followed from.
struct Candidates;

impl Statement for Candidates {
    type Columns = (SqlUuid, Text, Timestamptz);
    const SQL: &'static str = "
        SELECT first.*
        FROM unnest(ARRAY['admin', 'member']) AS wanted (role)
        CROSS JOIN LATERAL (
            SELECT p.user_id, p.role, p.joined_at
            FROM memberships p
            WHERE p.chat_id = $1 AND p.role = wanted.role
            ORDER BY p.joined_at, p.user_id
            LIMIT 1
        ) first";
}

/// What became of a removal.
#[derive(Default)]
pub(crate) struct Departure {
    /// `None` for an owner who was to be kept.
    pub(crate) removal: Option<Removal>,
    /// The files that the chat used, if it is gone: for the caller to release.
    pub(crate) files: Vec<Uuid>,
}

impl From<Removal> for Departure {
    fn from(removal: Removal) -> Self {
        Self {
            removal: Some(removal),
            files: Vec::new(),
        }
    }
}

/// Takes somebody out of a group, in a transaction of the caller's.
pub(crate) fn remove_member(
    connection: &mut PgConnection,
    id: ChatId,
    user_id: UserId,
    keep_owner: bool,
    at: Timestamp,
) -> Result<Departure, TxError<RepositoryError>> {
    let Some(group) = lock_group(connection, id)? else {
        return Ok(Removal::NotAMember.into());
    };
    let place = memberships::table.find((id.as_uuid(), user_id.as_uuid()));
    let role = place.select(memberships::role).first::<String>(connection).optional()?;
    let Some(role) = role else {
        return Ok(Removal::NotAMember.into());
    };
    let owner = role == MemberRole::Owner.as_str();
    if owner && keep_owner {
        return Ok(Departure::default());
    }
    if group.member_count == 1 {
        return Ok(Departure {
            removal: Some(Removal::ChatDeleted),
            files: delete_chat(connection, id)?.unwrap_or_default(),
        });
    }
    diesel::delete(place).execute(connection)?;
    touch(connection, id, -1, at)?;
    let new_owner = if owner {
        Some(appoint_successor(connection, id)?)
    } else {
        None
    };
    Ok(Removal::Removed { new_owner }.into())
}

/// Gives a group that has no owner one.
pub(super) fn appoint_successor<E>(connection: &mut PgConnection, id: ChatId) -> Result<UserId, TxError<E>> {
    let candidates = prepared::<Candidates, _>((id.as_uuid().into_sql::<SqlUuid>(),))
        .load::<(Uuid, String, PgTime)>(connection)?
        .into_iter()
        .filter_map(|(user, role, joined_at)| {
            MemberRole::parse(&role).map(|role| (UserId::from_uuid(user), role, joined_at.into()))
        });
    let heir = successor(candidates).ok_or_else(|| inconsistent("chats", id, "member_count counts nobody"))?;
    write_role(connection, id, heir, MemberRole::Owner)?;
    Ok(heir)
}
