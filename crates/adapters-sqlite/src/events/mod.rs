//! The events of chats, and who listens.

mod leases;
mod list;
mod listeners;
mod purge;
mod record;

pub(crate) use record::{came, closing, record, record_erasure, recount, went};

use crate::store::Store;
use async_trait::async_trait;
use tertulia_domain::repository::{EventRepository, Events, RepositoryError};
use tertulia_domain::{
    ChatId, ClaimedSession, Departure, EventSeq, NodeId, SessionId, Subscription, Timestamp, UserId,
};

/// The events, on SQLite.
#[derive(Clone)]
pub struct SqliteEventRepository {
    store: Store,
}

impl SqliteEventRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl EventRepository for SqliteEventRepository {
    async fn subscriptions(&self, user_id: UserId) -> Result<Vec<Subscription>, RepositoryError> {
        self.store
            .read(move |conn| listeners::subscriptions(conn, user_id.into()))
            .await
    }

    async fn last_events(&self, chats: Vec<ChatId>) -> Result<Vec<(ChatId, EventSeq)>, RepositoryError> {
        self.store.read(move |conn| listeners::last_events(conn, chats)).await
    }

    async fn list(&self, chat_id: ChatId, after: EventSeq, limit: u16) -> Result<Events, RepositoryError> {
        self.store
            .read_consistently(move |conn| list::list(conn, chat_id.into(), after, limit))
            .await
    }

    async fn departures(&self, user_id: UserId, since: Timestamp) -> Result<Vec<Departure>, RepositoryError> {
        self.store
            .read(move |conn| listeners::departures(conn, user_id.into(), since))
            .await
    }

    async fn live_sessions(&self, sessions: Vec<SessionId>, at: Timestamp) -> Result<Vec<SessionId>, RepositoryError> {
        self.store
            .read(move |conn| Ok(listeners::live_sessions(conn, sessions, at)?))
            .await
    }

    async fn acquaintances(
        &self,
        user_id: UserId,
        others: Vec<UserId>,
        members: i64,
    ) -> Result<Vec<UserId>, RepositoryError> {
        self.store
            .read(move |conn| Ok(listeners::acquaintances(conn, user_id.into(), others, members)?))
            .await
    }

    async fn arrive(
        &self,
        node: NodeId,
        users: Vec<UserId>,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<UserId>, RepositoryError> {
        self.store
            .write(move |conn| Ok(leases::arrive(conn, node, users, at, until)?))
            .await
    }

    async fn depart(&self, node: NodeId, users: Vec<UserId>, at: Timestamp) -> Result<Vec<UserId>, RepositoryError> {
        self.store
            .write(move |conn| Ok(leases::depart(conn, node, users, at)?))
            .await
    }

    async fn renew_leases(&self, node: NodeId, until: Timestamp) -> Result<(), RepositoryError> {
        self.store
            .write(move |conn| Ok(leases::renew(conn, node, until)?))
            .await
    }

    async fn expire_leases(&self, at: Timestamp) -> Result<Vec<UserId>, RepositoryError> {
        self.store.write(move |conn| Ok(leases::expire(conn, at)?)).await
    }

    async fn insert_ticket(
        &self,
        hash: [u8; 32],
        session: ClaimedSession,
        expires_at: Timestamp,
    ) -> Result<(), RepositoryError> {
        self.store
            .write(move |conn| Ok(leases::insert_ticket(conn, hash, session, expires_at)?))
            .await
    }

    async fn redeem_ticket(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<ClaimedSession>, RepositoryError> {
        self.store.write(move |conn| Ok(leases::redeem(conn, hash, at)?)).await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, RepositoryError> {
        purge::purge(&self.store, before).await
    }
}
