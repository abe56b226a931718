//! Chats and their members.
//!
//! Whatever changes who is in a chat, or as what, first locks the chat's row. Locks are always taken in the order set of
//! members, chat, membership, user, session, file, blob, and of several rows of a table in the order of their ids: nobody waits in a
//! circle. There are two exceptions, which may lose against another transaction and are begun again: the record of a
//! keyed creation holds on to its user from the beginning, and a change of avatars to the new file while the old one goes.

mod create;
mod departure;
mod list;
mod members;
mod note;
mod replace;
mod sets;
mod view;

use crate::client::Client;
use crate::files;
use crate::idempotency::create_once;
use crate::schema::{chats, users};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{
    AddMember, AddMemberError, ChatRepository, CreatedChat, InsertChatError, ListChatsError, NewDirectChat, NewGroup,
    NewMember, NewSetChat, ReadState, Removal, ReplaceMembers, ReplaceMembersError, RepositoryError, SetRoleError,
};
use tertulia_domain::{
    ChatCursor, ChatId, ChatTitle, ChatView, ClaimedSession, FileId, Limit, Member, MemberCursor, MemberRole, Note,
    Page, Recorded, Recording, Seq, Timestamp, UserId,
};
use uuid::Uuid;

pub(crate) use departure::remove_member;

/// The chats and their members.
pub struct PgChatRepository {
    client: Client,
}

impl PgChatRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl ChatRepository for PgChatRepository {
    async fn insert_direct(
        &self,
        chat: NewDirectChat,
        recording: Option<Recording<CreatedChat>>,
    ) -> Result<Recorded<CreatedChat>, InsertChatError> {
        self.client
            .run(move |connection| {
                create_once(connection, recording.as_ref(), |connection| {
                    create::direct(connection, &chat)
                })
            })
            .await
    }

    async fn insert_group(
        &self,
        group: NewGroup,
        recording: Option<Recording<CreatedChat>>,
    ) -> Result<Recorded<CreatedChat>, InsertChatError> {
        self.client
            .run(move |connection| {
                create_once(connection, recording.as_ref(), |connection| {
                    create::group(connection, &group)
                })
            })
            .await
    }

    async fn insert_set(&self, chat: NewSetChat) -> Result<(ChatId, bool), InsertChatError> {
        self.client
            .run(move |connection| connection.transaction(|connection| sets::insert(connection, &chat)))
            .await
    }

    async fn replace_members(&self, change: ReplaceMembers) -> Result<(), ReplaceMembersError> {
        self.client
            .run(move |connection| connection.transaction(|connection| replace::members(connection, &change)))
            .await
    }

    async fn set_note(&self, id: ChatId, note: &Note, at: Timestamp) -> Result<bool, RepositoryError> {
        let note = note.clone();
        self.client
            .run(move |connection| Ok(note::set(connection, id, &note, at)?))
            .await
    }

    async fn find_by_number(&self, number: i64) -> Result<Option<ChatId>, RepositoryError> {
        self.client
            .run(move |connection| {
                let id = chats::table
                    .filter(chats::number.eq(number))
                    .select(chats::id)
                    .first::<Uuid>(connection)
                    .optional()?;
                Ok(id.map(ChatId::from_uuid))
            })
            .await
    }

    async fn find_direct(&self, one: UserId, other: UserId) -> Result<Option<ChatId>, RepositoryError> {
        let parties = create::parties(*one.as_uuid(), *other.as_uuid());
        self.client
            .run(move |connection| Ok(create::find_direct(connection, parties)?))
            .await
    }

    async fn find(&self, id: ChatId, viewer: UserId) -> Result<Option<ChatView>, RepositoryError> {
        self.client
            .run(move |connection| view::find(connection, id, viewer))
            .await
    }

    async fn list(
        &self,
        session: ClaimedSession,
        after: Option<ChatCursor>,
        limit: Limit,
        at: Timestamp,
    ) -> Result<Page<ChatView, ChatCursor>, ListChatsError> {
        self.client
            .run(move |connection| list::page(connection, session, after, limit, at))
            .await
    }

    async fn rename(&self, id: ChatId, title: &ChatTitle, at: Timestamp) -> Result<bool, RepositoryError> {
        let title = title.clone();
        self.client
            .run(move |connection| {
                let renamed = diesel::update(chats::table.find(id.as_uuid()))
                    .filter(chats::kind.eq("group"))
                    .set((
                        chats::title.eq(title.as_str()),
                        chats::updated_at.eq(later(chats::updated_at, PgTime(at))),
                    ))
                    .execute(connection)?;
                Ok(renamed > 0)
            })
            .await
    }

    async fn set_avatar(
        &self,
        id: ChatId,
        avatar: FileId,
        owner: UserId,
        at: Timestamp,
    ) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(set_avatar(connection, id, avatar, owner, at)?))
            })
            .await
    }

    async fn delete(&self, id: ChatId) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                // What the chat leaves behind is due since ever.
                let at = Timestamp::from_millis(0);
                connection.transaction(|connection| {
                    let Some(files) = delete_chat(connection, id)? else {
                        return Ok(false);
                    };
                    files::release(connection, &files, at)?;
                    Ok(true)
                })
            })
            .await
    }

    async fn list_members(
        &self,
        id: ChatId,
        after: Option<MemberCursor>,
        limit: Limit,
    ) -> Result<Page<Member, MemberCursor>, RepositoryError> {
        self.client
            .run(move |connection| members::page(connection, id, after, limit))
            .await
    }

    async fn find_member(&self, id: ChatId, user_id: UserId) -> Result<Option<Member>, RepositoryError> {
        self.client
            .run(move |connection| members::find(connection, id, user_id))
            .await
    }

    async fn add_member(
        &self,
        member: NewMember,
        recording: Option<Recording<AddMember>>,
    ) -> Result<Recorded<AddMember>, AddMemberError> {
        self.client
            .run(move |connection| {
                create_once(connection, recording.as_ref(), |connection| {
                    members::add(connection, &member)
                })
            })
            .await
    }

    async fn set_role(
        &self,
        id: ChatId,
        user_id: UserId,
        role: MemberRole,
        at: Timestamp,
    ) -> Result<Member, SetRoleError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| members::set_role(connection, id, user_id, role, at))
            })
            .await
    }

    async fn remove_member(
        &self,
        id: ChatId,
        user_id: UserId,
        keep_owner: bool,
        at: Timestamp,
    ) -> Result<Option<Removal>, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| {
                    let departure = remove_member(connection, id, user_id, keep_owner, at)?;
                    files::release(connection, &departure.files, at)?;
                    Ok(departure.removal)
                })
            })
            .await
    }

    async fn mark_read(&self, id: ChatId, user_id: UserId, seq: Seq) -> Result<Option<ReadState>, RepositoryError> {
        self.client
            .run(move |connection| members::mark_read(connection, id, user_id, seq))
            .await
    }
}

diesel::define_sql_function! {
    /// The later of two times.
    #[sql_name = "greatest"]
    fn later(a: Timestamptz, b: Timestamptz) -> Timestamptz;
}

/// What a change of a group's members has to know of it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = chats, check_for_backend(diesel::pg::Pg))]
struct LockedGroup {
    member_count: i64,
    last_seq: i64,
}

/// Locks a group until the end of the transaction.
fn lock_group(connection: &mut PgConnection, id: ChatId) -> QueryResult<Option<LockedGroup>> {
    chats::table
        .find(id.as_uuid())
        .filter(chats::kind.eq("group"))
        .select(LockedGroup::as_select())
        .for_no_key_update()
        .first(connection)
        .optional()
}

/// Gives a group another avatar, in a transaction of the caller's. False when there is no such group or no such file.
fn set_avatar(
    connection: &mut PgConnection,
    id: ChatId,
    avatar: FileId,
    owner: UserId,
    at: Timestamp,
) -> QueryResult<bool> {
    let group = chats::table.find(id.as_uuid()).filter(chats::kind.eq("group"));
    let before = group
        .select(chats::avatar_id)
        .for_no_key_update()
        .first::<Option<Uuid>>(connection)
        .optional()?;
    let Some(before) = before else { return Ok(false) };
    let Some(view) = files::hold(connection, avatar, owner)? else {
        return Ok(false);
    };
    diesel::update(group)
        .set((
            chats::avatar_id.eq(avatar.as_uuid()),
            chats::avatar_view.eq(view),
            chats::updated_at.eq(later(chats::updated_at, PgTime(at))),
        ))
        .execute(connection)?;
    files::release(connection, before.as_slice(), at)?;
    Ok(true)
}

/// The files that a chat uses, and NULL when it has no avatar.
struct FilesOf;

impl Statement for FilesOf {
    type Columns = Nullable<SqlUuid>;
    const SQL: &'static str = "
        SELECT a.file_id FROM message_attachments a WHERE a.chat_id = $1
        UNION
        SELECT c.avatar_id FROM chats c WHERE c.id = $1";
}

/// Deletes a chat with everything in it, in a transaction of the caller's; gives the files that it used, which are
/// the caller's to release, and `None` when there is no such chat.
fn delete_chat(connection: &mut PgConnection, id: ChatId) -> QueryResult<Option<Vec<Uuid>>> {
    // From here on nothing is sent there.
    let chat = chats::table.find(id.as_uuid());
    let locked = chat
        .select(chats::id)
        .for_update()
        .first::<Uuid>(connection)
        .optional()?;
    if locked.is_none() {
        return Ok(None);
    }
    let used = prepared::<FilesOf, _>((id.as_uuid().into_sql::<SqlUuid>(),)).load::<Option<Uuid>>(connection)?;
    diesel::delete(chat).execute(connection)?;
    Ok(Some(used.into_iter().flatten().collect()))
}

/// Those of the users who are there and not deleted, by id; none of them will be until the end of the transaction.
fn lock_users(connection: &mut PgConnection, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    users::table
        .filter(users::id.eq_any(ids).and(users::deleted_at.is_null()))
        .order(users::id)
        .select(users::id)
        .for_key_share()
        .load(connection)
}

/// Writes down that something about a chat has changed: the number of its members, by so many.
fn touch(connection: &mut PgConnection, id: ChatId, members: i64, at: Timestamp) -> QueryResult<()> {
    diesel::update(chats::table.find(id.as_uuid()))
        .set((
            chats::member_count.eq(chats::member_count + members),
            chats::updated_at.eq(later(chats::updated_at, PgTime(at))),
        ))
        .execute(connection)?;
    Ok(())
}
