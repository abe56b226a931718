use super::{find_direct, view};
use crate::id::DbId;
use crate::idempotency::once;
use crate::moderation::blocked;
use crate::schema::{chats, memberships};
use crate::users::exists_undeleted;
use diesel::prelude::*;
use tertulia_domain::repository::{CreatedChat, InsertChatError, NewDirectChat, NewGroup, RepositoryError};
use tertulia_domain::{MemberRole, Recorded, Recording, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};

type Outcome<T> = Result<T, TxError<InsertChatError>>;

pub(super) fn direct(
    conn: &mut SqliteConnection,
    new: NewDirectChat,
    recording: Option<&Recording<CreatedChat>>,
) -> Outcome<Recorded<CreatedChat>> {
    once(conn, recording, InsertChatError::KeyReused, |conn| {
        let (creator, other) = (DbId::from(new.creator), DbId::from(new.other));
        require_users(conn, [new.creator, new.other])?;
        let (low, high) = (creator.min(other), creator.max(other));
        if let Some(chat) = find_direct(conn, low, high)? {
            return created(conn, chat, creator, false);
        }
        if blocked(conn, low, high)? {
            return Err(TxError::Named(InsertChatError::Blocked));
        }
        let chat = DbId::from(new.id);
        diesel::insert_into(chats::table)
            .values((
                chats::kind.eq("direct"),
                chats::direct_low.eq(low),
                chats::direct_high.eq(high),
                chats::member_count.eq(2),
                born(chat, new.at),
            ))
            .execute(conn)?;
        for user in [creator, other] {
            join(conn, chat, user, MemberRole::Member, new.at)?;
        }
        created(conn, chat, creator, true)
    })
}

pub(super) fn group(
    conn: &mut SqliteConnection,
    new: &NewGroup,
    recording: Option<&Recording<CreatedChat>>,
) -> Outcome<Recorded<CreatedChat>> {
    once(conn, recording, InsertChatError::KeyReused, |conn| {
        let (chat, owner) = (DbId::from(new.id), DbId::from(new.owner));
        require_users(conn, [new.owner])?;
        require_users(conn, new.members.iter().copied())?;
        let others = i64::try_from(new.members.len()).map_err(|error| RepositoryError::Other(Box::new(error)))?;
        diesel::insert_into(chats::table)
            .values((
                chats::kind.eq("group"),
                chats::title.eq(new.title.as_str()),
                chats::member_count.eq(1 + others),
                born(chat, new.at),
            ))
            .execute(conn)?;
        join(conn, chat, owner, MemberRole::Owner, new.at)?;
        for member in &new.members {
            join(conn, chat, DbId::from(*member), MemberRole::Member, new.at)?;
        }
        created(conn, chat, owner, true)
    })
}

/// What every new chat begins with.
#[derive(Insertable)]
#[diesel(table_name = chats)]
pub(super) struct Born {
    id: DbId,
    created_at: i64,
    updated_at: i64,
    active_at: i64,
}

pub(super) fn born(id: DbId, at: Timestamp) -> Born {
    let at = at.as_millis();
    Born {
        id,
        created_at: at,
        updated_at: at,
        active_at: at,
    }
}

/// Names the first of them who is not there.
pub(super) fn require_users(conn: &mut SqliteConnection, users: impl IntoIterator<Item = UserId>) -> Outcome<()> {
    for user in users {
        if !exists_undeleted(conn, user)? {
            return Err(TxError::Named(InsertChatError::UserNotFound(user)));
        }
    }
    Ok(())
}

/// Makes somebody a member of a chat without messages.
pub(super) fn join(
    conn: &mut SqliteConnection,
    chat: DbId,
    user: DbId,
    role: MemberRole,
    at: Timestamp,
) -> QueryResult<()> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::chat_id.eq(chat),
            memberships::user_id.eq(user),
            memberships::role.eq(role.as_str()),
            memberships::joined_at.eq(at.as_millis()),
            memberships::read_seq.eq(0),
        ))
        .execute(conn)
        .map(drop)
}

fn created(conn: &mut SqliteConnection, chat: DbId, creator: DbId, created: bool) -> Outcome<CreatedChat> {
    match view::find(conn, chat, creator)? {
        Some(view) => Ok(CreatedChat { view, created }),
        None => Err(inconsistent("chats", chat, "it can't be read back").into()),
    }
}
