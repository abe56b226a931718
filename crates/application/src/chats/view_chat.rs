use super::{AccessError, ChatService};
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId, ChatView};

impl ChatService {
    /// One chat as the caller sees it.
    pub async fn chat(&self, caller: Caller, id: ChatId) -> Result<ChatView, AccessError> {
        self.permit(caller, id, Action::View).await
    }
}
