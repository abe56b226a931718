use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId, ChatTitle, ChatView};

impl ChatService {
    /// Changes a group's title and gives the chat as it is afterwards.
    pub async fn rename(&self, caller: Caller, id: ChatId, title: ChatTitle) -> Result<ChatView, AccessError> {
        self.permit(caller, id, Action::Rename).await?;
        if !self
            .chats
            .rename(id, &title, self.clock.now())
            .await
            .map_err(Failure::from)?
        {
            return Err(AccessError::ChatNotFound);
        }
        self.chat(caller, id).await
    }
}
