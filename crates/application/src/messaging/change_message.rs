use super::MessagingService;
use super::view_message::{ViewMessageError, standing};
use crate::Failure;
use tertulia_domain::permission::{Action, decide};
use tertulia_domain::{Caller, ChatId, MemberRole, Message, MessageBody, MessageId};
use thiserror::Error;

/// Somebody wants a message to say something else.
#[derive(Debug, Clone)]
pub struct EditMessage {
    /// The chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// What it says from now on.
    pub body: MessageBody,
}

/// Why a message was not edited.
#[derive(Debug, Error)]
pub enum EditMessageError {
    /// No such message, or in no chat that the caller may know of.
    #[error("no such message")]
    NotFound,
    /// Only the sender may.
    #[error("only its sender may edit a message")]
    Forbidden,
    /// It is deleted.
    #[error("the message is deleted")]
    Deleted,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why a message was not deleted.
#[derive(Debug, Error)]
pub enum DeleteMessageError {
    /// No such message, or in no chat that the caller may know of.
    #[error("no such message")]
    NotFound,
    /// Only the sender may, and the chat's owner and admins.
    #[error("only its sender and the chat's admins may delete a message")]
    Forbidden,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<ViewMessageError> for EditMessageError {
    fn from(error: ViewMessageError) -> Self {
        match error {
            ViewMessageError::NotFound => Self::NotFound,
            ViewMessageError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl From<ViewMessageError> for DeleteMessageError {
    fn from(error: ViewMessageError) -> Self {
        match error {
            ViewMessageError::NotFound => Self::NotFound,
            ViewMessageError::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl MessagingService {
    /// Changes what a message says.
    pub async fn edit(&self, caller: Caller, command: EditMessage) -> Result<Message, EditMessageError> {
        let EditMessage {
            chat_id,
            message_id,
            body,
        } = command;
        let context = self.visible(caller, chat_id, message_id).await?;
        let own = context.message.sender.id == caller.user_id;
        decide(standing(caller, &context), Action::EditMessage { own }).map_err(|_| EditMessageError::Forbidden)?;
        let edited = self.messages.edit(chat_id, message_id, &body, self.clock.now()).await;
        edited.map_err(Failure::from)?.ok_or(EditMessageError::Deleted)
    }

    /// Deletes a message: it keeps its place, and says nothing any more. To delete it again changes nothing.
    pub async fn delete(&self, caller: Caller, chat: ChatId, id: MessageId) -> Result<(), DeleteMessageError> {
        let context = self.visible(caller, chat, id).await?;
        let own = context.message.sender.id == caller.user_id;
        decide(standing(caller, &context), Action::DeleteMessage { own }).map_err(|_| DeleteMessageError::Forbidden)?;
        let at = self.clock.now();
        let as_chat_admin = context.viewer >= Some(MemberRole::Admin);
        let deleted = if own || as_chat_admin {
            self.messages.delete(chat, id, at).await
        } else {
            // By a service admin: that is logged.
            self.moderation.remove_message(chat, id, caller.user_id, None, at).await
        };
        let deleted = deleted.map_err(Failure::from)?;
        if deleted {
            Ok(())
        } else {
            Err(DeleteMessageError::NotFound)
        }
    }
}
