use super::RepositoryError;
use crate::event::{ChatEvent, Departure, EventSeq, Subscription};
use crate::ids::{ChatId, NodeId, SessionId, UserId};
use crate::session::ClaimedSession;
use crate::time::Timestamp;
use async_trait::async_trait;

/// Events of a chat after a place, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// Up to as many as were asked for, without a gap.
    Listed {
        /// The events.
        events: Vec<ChatEvent>,
        /// The chat's newest event at that moment.
        last: EventSeq,
    },
    /// What came next after that place is not kept any more.
    Forgotten,
    /// No such chat.
    NoChat,
}

/// The events of chats, and who listens.
///
/// Every change of a chat takes the chat's next event number in the transaction that makes the change: a sent message too, so
/// the numbers of both kinds are dense.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// All chats that the user is a member of.
    async fn subscriptions(&self, user_id: UserId) -> Result<Vec<Subscription>, RepositoryError>;

    /// The newest event of each of these chats; those that are not there are left out.
    async fn last_events(&self, chats: Vec<ChatId>) -> Result<Vec<(ChatId, EventSeq)>, RepositoryError>;

    /// The events after a place, as many at the most: neighbours in two primary keys, wherever in the chat they are.
    async fn list(&self, chat_id: ChatId, after: EventSeq, limit: u16) -> Result<Events, RepositoryError>;

    /// The chats that the user left, was taken out of, or that were deleted, at `since` or later, and that they are not in
    /// again.
    async fn departures(&self, user_id: UserId, since: Timestamp) -> Result<Vec<Departure>, RepositoryError>;

    /// Those of the sessions that live.
    async fn live_sessions(&self, sessions: Vec<SessionId>, at: Timestamp) -> Result<Vec<SessionId>, RepositoryError>;

    /// Those of `others` who share with the user a chat of at most `members` members, and with whom there is no block.
    async fn acquaintances(
        &self,
        user_id: UserId,
        others: Vec<UserId>,
        members: i64,
    ) -> Result<Vec<UserId>, RepositoryError>;

    /// Notes that users are connected to a node, until then. Gives those who were connected to none before (leases that
    /// have run out at `at` do not count).
    async fn arrive(
        &self,
        node: NodeId,
        users: Vec<UserId>,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<UserId>, RepositoryError>;

    /// Notes that users are no longer connected to a node. Gives those who are connected to none now.
    async fn depart(&self, node: NodeId, users: Vec<UserId>, at: Timestamp) -> Result<Vec<UserId>, RepositoryError>;

    /// Prolongs all leases of a node that have not run out.
    async fn renew_leases(&self, node: NodeId, until: Timestamp) -> Result<(), RepositoryError>;

    /// Removes the leases that have run out at `at`: those of nodes that died. Gives the users who are connected nowhere
    /// now, each to one caller only.
    async fn expire_leases(&self, at: Timestamp) -> Result<Vec<UserId>, RepositoryError>;

    /// Stores the hash of a ticket that opens one connection in place of the session's token.
    async fn insert_ticket(
        &self,
        hash: [u8; 32],
        session: ClaimedSession,
        expires_at: Timestamp,
    ) -> Result<(), RepositoryError>;

    /// Takes a ticket back. `None` when it is unknown, used or expired. Of two at once, one gets it.
    async fn redeem_ticket(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<ClaimedSession>, RepositoryError>;

    /// Removes events of before that time, except each chat's newest such one that is no message, from which the numbers
    /// of those after it are counted; and departures and tickets of before it. Gives the number of events removed.
    async fn purge(&self, before: Timestamp) -> Result<u64, RepositoryError>;
}
