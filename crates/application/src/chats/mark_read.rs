use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::repository::ReadState;
use tertulia_domain::{Caller, ChatId, Seq};

impl ChatService {
    /// Moves the caller's read position forward, never back and never past the newest message. Only a member has one.
    pub async fn mark_read(&self, caller: Caller, id: ChatId, seq: Seq) -> Result<ReadState, AccessError> {
        let state = self
            .chats
            .mark_read(id, caller.user_id, seq)
            .await
            .map_err(Failure::from)?;
        state.ok_or(AccessError::ChatNotFound)
    }
}
