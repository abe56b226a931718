use super::RepositoryError;
use crate::chat::{ChatTitle, ChatView};
use crate::idempotency::{Recorded, Recording};
use crate::ids::{ChatId, FileId, UserId};
use crate::membership::{Member, MemberRole};
use crate::message::Seq;
use crate::overview::Note;
use crate::page::{ChatCursor, Limit, MemberCursor, Page};
use crate::session::ClaimedSession;
use crate::time::Timestamp;
use async_trait::async_trait;
use thiserror::Error;

/// A direct chat that is wanted.
#[derive(Debug, Clone, Copy)]
pub struct NewDirectChat {
    /// The identifier that it gets if there is none yet between the two.
    pub id: ChatId,
    /// Who wants it.
    pub creator: UserId,
    /// The other party, not the creator.
    pub other: UserId,
    /// When.
    pub at: Timestamp,
}

/// A group to be made.
#[derive(Debug, Clone)]
pub struct NewGroup {
    /// The identifier, fresh.
    pub id: ChatId,
    /// What it is called.
    pub title: ChatTitle,
    /// Who makes it, and owns it.
    pub owner: UserId,
    /// The first members besides the owner, without repeats.
    pub members: Vec<UserId>,
    /// When.
    pub at: Timestamp,
}

/// A group to be made that is known by who is in it.
#[derive(Debug, Clone)]
pub struct NewSetChat {
    /// The identifier that it gets if there is none yet of this set.
    pub id: ChatId,
    /// What it is called.
    pub title: ChatTitle,
    /// Who is in it, three or more, without repeats.
    pub members: Vec<UserId>,
    /// Which of them owns it.
    pub owner: UserId,
    /// What is to stand in the place of its last message, if it is made.
    pub note: Option<Note>,
    /// When.
    pub at: Timestamp,
}

/// Other members for a chat.
#[derive(Debug, Clone)]
pub struct ReplaceMembers {
    /// The chat.
    pub chat_id: ChatId,
    /// Who does it: the owner of a direct chat that becomes a group, if they stay in it.
    pub actor: UserId,
    /// Everybody who is to be in it, two or more, without repeats.
    pub members: Vec<UserId>,
    /// What it is called if it becomes a group by this.
    pub title: ChatTitle,
    /// What is to stand in the place of its last message from now on.
    pub note: Option<Note>,
    /// When.
    pub at: Timestamp,
}

/// Why a chat keeps its members.
#[derive(Debug, Error)]
pub enum ReplaceMembersError {
    /// No such chat.
    #[error("no such chat")]
    ChatNotFound,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user: {0}")]
    UserNotFound(UserId),
    /// Another chat is the one of this set.
    #[error("another chat has these members")]
    SetTaken,
    /// It would become a direct chat between two of whom one blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// A chat that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedChat {
    /// The chat as its creator sees it, with member preview.
    pub view: ChatView,
    /// False when the direct chat was already there.
    pub created: bool,
}

/// Why a chat could not be made.
#[derive(Debug, Error)]
pub enum InsertChatError {
    /// Nobody has this id, or the account is deleted.
    #[error("no such user: {0}")]
    UserNotFound(UserId),
    /// One of the two blocks the other, and there is no direct chat between them yet.
    #[error("one of the two blocks the other")]
    Blocked,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Why the chats could not be listed.
#[derive(Debug, Error)]
pub enum ListChatsError {
    /// The session has ended or expired.
    #[error("the session has ended")]
    SessionEnded,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// A user to be added to a group.
#[derive(Debug, Clone, Copy)]
pub struct NewMember {
    /// The group.
    pub chat_id: ChatId,
    /// Who.
    pub user_id: UserId,
    /// As what; never owner.
    pub role: MemberRole,
    /// How many members the group may have at the most.
    pub most: i64,
    /// When.
    pub at: Timestamp,
}

/// A member that was to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddMember {
    /// The member; one who was already there as they were, role and all.
    pub member: Member,
    /// False when they were already there.
    pub added: bool,
}

/// Why a user could not be added.
#[derive(Debug, Error)]
pub enum AddMemberError {
    /// No such group.
    #[error("no such group")]
    ChatNotFound,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// The group has as many members as it may have.
    #[error("the group is full")]
    Full,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Why a role could not be changed.
#[derive(Debug, Error)]
pub enum SetRoleError {
    /// They are not in that chat, or there is no such chat.
    #[error("no such member")]
    MemberNotFound,
    /// The owner can't step down; they hand the group over by making somebody else its owner.
    #[error("the owner's role only changes by making another member the owner")]
    OwnerStepsDown,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// What became of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// They are out.
    Removed {
        /// Who owns the group now, when the owner left.
        new_owner: Option<UserId>,
    },
    /// They were the last; the chat is gone.
    ChatDeleted,
    /// They were not in, or there is no such chat.
    NotAMember,
}

/// How far a member has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadState {
    /// Up to there.
    pub read_seq: Seq,
    /// The chat's newest message.
    pub last_seq: Seq,
    /// Whether that was news.
    pub moved: bool,
}

/// The chats and their members.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ChatRepository: Send + Sync {
    /// Gives the one direct chat between two users, making it if there is none. Of any number at once, one makes it and
    /// all get the same.
    async fn insert_direct(
        &self,
        chat: NewDirectChat,
        recording: Option<Recording<CreatedChat>>,
    ) -> Result<Recorded<CreatedChat>, InsertChatError>;

    /// Makes a group. All of its first members are in it, or it is not made.
    async fn insert_group(
        &self,
        group: NewGroup,
        recording: Option<Recording<CreatedChat>>,
    ) -> Result<Recorded<CreatedChat>, InsertChatError>;

    /// Gives the one group that is known by this set of members, making it if there is none: the chat's id, and whether it
    /// was made. Only groups that were made by this method, or became one by [`ChatRepository::replace_members`], are
    /// known so, and always by those who are in them at the moment. Of any number at once, one makes it and all get the
    /// same.
    async fn insert_set(&self, chat: NewSetChat) -> Result<(ChatId, bool), InsertChatError>;

    /// Gives a chat other members; who stays keeps role and read position, who comes has everything read, an owner who
    /// goes is followed by [`successor`](crate::membership::successor).
    ///
    /// A direct chat that gets a third member becomes a group known by its set. A group that is known by its set becomes
    /// the direct chat of the pair when two are left; a direct chat may pass to another pair. Whenever the chat is the one of its set afterwards, no other is:
    /// otherwise [`ReplaceMembersError::SetTaken`]. A group made any other way stays one, whoever is in it.
    async fn replace_members(&self, change: ReplaceMembers) -> Result<(), ReplaceMembersError>;

    /// Puts a note in the place of the chat's last message, until a message is sent. False when there is no such chat.
    async fn set_note(&self, id: ChatId, note: &Note, at: Timestamp) -> Result<bool, RepositoryError>;

    /// The chat of that number.
    async fn find_by_number(&self, number: i64) -> Result<Option<ChatId>, RepositoryError>;

    /// The direct chat between two users.
    async fn find_direct(&self, one: UserId, other: UserId) -> Result<Option<ChatId>, RepositoryError>;

    /// The chat as `viewer` sees it, with member preview, whether they are in it or not: who may see it is decided by the
    /// caller from `membership`.
    async fn find(&self, id: ChatId, viewer: UserId) -> Result<Option<ChatView>, RepositoryError>;

    /// The chats that the session's user is a member of, most recently active first. The session is checked in the same
    /// statement. The cost does not depend on the page.
    async fn list(
        &self,
        session: ClaimedSession,
        after: Option<ChatCursor>,
        limit: Limit,
        at: Timestamp,
    ) -> Result<Page<ChatView, ChatCursor>, ListChatsError>;

    /// Changes a group's title. False when there is no such group.
    async fn rename(&self, id: ChatId, title: &ChatTitle, at: Timestamp) -> Result<bool, RepositoryError>;

    /// Gives a group the avatar out of `owner`'s files; the old one goes unless something else uses it. False when there is no
    /// such group or no such file.
    async fn set_avatar(
        &self,
        id: ChatId,
        avatar: FileId,
        owner: UserId,
        at: Timestamp,
    ) -> Result<bool, RepositoryError>;

    /// Deletes a chat with its members, messages and events, and with the files that nothing else uses. Those who were in it
    /// have a [`Departure`](crate::event::Departure) from it. False when there is none.
    async fn delete(&self, id: ChatId, at: Timestamp) -> Result<bool, RepositoryError>;

    /// The members, longest-standing first.
    async fn list_members(
        &self,
        id: ChatId,
        after: Option<MemberCursor>,
        limit: Limit,
    ) -> Result<Page<Member, MemberCursor>, RepositoryError>;

    /// One member.
    async fn find_member(&self, id: ChatId, user_id: UserId) -> Result<Option<Member>, RepositoryError>;

    /// Adds a user to a group, with everything in it read. Of two at once for one user, one adds and the other finds them
    /// there. `member_count` stays exact under any concurrency.
    async fn add_member(
        &self,
        member: NewMember,
        recording: Option<Recording<AddMember>>,
    ) -> Result<Recorded<AddMember>, AddMemberError>;

    /// Changes a member's role. To make somebody the owner makes the present owner an admin, in the same transaction;
    /// a group has exactly one owner at every moment.
    async fn set_role(
        &self,
        id: ChatId,
        user_id: UserId,
        role: MemberRole,
        at: Timestamp,
    ) -> Result<Member, SetRoleError>;

    /// Takes somebody out of a group. An owner is followed by [`successor`](crate::membership::successor); the last one
    /// out deletes the chat. `keep_owner` leaves an owner in: `Ok(None)`, nothing done.
    async fn remove_member(
        &self,
        id: ChatId,
        user_id: UserId,
        keep_owner: bool,
        at: Timestamp,
    ) -> Result<Option<Removal>, RepositoryError>;

    /// Moves a member's read position forward to `seq`, or to the newest message if that comes first; never back. `None`
    /// when they are not in the chat.
    async fn mark_read(
        &self,
        id: ChatId,
        user_id: UserId,
        seq: Seq,
        at: Timestamp,
    ) -> Result<Option<ReadState>, RepositoryError>;
}
