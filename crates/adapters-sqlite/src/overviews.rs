//! Chats and messages on numbered pages.

use crate::chats::{find_overview, list_overviews};
use crate::messages::list_visible;
use crate::store::Store;
use async_trait::async_trait;
use tertulia_domain::repository::{ListOverviews, OverviewRepository, RepositoryError, VisibleMessages};
use tertulia_domain::{ChatId, ChatOverview, Counted, Message, UserId};

/// Chats and messages on numbered pages, on SQLite.
#[derive(Clone)]
pub struct SqliteOverviewRepository {
    store: Store,
}

impl SqliteOverviewRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl OverviewRepository for SqliteOverviewRepository {
    async fn list(&self, list: ListOverviews) -> Result<Counted<ChatOverview>, RepositoryError> {
        self.store
            .read_consistently(move |conn| list_overviews(conn, list))
            .await
    }

    async fn find(&self, id: ChatId, viewer: UserId) -> Result<Option<ChatOverview>, RepositoryError> {
        self.store
            .read_consistently(move |conn| find_overview(conn, id.into(), viewer.into()))
            .await
    }

    async fn list_messages(
        &self,
        chat_id: ChatId,
        which: VisibleMessages,
    ) -> Result<Option<Counted<Message>>, RepositoryError> {
        self.store
            .read_consistently(move |conn| list_visible(conn, chat_id.into(), which))
            .await
    }
}
