use crate::BoxError;
use async_trait::async_trait;
use futures_core::Stream;
use std::pin::Pin;
use tertulia_domain::{ChatId, SessionId, Timestamp, UserId};
use thiserror::Error;

/// Signals as they come in. Ends only when the bus is gone.
pub type SignalStream = Pin<Box<dyn Stream<Item = Signal> + Send>>;

/// What one process tells the others. It only wakes: the truth is the database, so that a lost, doubled or reordered
/// signal loses and doubles nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Something was committed in a chat.
    Changed {
        /// The chat.
        chat_id: ChatId,
        /// Whom it may have brought into the chat or thrown out.
        users: Vec<UserId>,
    },
    /// Sessions of a user ended.
    SessionsEnded {
        /// The user.
        user_id: UserId,
        /// That one; `None`: any of them.
        session_id: Option<SessionId>,
    },
    /// Somebody began or stopped typing.
    Typing {
        /// Where.
        chat_id: ChatId,
        /// Who.
        user_id: UserId,
        /// Whether they type now.
        active: bool,
    },
    /// Somebody came or went.
    Presence {
        /// Who.
        user_id: UserId,
        /// Whether they are here now.
        online: bool,
        /// Since when.
        at: Timestamp,
    },
    /// Signals may have been lost: look at everything again. A bus says so itself when it was cut off, and when its
    /// subscriber or somebody who publishes was too fast for it.
    Lost,
}

/// The others can't be told anything for now.
#[derive(Debug, Error)]
#[error("the event bus is unavailable")]
pub struct BusError(#[source] pub BoxError);

/// Lets processes that share a database wake each other up. No process hears itself.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait EventBus: Send + Sync {
    /// Tells the others. Never waits, never fails: what is too much is dropped.
    fn publish(&self, signal: Signal);

    /// What the others tell from now on.
    fn subscribe(&self) -> SignalStream;

    /// Whether the others can be told and heard.
    async fn check(&self) -> Result<(), BusError>;
}
