use super::ChatService;
use crate::Failure;
use tertulia_domain::repository;
use tertulia_domain::{ChatCursor, ChatView, ClaimedSession, Limit, Page};
use thiserror::Error;

/// Why chats could not be listed.
#[derive(Debug, Error)]
pub enum ListChatsError {
    /// The caller's session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ChatService {
    /// A page of the caller's chats, most recently active first.
    pub async fn list(
        &self,
        session: ClaimedSession,
        after: Option<ChatCursor>,
        limit: Limit,
    ) -> Result<Page<ChatView, ChatCursor>, ListChatsError> {
        self.chats
            .list(session, after, limit, self.clock.now())
            .await
            .map_err(|error| match error {
                repository::ListChatsError::SessionEnded => ListChatsError::SessionEnded,
                repository::ListChatsError::Repository(error) => ListChatsError::Failed(error.into()),
            })
    }
}
