//! The messages.

mod append;
mod change;
mod read;
mod row;
mod visible;

pub(crate) use change::{Blanked, blank, blank_all_of};
pub(crate) use read::at;
pub(crate) use visible::{deleted_after, list as list_visible, newest};
#[cfg(test)]
pub(crate) use {append::append, read::list};

use crate::store::Store;
use async_trait::async_trait;
use tertulia_domain::repository::{
    AppendError, AppendMessage, Appended, ListMessages, ListMessagesError, MessageContext, MessageRepository,
    RepositoryError,
};
use tertulia_domain::{ChatId, Message, MessageBody, MessageId, MessageRange, Page, Timestamp, UserId};

/// The messages, on SQLite.
#[derive(Clone)]
pub struct SqliteMessageRepository {
    store: Store,
}

impl SqliteMessageRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl MessageRepository for SqliteMessageRepository {
    async fn append(&self, message: AppendMessage) -> Result<Appended, AppendError> {
        self.store.write(move |conn| append::append(conn, &message)).await
    }

    async fn list(&self, list: ListMessages) -> Result<Page<Message, MessageRange>, ListMessagesError> {
        self.store.read_consistently(move |conn| read::list(conn, list)).await
    }

    async fn find(
        &self,
        chat_id: ChatId,
        id: MessageId,
        viewer: UserId,
    ) -> Result<Option<MessageContext>, RepositoryError> {
        self.store
            .read_consistently(move |conn| read::context(conn, chat_id.into(), id.into(), viewer.into()))
            .await
    }

    async fn edit(
        &self,
        chat_id: ChatId,
        id: MessageId,
        body: &MessageBody,
        at: Timestamp,
    ) -> Result<Option<Message>, RepositoryError> {
        let body = body.clone();
        self.store
            .write(move |conn| change::edit(conn, chat_id.into(), id.into(), &body, at))
            .await
    }

    async fn delete(&self, chat_id: ChatId, id: MessageId, at: Timestamp) -> Result<bool, RepositoryError> {
        self.store
            .write(move |conn| Ok(blank(conn, chat_id.into(), id.into(), at)? != Blanked::NotFound))
            .await
    }
}
