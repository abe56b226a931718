//! The chats and their members.

mod create;
mod leave;
mod members;
mod notes;
mod overview;
mod row;
mod sets;
mod view;

pub(crate) use leave::{Leaving, leave};
pub(crate) use members::set_read;
pub(crate) use overview::{find as find_overview, list as list_overviews};
pub(crate) use row::member_role;
#[cfg(test)]
pub(crate) use view::list;

use crate::files;
use crate::id::DbId;
use crate::schema::chats;
use crate::sql::Sql;
use crate::store::Store;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use tertulia_domain::repository::{
    AddMember, AddMemberError, ChatRepository, CreatedChat, InsertChatError, ListChatsError, NewDirectChat, NewGroup,
    NewMember, NewSetChat, ReadState, Removal, ReplaceMembers, ReplaceMembersError, RepositoryError, SetRoleError,
};
use tertulia_domain::{
    ChatCursor, ChatId, ChatTitle, ChatView, ClaimedSession, FileId, Limit, Member, MemberCursor, MemberRole, Note,
    Page, Recorded, Recording, Seq, Timestamp, UserId,
};
use tertulia_sql_support::TxError;

/// The chats, on SQLite.
#[derive(Clone)]
pub struct SqliteChatRepository {
    store: Store,
}

impl SqliteChatRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

const TOUCH: &[&str] = &["UPDATE chats SET updated_at = max(updated_at, ?) WHERE id = ?"];

/// Notes that something about a chat changed.
pub(crate) fn touch(conn: &mut SqliteConnection, chat: DbId, at: Timestamp) -> QueryResult<()> {
    Sql::<()>::new(TOUCH)
        .integer(at.as_millis())
        .id(chat)
        .execute(conn)
        .map(drop)
}

/// The direct chat of two.
fn find_direct(conn: &mut SqliteConnection, one: DbId, other: DbId) -> QueryResult<Option<DbId>> {
    chats::table
        .filter(chats::direct_low.eq(one.min(other)))
        .filter(chats::direct_high.eq(one.max(other)))
        .select(chats::id)
        .get_result(conn)
        .optional()
}

fn rename(conn: &mut SqliteConnection, chat: DbId, title: &ChatTitle, at: Timestamp) -> QueryResult<bool> {
    let renamed = diesel::update(chats::table.find(chat).filter(chats::kind.eq("group")))
        .set(chats::title.eq(title.as_str()))
        .execute(conn)?;
    if renamed > 0 {
        touch(conn, chat, at)?;
    }
    Ok(renamed > 0)
}

/// Gives a group an avatar out of somebody's files. False when there is no such group or no such file.
fn set_avatar(
    conn: &mut SqliteConnection,
    chat: DbId,
    avatar: DbId,
    owner: DbId,
    at: Timestamp,
) -> Result<bool, TxError<RepositoryError>> {
    let group = chats::table.find(chat).filter(chats::kind.eq("group"));
    let old: Option<Option<DbId>> = group.select(chats::avatar_id).get_result(conn).optional()?;
    let (Some(old), Some(file)) = (old, files::owned(conn, avatar, owner)?) else {
        return Ok(false);
    };
    diesel::update(group)
        .set((
            chats::avatar_id.eq(avatar),
            chats::avatar_view.eq(files::to_view(&file.try_into()?)),
        ))
        .execute(conn)?;
    touch(conn, chat, at)?;
    files::release(conn, old, at)?;
    Ok(true)
}

/// Before any other time: for objects that are due when no time is given.
const DUE_AT_ONCE: Timestamp = Timestamp::from_millis(0);

const FILES_OF: &[&str] = &["SELECT file_id FROM message_attachments WHERE chat_id = ?
    UNION
    SELECT avatar_id FROM chats WHERE id = ? AND avatar_id IS NOT NULL"];

/// Removes a chat with everything in it, and with the files that nothing else uses; gives their number. `None` when there
/// is no such chat.
fn remove(conn: &mut SqliteConnection, chat: DbId, at: Timestamp) -> QueryResult<Option<u64>> {
    let files: Vec<DbId> = Sql::<Binary>::new(FILES_OF).id(chat).id(chat).load(conn)?;
    if diesel::delete(chats::table.find(chat)).execute(conn)? == 0 {
        return Ok(None);
    }
    files::release(conn, files, at).map(Some)
}

#[async_trait]
impl ChatRepository for SqliteChatRepository {
    async fn insert_direct(
        &self,
        chat: NewDirectChat,
        recording: Option<Recording<CreatedChat>>,
    ) -> Result<Recorded<CreatedChat>, InsertChatError> {
        self.store
            .write(move |conn| create::direct(conn, chat, recording.as_ref()))
            .await
    }

    async fn insert_group(
        &self,
        group: NewGroup,
        recording: Option<Recording<CreatedChat>>,
    ) -> Result<Recorded<CreatedChat>, InsertChatError> {
        self.store
            .write(move |conn| create::group(conn, &group, recording.as_ref()))
            .await
    }

    async fn insert_set(&self, chat: NewSetChat) -> Result<(ChatId, bool), InsertChatError> {
        self.store.write(move |conn| sets::insert(conn, &chat)).await
    }

    async fn replace_members(&self, change: ReplaceMembers) -> Result<(), ReplaceMembersError> {
        self.store.write(move |conn| sets::replace(conn, &change)).await
    }

    async fn set_note(&self, id: ChatId, note: &Note, at: Timestamp) -> Result<bool, RepositoryError> {
        let note = note.clone();
        self.store
            .write(move |conn| Ok(notes::set(conn, id.into(), &note, at)?))
            .await
    }

    async fn find_by_number(&self, number: i64) -> Result<Option<ChatId>, RepositoryError> {
        let find = move |conn: &mut SqliteConnection| {
            let chat = chats::table.filter(chats::number.eq(number)).select(chats::id);
            let found: Option<DbId> = chat.get_result(conn).optional()?;
            Ok(found.map(ChatId::from))
        };
        self.store.read(find).await
    }

    async fn find_direct(&self, one: UserId, other: UserId) -> Result<Option<ChatId>, RepositoryError> {
        let find = move |conn: &mut SqliteConnection| {
            let found = find_direct(conn, one.into(), other.into())?;
            Ok(found.map(ChatId::from))
        };
        self.store.read(find).await
    }

    async fn find(&self, id: ChatId, viewer: UserId) -> Result<Option<ChatView>, RepositoryError> {
        self.store
            .read_consistently(move |conn| view::find(conn, id.into(), viewer.into()))
            .await
    }

    async fn list(
        &self,
        session: ClaimedSession,
        after: Option<ChatCursor>,
        limit: Limit,
        at: Timestamp,
    ) -> Result<Page<ChatView, ChatCursor>, ListChatsError> {
        self.store
            .read_consistently(move |conn| view::list(conn, session, after, limit, at))
            .await
    }

    async fn rename(&self, id: ChatId, title: &ChatTitle, at: Timestamp) -> Result<bool, RepositoryError> {
        let title = title.clone();
        self.store
            .write(move |conn| Ok(rename(conn, id.into(), &title, at)?))
            .await
    }

    async fn set_avatar(
        &self,
        id: ChatId,
        avatar: FileId,
        owner: UserId,
        at: Timestamp,
    ) -> Result<bool, RepositoryError> {
        self.store
            .write(move |conn| set_avatar(conn, id.into(), avatar.into(), owner.into(), at))
            .await
    }

    async fn delete(&self, id: ChatId) -> Result<bool, RepositoryError> {
        self.store
            .write(move |conn| Ok(remove(conn, id.into(), DUE_AT_ONCE)?.is_some()))
            .await
    }

    async fn list_members(
        &self,
        id: ChatId,
        after: Option<MemberCursor>,
        limit: Limit,
    ) -> Result<Page<Member, MemberCursor>, RepositoryError> {
        self.store
            .read(move |conn| members::list(conn, id.into(), after, limit))
            .await
    }

    async fn find_member(&self, id: ChatId, user_id: UserId) -> Result<Option<Member>, RepositoryError> {
        self.store
            .read(move |conn| members::find(conn, id.into(), user_id.into()))
            .await
    }

    async fn add_member(
        &self,
        member: NewMember,
        recording: Option<Recording<AddMember>>,
    ) -> Result<Recorded<AddMember>, AddMemberError> {
        self.store
            .write(move |conn| members::add(conn, member, recording.as_ref()))
            .await
    }

    async fn set_role(
        &self,
        id: ChatId,
        user_id: UserId,
        role: MemberRole,
        at: Timestamp,
    ) -> Result<Member, SetRoleError> {
        self.store
            .write(move |conn| members::set_role(conn, id.into(), user_id.into(), role, at))
            .await
    }

    async fn remove_member(
        &self,
        id: ChatId,
        user_id: UserId,
        keep_owner: bool,
        at: Timestamp,
    ) -> Result<Option<Removal>, RepositoryError> {
        let leaving = Leaving {
            chat: id.into(),
            user: user_id.into(),
            keep_owner,
            at,
        };
        self.store
            .write(move |conn| leave(conn, leaving).map(|(removal, _)| removal))
            .await
    }

    async fn mark_read(&self, id: ChatId, user_id: UserId, seq: Seq) -> Result<Option<ReadState>, RepositoryError> {
        self.store
            .write(move |conn| members::mark_read(conn, id.into(), user_id.into(), seq))
            .await
    }
}
