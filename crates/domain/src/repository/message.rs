use super::RepositoryError;
use crate::event::EventSeq;
use crate::idempotency::Claim;
use crate::ids::{ChatId, FileId, MessageId, UserId};
use crate::membership::MemberRole;
use crate::message::{Message, MessageBody, MessageDraft};
use crate::page::{Limit, MessageRange, Page};
use crate::session::ClaimedSession;
use crate::time::Timestamp;
use async_trait::async_trait;
use thiserror::Error;

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct AppendMessage {
    /// The identifier, fresh.
    pub id: MessageId,
    /// Where to.
    pub chat_id: ChatId,
    /// By whom; checked in the same transaction.
    pub session: ClaimedSession,
    /// What it says.
    pub draft: MessageDraft,
    /// The message of the same chat that it answers.
    pub reply_to: Option<MessageId>,
    /// Whom of a group it addresses. That they are in it was checked before; kept for groups only.
    pub addressee: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// What makes a retry harmless.
    pub claim: Option<Claim>,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The message; of a retry exactly as the first call gave it, whatever became of it since.
    pub message: Message,
    /// The place of the event that tells of it; zero when it is replayed.
    pub event: EventSeq,
    /// True when the claim's key had sent it before.
    pub replayed: bool,
}

/// Why a message was not sent.
#[derive(Debug, Error)]
pub enum AppendError {
    /// The session has ended or expired.
    #[error("the session has ended")]
    SessionEnded,
    /// No such chat, or the sender is neither in it nor a service admin.
    #[error("no such chat")]
    ChatNotFound,
    /// The chat has no message of the id that is answered.
    #[error("no such message to answer")]
    ReplyNotFound,
    /// A file that is not there, or that the sender may not read ([`FileStanding::may_read`](crate::file::FileStanding)).
    #[error("no such file: {0}")]
    AttachmentNotFound(FileId),
    /// It is a direct chat, and one of the two blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Which messages to list.
#[derive(Debug, Clone, Copy)]
pub struct ListMessages {
    /// Of which chat.
    pub chat_id: ChatId,
    /// For whom; checked in the same statement.
    pub session: ClaimedSession,
    /// From where, and in which direction.
    pub range: MessageRange,
    /// How many.
    pub limit: Limit,
    /// Now.
    pub at: Timestamp,
}

/// Why messages could not be listed.
#[derive(Debug, Error)]
pub enum ListMessagesError {
    /// The session has ended or expired.
    #[error("the session has ended")]
    SessionEnded,
    /// No such chat, or the reader is neither in it nor a service admin.
    #[error("no such chat")]
    ChatNotFound,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// A message, and what decides who may change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageContext {
    /// The message.
    pub message: Message,
    /// Whether its chat is a group.
    pub group: bool,
    /// The viewer's role in the chat, if they are in it.
    pub viewer: Option<MemberRole>,
}

/// The messages.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait MessageRepository: Send + Sync {
    /// Sends a message: it gets the chat's next number, moves the sender's read position to itself, and makes the chat the
    /// most recently active. One round trip, one commit. Numbers have no gaps and no repeats whatever the concurrency:
    /// an append that fails takes none. `created_at` is `at`, or the chat's last activity if that is later.
    ///
    /// With a claim, the same claim sends once; two at once wait for each other. A claim is looked at before everything
    /// but the session: a retry is answered even if the sender has left the chat since.
    async fn append(&self, message: AppendMessage) -> Result<Appended, AppendError>;

    /// A page of a chat's messages, read by range of the primary key: its cost depends neither on the number of messages
    /// nor on the place. Deleted ones are among them. `next` is the range in which the walk goes on.
    async fn list(&self, list: ListMessages) -> Result<Page<Message, MessageRange>, ListMessagesError>;

    /// One message of a chat as `viewer` finds it, whether they are in the chat or not.
    async fn find(
        &self,
        chat_id: ChatId,
        id: MessageId,
        viewer: UserId,
    ) -> Result<Option<MessageContext>, RepositoryError>;

    /// Replaces the body. `None` when there is no such message in that chat or it is deleted.
    async fn edit(
        &self,
        chat_id: ChatId,
        id: MessageId,
        body: &MessageBody,
        at: Timestamp,
    ) -> Result<Option<Message>, RepositoryError>;

    /// Blanks a message; it keeps its place. Its files go with it, in the same transaction, unless something else uses
    /// them. True also when it was deleted before, whose time then stays; false when
    /// there is no such message in that chat.
    async fn delete(&self, chat_id: ChatId, id: MessageId, at: Timestamp) -> Result<bool, RepositoryError>;
}
