use super::row::member_role;
use super::{remove, touch};
use crate::id::DbId;
use crate::schema::{chats, memberships};
use diesel::prelude::*;
use tertulia_domain::membership::successor;
use tertulia_domain::repository::Removal;
use tertulia_domain::{MemberRole, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};

/// Somebody is to be taken out of a group.
#[derive(Clone, Copy)]
pub(crate) struct Leaving {
    pub(crate) chat: DbId,
    pub(crate) user: DbId,
    /// Leave an owner in.
    pub(crate) keep_owner: bool,
    pub(crate) at: Timestamp,
}

/// Takes a member out of a group. The last one out deletes it; an owner has a successor. `None` for an owner who is to
/// be kept. Beside that, the number of files that went with a group.
pub(crate) fn leave<E>(conn: &mut SqliteConnection, leaving: Leaving) -> Result<(Option<Removal>, u64), TxError<E>> {
    let Leaving { chat, user, .. } = leaving;
    let found: Option<(String, i64)> = memberships::table
        .inner_join(chats::table)
        .filter(memberships::chat_id.eq(chat))
        .filter(memberships::user_id.eq(user))
        .filter(chats::kind.eq("group"))
        .select((memberships::role, chats::member_count))
        .get_result(conn)
        .optional()?;
    let Some((role, member_count)) = found else {
        return Ok((Some(Removal::NotAMember), 0));
    };
    let owner = member_role(chat, user, &role)? == MemberRole::Owner;
    if owner && leaving.keep_owner {
        return Ok((None, 0));
    }
    if member_count <= 1 {
        let files = remove(conn, chat, leaving.at)?;
        return Ok((Some(Removal::ChatDeleted), files.unwrap_or_default()));
    }
    diesel::delete(memberships::table.find((chat, user))).execute(conn)?;
    diesel::update(chats::table.find(chat))
        .set(chats::member_count.eq(chats::member_count - 1))
        .execute(conn)?;
    touch(conn, chat, leaving.at)?;
    let new_owner = if owner { Some(hand_over(conn, chat)?) } else { None };
    Ok((Some(Removal::Removed { new_owner }), 0))
}

/// Gives a group that has no owner its next one.
pub(super) fn hand_over<E>(conn: &mut SqliteConnection, chat: DbId) -> Result<UserId, TxError<E>> {
    let mut candidates = Vec::with_capacity(2);
    for role in [MemberRole::Admin, MemberRole::Member] {
        candidates.extend(longest_standing(conn, chat, role)?);
    }
    let Some(heir) = successor(candidates) else {
        let why = inconsistent("chats", chat, "more members are counted than there are");
        return Err(why.into());
    };
    diesel::update(memberships::table.find((chat, DbId::from(heir))))
        .set(memberships::role.eq(MemberRole::Owner.as_str()))
        .execute(conn)?;
    Ok(heir)
}

fn longest_standing(
    conn: &mut SqliteConnection,
    chat: DbId,
    role: MemberRole,
) -> QueryResult<Option<(UserId, MemberRole, Timestamp)>> {
    let found: Option<(DbId, i64)> = memberships::table
        .filter(memberships::chat_id.eq(chat))
        .filter(memberships::role.eq(role.as_str()))
        .order((memberships::joined_at, memberships::user_id))
        .select((memberships::user_id, memberships::joined_at))
        .first(conn)
        .optional()?;
    Ok(found.map(|(user, joined_at)| (user.into(), role, Timestamp::from_millis(joined_at))))
}
