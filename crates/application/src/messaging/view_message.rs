use super::MessagingService;
use crate::Failure;
use tertulia_domain::permission::{Action, Denial, Standing, decide};
use tertulia_domain::repository::MessageContext;
use tertulia_domain::{Caller, ChatId, Message, MessageId};
use thiserror::Error;

/// Why there is no message to show.
#[derive(Debug, Error)]
pub enum ViewMessageError {
    /// No such message, or in no chat that the caller may know of.
    #[error("no such message")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What decides about the caller in a message's chat.
pub(super) fn standing(caller: Caller, context: &MessageContext) -> Standing {
    Standing {
        role: caller.role,
        member: context.viewer,
        group: context.group,
    }
}

impl MessagingService {
    /// One message.
    pub async fn message(&self, caller: Caller, chat: ChatId, id: MessageId) -> Result<Message, ViewMessageError> {
        let context = self.visible(caller, chat, id).await?;
        Ok(context.message)
    }

    /// The message with what decides about it, if the caller may see it.
    pub(super) async fn visible(
        &self,
        caller: Caller,
        chat: ChatId,
        id: MessageId,
    ) -> Result<MessageContext, ViewMessageError> {
        let context = self
            .messages
            .find(chat, id, caller.user_id)
            .await
            .map_err(Failure::from)?;
        let context = context.ok_or(ViewMessageError::NotFound)?;
        decide(standing(caller, &context), Action::View).map_err(|_: Denial| ViewMessageError::NotFound)?;
        Ok(context)
    }
}
