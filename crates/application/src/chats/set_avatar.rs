use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId, ChatView, File};
use thiserror::Error;

/// Why a group's avatar was not changed.
#[derive(Debug, Error)]
pub enum SetChatAvatarError {
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Only PNG, JPEG, GIF and WebP are.
    #[error("an avatar must be a PNG, JPEG, GIF or WebP image")]
    NotAnImage,
}

impl ChatService {
    /// Whether the caller may change a group's avatar: asked before its bytes are taken.
    pub async fn may_set_avatar(&self, caller: Caller, id: ChatId) -> Result<(), AccessError> {
        self.permit(caller, id, Action::Rename).await.map(|_| ())
    }

    /// Makes a file that the caller uploaded a group's avatar, and gives the chat as it is afterwards.
    pub async fn set_avatar(&self, caller: Caller, id: ChatId, file: &File) -> Result<ChatView, SetChatAvatarError> {
        self.may_set_avatar(caller, id).await?;
        if !file.is_image() {
            return Err(SetChatAvatarError::NotAnImage);
        }
        let at = self.clock.now();
        let set = self.chats.set_avatar(id, file.id, caller.user_id, at).await;
        if !set.map_err(|error| AccessError::from(Failure::from(error)))? {
            return Err(AccessError::ChatNotFound.into());
        }
        Ok(self.chat(caller, id).await?)
    }
}
