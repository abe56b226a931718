use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId};

impl ChatService {
    /// Deletes a chat with everything in it, for everyone.
    pub async fn delete(&self, caller: Caller, id: ChatId) -> Result<(), AccessError> {
        self.permit(caller, id, Action::DeleteChat).await?;
        let deleted = self.chats.delete(id).await.map_err(Failure::from)?;
        if deleted {
            Ok(())
        } else {
            Err(AccessError::ChatNotFound)
        }
    }
}
