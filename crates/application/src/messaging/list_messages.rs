use super::MessagingService;
use crate::Failure;
use tertulia_domain::repository;
use tertulia_domain::{ChatId, ClaimedSession, Limit, Message, MessageRange, Page};
use thiserror::Error;

/// Which messages to list.
#[derive(Debug, Clone, Copy)]
pub struct ListMessages {
    /// Of which chat.
    pub chat_id: ChatId,
    /// From where, and in which direction.
    pub range: MessageRange,
    /// How many.
    pub limit: Limit,
}

/// Why messages could not be listed.
#[derive(Debug, Error)]
pub enum ListMessagesError {
    /// The caller's session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// No such chat, or none that the caller may know of.
    #[error("no such chat")]
    ChatNotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl MessagingService {
    /// A page of a chat's messages, the deleted ones in their places.
    pub async fn list(
        &self,
        session: ClaimedSession,
        query: ListMessages,
    ) -> Result<Page<Message, MessageRange>, ListMessagesError> {
        let ListMessages { chat_id, range, limit } = query;
        let list = repository::ListMessages {
            chat_id,
            session,
            range,
            limit,
            at: self.clock.now(),
        };
        self.messages.list(list).await.map_err(|error| match error {
            repository::ListMessagesError::SessionEnded => ListMessagesError::SessionEnded,
            repository::ListMessagesError::ChatNotFound => ListMessagesError::ChatNotFound,
            repository::ListMessagesError::Repository(error) => ListMessagesError::Failed(error.into()),
        })
    }
}
