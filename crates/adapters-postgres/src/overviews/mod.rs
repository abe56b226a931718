//! Chats and messages as the contracts of existing clients list them.

mod list;
mod messages;

use crate::client::{Client, at_one_moment};
use async_trait::async_trait;
use tertulia_domain::repository::{ListOverviews, OverviewRepository, RepositoryError, VisibleMessages};
use tertulia_domain::{ChatId, ChatOverview, Counted, Message, UserId};

/// Chats and messages as contracts list them.
pub struct PgOverviewRepository {
    client: Client,
}

impl PgOverviewRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl OverviewRepository for PgOverviewRepository {
    async fn list(&self, list: ListOverviews) -> Result<Counted<ChatOverview>, RepositoryError> {
        self.client
            .run(move |connection| at_one_moment(connection, |connection| list::page(connection, &list)))
            .await
    }

    async fn find(&self, id: ChatId, viewer: UserId) -> Result<Option<ChatOverview>, RepositoryError> {
        self.client
            .run(move |connection| at_one_moment(connection, |connection| list::find(connection, id, viewer)))
            .await
    }

    async fn list_messages(
        &self,
        chat_id: ChatId,
        which: VisibleMessages,
    ) -> Result<Option<Counted<Message>>, RepositoryError> {
        self.client
            .run(move |connection| at_one_moment(connection, |connection| messages::list(connection, chat_id, which)))
            .await
    }
}
