use super::RepositoryError;
use crate::ids::{ChatId, MessageId, UserId};
use crate::message::Message;
use crate::overview::ChatOverview;
use crate::page::{Counted, Window};
use async_trait::async_trait;

/// Which chats to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListOverviews {
    /// For whom.
    pub viewer: UserId,
    /// Whether those too that the viewer is not a member of.
    pub everybodys: bool,
    /// Only those that this user is a member of as well.
    pub with: Option<UserId>,
    /// Only direct chats.
    pub direct: bool,
    /// Whether groups come with their members, too.
    pub members: bool,
    /// In which order.
    pub order: OverviewOrder,
    /// Which part of the list.
    pub window: Window,
}

/// By what chats are ordered; always the latest first, of two of one time the larger id first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverviewOrder {
    /// When a message was last sent there, or the chat made.
    Activity,
    /// When anything about it last changed.
    Change,
}

/// Which messages of a chat to list, none of them deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisibleMessages {
    /// From the newest backwards.
    Newest(Window),
    /// From the oldest forwards.
    Oldest(Window),
    /// Those before that message, newest first, so many at the most.
    Before(MessageId, u16),
}

/// Chats and messages as the contracts of existing clients list them: on numbered pages, with totals, without deleted
/// messages.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OverviewRepository: Send + Sync {
    /// A part of a list of chats.
    async fn list(&self, list: ListOverviews) -> Result<Counted<ChatOverview>, RepositoryError>;

    /// One chat with its members, whether the viewer is one of them or not.
    async fn find(&self, id: ChatId, viewer: UserId) -> Result<Option<ChatOverview>, RepositoryError>;

    /// A part of a chat's messages, and how many there are in all. `None` when there is no such chat, or the message is not
    /// one of its (it may be a deleted one).
    ///
    /// The newest page of a chat without deleted messages is a range of the primary key.
    async fn list_messages(
        &self,
        chat_id: ChatId,
        which: VisibleMessages,
    ) -> Result<Option<Counted<Message>>, RepositoryError>;
}
