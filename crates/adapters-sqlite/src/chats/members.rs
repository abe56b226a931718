use super::row::{MemberColumns, MembershipRow, member};
use super::touch;
use crate::events::{came, record};
use crate::id::DbId;
use crate::idempotency::once;
use crate::schema::{chats, memberships, users};
use crate::sql::Sql;
use crate::users::{UserRow, exists_undeleted};
use diesel::prelude::*;
use diesel::sql_types::Binary;
use tertulia_domain::repository::{AddMember, AddMemberError, NewMember, ReadState, RepositoryError, SetRoleError};
use tertulia_domain::{Limit, Member, MemberCursor, MemberRole, Page, Recorded, Recording, Seq, Timestamp, UserId};
use tertulia_sql_support::{ChangeRecord, TxError, inconsistent};

/// Begins at the cursor's place in the index that is in this order.
const PAGE: &[&str] = &[
    "SELECT ",
    MembershipRow::COLUMNS,
    ", ",
    UserRow::COLUMNS,
    " FROM memberships JOIN users ON users.id = memberships.user_id
    WHERE memberships.chat_id = ? AND (memberships.joined_at, memberships.user_id) > (?, ?)
    ORDER BY memberships.joined_at, memberships.user_id
    LIMIT +?",
];

pub(super) fn list(
    conn: &mut SqliteConnection,
    chat: DbId,
    after: Option<MemberCursor>,
    limit: Limit,
) -> Result<Page<Member, MemberCursor>, TxError<RepositoryError>> {
    let members = longest_standing(conn, chat, after, limit.fetch())?;
    Ok(Page::from_fetched(members, limit, |member: &Member| MemberCursor {
        joined_at: member.membership.joined_at,
        user_id: member.user.id,
    }))
}

/// Up to so many members, from the longest-standing on or from a cursor on.
pub(super) fn longest_standing<E>(
    conn: &mut SqliteConnection,
    chat: DbId,
    after: Option<MemberCursor>,
    most: i64,
) -> Result<Vec<Member>, TxError<E>> {
    // Nobody joined before the epoch.
    let (joined_at, user_id) = match after {
        Some(cursor) => (cursor.joined_at.as_millis(), cursor.user_id.into()),
        None => (-1, DbId::NIL),
    };
    let rows: Vec<(MembershipRow, UserRow)> = Sql::<MemberColumns>::new(PAGE)
        .id(chat)
        .integer(joined_at)
        .id(user_id)
        .integer(most)
        .load(conn)?;
    Ok(rows.into_iter().map(member).collect::<Result<_, _>>()?)
}

pub(super) fn find<E>(conn: &mut SqliteConnection, chat: DbId, user: DbId) -> Result<Option<Member>, TxError<E>> {
    let row = memberships::table
        .inner_join(users::table)
        .filter(memberships::chat_id.eq(chat))
        .filter(memberships::user_id.eq(user))
        .select((MembershipRow::as_select(), UserRow::as_select()))
        .get_result(conn)
        .optional()?;
    Ok(row.map(member).transpose()?)
}

pub(super) fn add(
    conn: &mut SqliteConnection,
    new: NewMember,
    recording: Option<&Recording<AddMember>>,
) -> Result<Recorded<AddMember>, TxError<AddMemberError>> {
    once(conn, recording, AddMemberError::KeyReused, |conn| {
        let (chat, user) = (DbId::from(new.chat_id), DbId::from(new.user_id));
        let group: Option<(i64, i64)> = chats::table
            .find(chat)
            .filter(chats::kind.eq("group"))
            .select((chats::member_count, chats::last_seq))
            .get_result(conn)
            .optional()?;
        let Some((member_count, last_seq)) = group else {
            return Err(TxError::Named(AddMemberError::ChatNotFound));
        };
        if let Some(member) = find(conn, chat, user)? {
            return Ok(AddMember { member, added: false });
        }
        if !exists_undeleted(conn, user)? {
            return Err(TxError::Named(AddMemberError::UserNotFound));
        }
        if member_count >= new.most {
            return Err(TxError::Named(AddMemberError::Full));
        }
        let read_seq = stored_seq(chat, last_seq)?;
        let first_event = came(conn, chat, new.user_id, new.role, read_seq, new.at)?;
        diesel::insert_into(memberships::table)
            .values((
                memberships::chat_id.eq(chat),
                memberships::user_id.eq(user),
                memberships::role.eq(new.role.as_str()),
                memberships::joined_at.eq(new.at.as_millis()),
                memberships::read_seq.eq(last_seq),
                memberships::first_event.eq(first_event),
            ))
            .execute(conn)?;
        diesel::update(chats::table.find(chat))
            .set(chats::member_count.eq(member_count + 1))
            .execute(conn)?;
        touch(conn, chat, new.at)?;
        match find(conn, chat, user)? {
            Some(member) => Ok(AddMember { member, added: true }),
            None => Err(inconsistent("memberships", user, "it can't be read back").into()),
        }
    })
}

/// Written out, the role leads to the index of owners.
const DEMOTE_OWNER: &[&str] = &[
    "UPDATE memberships SET role = 'admin' WHERE chat_id = ? AND role = 'owner'
    RETURNING user_id",
];

pub(super) fn set_role(
    conn: &mut SqliteConnection,
    chat: DbId,
    user: DbId,
    role: MemberRole,
    at: Timestamp,
) -> Result<Member, TxError<SetRoleError>> {
    let Some(mut member) = find(conn, chat, user)? else {
        return Err(TxError::Named(SetRoleError::MemberNotFound));
    };
    let present = member.membership.role;
    if present == role {
        return Ok(member);
    }
    if present == MemberRole::Owner {
        return Err(TxError::Named(SetRoleError::OwnerStepsDown));
    }
    // First: there are never two.
    let former: Vec<DbId> = if role == MemberRole::Owner {
        Sql::<Binary>::new(DEMOTE_OWNER).id(chat).load(conn)?
    } else {
        Vec::new()
    };
    diesel::update(memberships::table.find((chat, user)))
        .set(memberships::role.eq(role.as_str()))
        .execute(conn)?;
    touch(conn, chat, at)?;
    record(conn, chat, ChangeRecord::MemberUpdated(member.user.id, role), at)?;
    for owner in former {
        record(
            conn,
            chat,
            ChangeRecord::MemberUpdated(owner.into(), MemberRole::Admin),
            at,
        )?;
    }
    member.membership.role = role;
    Ok(member)
}

const SET_READ: &[&str] = &["UPDATE memberships SET read_seq = ? WHERE chat_id = ? AND user_id = ?"];

/// Everything up to this number counts as read by that member.
pub(crate) fn set_read(conn: &mut SqliteConnection, chat: DbId, user: DbId, seq: i64) -> QueryResult<()> {
    Sql::<()>::new(SET_READ)
        .integer(seq)
        .id(chat)
        .id(user)
        .execute(conn)
        .map(drop)
}

pub(super) fn mark_read(
    conn: &mut SqliteConnection,
    chat: DbId,
    user_id: UserId,
    seq: Seq,
    at: Timestamp,
) -> Result<Option<ReadState>, TxError<RepositoryError>> {
    let user = DbId::from(user_id);
    let found: Option<(i64, i64)> = memberships::table
        .inner_join(chats::table)
        .filter(memberships::chat_id.eq(chat))
        .filter(memberships::user_id.eq(user))
        .select((memberships::read_seq, chats::last_seq))
        .get_result(conn)
        .optional()?;
    let Some((before, last_seq)) = found else {
        return Ok(None);
    };
    let read_seq = stored_seq(chat, before.max(seq.get().min(last_seq)))?;
    let moved = read_seq.get() > before;
    if moved {
        set_read(conn, chat, user, read_seq.get())?;
        record(conn, chat, ChangeRecord::ReadUpdated(user_id, read_seq), at)?;
    }
    Ok(Some(ReadState {
        read_seq,
        last_seq: stored_seq(chat, last_seq)?,
        moved,
    }))
}

/// The stored number of a message of that chat.
pub(super) fn stored_seq(chat: DbId, seq: i64) -> Result<Seq, RepositoryError> {
    Seq::new(seq).ok_or_else(|| inconsistent("chats", chat, "a negative number of messages"))
}

#[cfg(test)]
mod tests {
    use super::{DEMOTE_OWNER, PAGE};
    use crate::testing::plan;

    #[test]
    fn members_are_a_range_of_their_index() {
        let plan = plan(PAGE);
        let range = "(chat_id=? AND (joined_at,user_id)>(?,?))";
        assert_eq!(
            plan[0],
            format!("SEARCH memberships USING INDEX memberships_standing {range}")
        );
        assert_eq!(plan[1..], ["SEARCH users USING INDEX sqlite_autoindex_users_1 (id=?)"]);
    }

    #[test]
    fn the_owner_is_found_at_once() {
        assert_eq!(
            plan(DEMOTE_OWNER),
            ["SEARCH memberships USING INDEX memberships_owner (chat_id=?)"]
        );
    }
}
