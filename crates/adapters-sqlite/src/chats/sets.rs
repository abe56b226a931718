use super::create::{born, join, require_users};
use super::leave::hand_over;
use super::members::set_read;
use super::{find_direct, notes, touch};
use crate::files;
use crate::id::DbId;
use crate::moderation::blocked;
use crate::schema::{chats, memberships};
use crate::sql::Sql;
use crate::users::exists_undeleted;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use std::collections::BTreeSet;
use tertulia_domain::repository::{InsertChatError, NewSetChat, ReplaceMembers, ReplaceMembersError, RepositoryError};
use tertulia_domain::{ChatId, MemberRole, UserId};
use tertulia_sql_support::TxError;

/// As many members as the set has, and none who is not in it. Any of the set leads to the chats that come into question.
const FIND: &[&str] = &[
    "SELECT chats.id FROM memberships JOIN chats ON chats.id = memberships.chat_id
    WHERE memberships.user_id = ? AND chats.by_members AND chats.member_count = ? AND chats.id <> ?
    AND NOT EXISTS (
        SELECT 1 FROM memberships AS others
        WHERE others.chat_id = chats.id AND others.user_id NOT IN (SELECT unhex(value) FROM json_each(?))
    )
    ORDER BY chats.number
    LIMIT 1",
];

/// The oldest group, other than one, that is known by this set of members.
fn find<E>(conn: &mut SqliteConnection, members: &[DbId], but: DbId) -> Result<Option<DbId>, TxError<E>> {
    let Some(any) = members.first() else { return Ok(None) };
    let found = Sql::<Binary>::new(FIND)
        .id(*any)
        .integer(count(members.len())?)
        .id(but)
        .text(DbId::hex_list(members))
        .get_result(conn)
        .optional()?;
    Ok(found)
}

fn count(members: usize) -> Result<i64, RepositoryError> {
    i64::try_from(members).map_err(|error| RepositoryError::Other(Box::new(error)))
}

fn db_ids(users: &[UserId]) -> Vec<DbId> {
    users.iter().copied().map(DbId::from).collect()
}

pub(super) fn insert(
    conn: &mut SqliteConnection,
    new: &NewSetChat,
) -> Result<(ChatId, bool), TxError<InsertChatError>> {
    require_users(conn, new.members.iter().copied())?;
    let members = db_ids(&new.members);
    if let Some(known) = find(conn, &members, DbId::NIL)? {
        return Ok((known.into(), false));
    }
    let (chat, owner) = (DbId::from(new.id), DbId::from(new.owner));
    diesel::insert_into(chats::table)
        .values((
            chats::kind.eq("group"),
            chats::title.eq(new.title.as_str()),
            chats::member_count.eq(count(members.len())?),
            chats::by_members.eq(true),
            born(chat, new.at),
        ))
        .execute(conn)?;
    for member in members {
        let role = if member == owner {
            MemberRole::Owner
        } else {
            MemberRole::Member
        };
        join(conn, chat, member, role, new.at)?;
    }
    if let Some(note) = &new.note {
        notes::set(conn, chat, note, new.at)?;
    }
    Ok((new.id, true))
}

/// A chat as far as it matters to what it becomes.
#[derive(Queryable)]
struct Former {
    kind: String,
    by_members: bool,
    last_seq: i64,
    avatar_id: Option<DbId>,
}

/// What a chat is with its new members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// The direct chat of these two.
    Direct(DbId, DbId),
    /// The group that is known by its set.
    Set,
    /// A group that is known by nothing else than its identifier.
    Group,
}

pub(super) fn replace(
    conn: &mut SqliteConnection,
    change: &ReplaceMembers,
) -> Result<(), TxError<ReplaceMembersError>> {
    let chat = DbId::from(change.chat_id);
    let former: Option<Former> = chats::table
        .find(chat)
        .select((chats::kind, chats::by_members, chats::last_seq, chats::avatar_id))
        .get_result(conn)
        .optional()?;
    let Some(former) = former else {
        return Err(TxError::Named(ReplaceMembersError::ChatNotFound));
    };
    for user in &change.members {
        if !exists_undeleted(conn, *user)? {
            return Err(TxError::Named(ReplaceMembersError::UserNotFound(*user)));
        }
    }
    let members = db_ids(&change.members);
    let present: Vec<DbId> = memberships::table
        .filter(memberships::chat_id.eq(chat))
        .select(memberships::user_id)
        .load(conn)?;
    let present: BTreeSet<DbId> = present.into_iter().collect();
    let wanted: BTreeSet<DbId> = members.iter().copied().collect();
    if wanted != present {
        let becomes = match members[..] {
            _ if former.kind == "group" && !former.by_members => Becomes::Group,
            [one, other] => Becomes::Direct(one.min(other), one.max(other)),
            _ => Becomes::Set,
        };
        require_free(conn, chat, &members, becomes)?;
        exchange(conn, change, former.last_seq, &present, &wanted)?;
        reshape(conn, change, &former, becomes)?;
        settle_roles(conn, change, &former, becomes)?;
        touch(conn, chat, change.at)?;
    }
    if let Some(note) = &change.note {
        notes::set(conn, chat, note, change.at)?;
    }
    Ok(())
}

/// Refuses what would make a second chat of one set, or a direct chat across a block.
fn require_free(
    conn: &mut SqliteConnection,
    chat: DbId,
    members: &[DbId],
    becomes: Becomes,
) -> Result<(), TxError<ReplaceMembersError>> {
    let other = match becomes {
        Becomes::Direct(low, high) => find_direct(conn, low, high)?.filter(|direct| *direct != chat),
        Becomes::Set => find(conn, members, chat)?,
        Becomes::Group => None,
    };
    if other.is_some() {
        return Err(TxError::Named(ReplaceMembersError::SetTaken));
    }
    match becomes {
        Becomes::Direct(low, high) if blocked(conn, low, high)? => Err(TxError::Named(ReplaceMembersError::Blocked)),
        _ => Ok(()),
    }
}

/// Takes out who goes and lets in who comes.
fn exchange(
    conn: &mut SqliteConnection,
    change: &ReplaceMembers,
    last_seq: i64,
    present: &BTreeSet<DbId>,
    wanted: &BTreeSet<DbId>,
) -> QueryResult<()> {
    let chat = DbId::from(change.chat_id);
    for user in present.difference(wanted) {
        diesel::delete(memberships::table.find((chat, *user))).execute(conn)?;
    }
    for user in wanted.difference(present) {
        join(conn, chat, *user, MemberRole::Member, change.at)?;
        set_read(conn, chat, *user, last_seq)?;
    }
    Ok(())
}

/// Makes the chat what it becomes.
fn reshape(
    conn: &mut SqliteConnection,
    change: &ReplaceMembers,
    former: &Former,
    becomes: Becomes,
) -> Result<(), TxError<ReplaceMembersError>> {
    let chat = chats::table.find(DbId::from(change.chat_id));
    diesel::update(chat)
        .set(chats::member_count.eq(count(change.members.len())?))
        .execute(conn)?;
    match becomes {
        Becomes::Direct(low, high) => {
            diesel::update(chat)
                .set((
                    chats::kind.eq("direct"),
                    chats::title.eq(None::<String>),
                    chats::direct_low.eq(low),
                    chats::direct_high.eq(high),
                    chats::by_members.eq(false),
                    chats::avatar_id.eq(None::<DbId>),
                    chats::avatar_view.eq(None::<String>),
                ))
                .execute(conn)?;
            files::release(conn, former.avatar_id, change.at)?;
        }
        Becomes::Set if former.kind == "direct" => {
            diesel::update(chat)
                .set((
                    chats::kind.eq("group"),
                    chats::title.eq(change.title.as_str()),
                    chats::direct_low.eq(None::<DbId>),
                    chats::direct_high.eq(None::<DbId>),
                    chats::by_members.eq(true),
                ))
                .execute(conn)?;
        }
        Becomes::Set | Becomes::Group => {}
    }
    Ok(())
}

/// A group has one owner, a direct chat none.
fn settle_roles(
    conn: &mut SqliteConnection,
    change: &ReplaceMembers,
    former: &Former,
    becomes: Becomes,
) -> Result<(), TxError<ReplaceMembersError>> {
    let chat = DbId::from(change.chat_id);
    let members = memberships::table.filter(memberships::chat_id.eq(chat));
    if matches!(becomes, Becomes::Direct(..)) {
        diesel::update(members)
            .set(memberships::role.eq(MemberRole::Member.as_str()))
            .execute(conn)?;
        return Ok(());
    }
    let owners = members.filter(memberships::role.eq(MemberRole::Owner.as_str()));
    if diesel::select(exists(owners)).get_result(conn)? {
        return Ok(());
    }
    if former.kind == "direct" && change.members.contains(&change.actor) {
        diesel::update(memberships::table.find((chat, DbId::from(change.actor))))
            .set(memberships::role.eq(MemberRole::Owner.as_str()))
            .execute(conn)?;
    } else {
        hand_over(conn, chat)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::FIND;
    use crate::testing::plan;

    #[test]
    fn a_set_is_looked_for_among_the_chats_of_one_member() {
        let plan = plan(FIND);
        assert_eq!(
            plan[..2],
            [
                "SEARCH memberships USING COVERING INDEX memberships_user (user_id=?)",
                "SEARCH chats USING INDEX sqlite_autoindex_chats_1 (id=?)",
            ]
        );
        assert!(!plan.iter().any(|step| step.starts_with("SCAN chats")), "{plan:?}");
    }
}
