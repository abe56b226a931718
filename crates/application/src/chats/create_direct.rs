use super::ChatService;
use crate::{Failure, Keyed};
use tertulia_domain::repository::{CreatedChat, InsertChatError, NewDirectChat};
use tertulia_domain::{Caller, ChatId, Recorded, UserId};
use thiserror::Error;

/// Somebody wants to talk to one other user.
#[derive(Debug, Clone)]
pub struct CreateDirect {
    /// Whom to.
    pub other: UserId,
    /// What makes a retry harmless.
    pub keyed: Option<Keyed<CreatedChat>>,
}

/// Why there is no direct chat.
#[derive(Debug, Error)]
pub enum CreateDirectError {
    /// With oneself.
    #[error("a direct chat needs another user")]
    Oneself,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// One of the two blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ChatService {
    /// Gives the direct chat between the caller and another user, making it if there is none.
    pub async fn create_direct(
        &self,
        caller: Caller,
        command: CreateDirect,
    ) -> Result<Recorded<CreatedChat>, CreateDirectError> {
        if command.other == caller.user_id {
            return Err(CreateDirectError::Oneself);
        }
        let at = self.clock.now();
        let chat = NewDirectChat {
            id: ChatId::from_uuid(self.ids.next()),
            creator: caller.user_id,
            other: command.other,
            at,
        };
        let recording = command.keyed.map(|keyed| keyed.recording(caller.user_id, at));
        self.chats
            .insert_direct(chat, recording)
            .await
            .map_err(|error| match error {
                InsertChatError::UserNotFound(_) => CreateDirectError::UserNotFound,
                InsertChatError::Blocked => CreateDirectError::Blocked,
                InsertChatError::KeyReused => CreateDirectError::KeyReused,
                InsertChatError::Repository(error) => CreateDirectError::Failed(error.into()),
            })
    }
}
