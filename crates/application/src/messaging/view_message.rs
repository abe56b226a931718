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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, CHAT, MESSAGE, SERVICE_ADMIN, World, assert_matches, in_group, message, passes_on,
        repository_errors,
    };
    use mockall::predicate::eq;
    use tertulia_domain::MemberRole;

    async fn view(caller: Caller, found: Option<MessageContext>) -> Result<Message, ViewMessageError> {
        let mut world = World::default();
        let asked = world.messages.expect_find();
        asked.with(eq(CHAT), eq(MESSAGE), eq(ANA)).once();
        asked.return_once(|_, _, _| Ok(found));
        world.services().messaging.message(caller, CHAT, MESSAGE).await
    }

    #[tokio::test]
    async fn shows_members_and_service_admins_what_there_is() {
        let sent = in_group(message(BEN), MemberRole::Member);
        assert_eq!(view(CALLER, Some(sent)).await.unwrap(), message(BEN));
        let elsewhere = in_group(message(BEN), None);
        assert_eq!(view(SERVICE_ADMIN, Some(elsewhere)).await.unwrap(), message(BEN));
    }

    /// The two can't be told apart.
    #[tokio::test]
    async fn what_is_hidden_is_like_what_is_not_there() {
        for found in [None, Some(in_group(message(BEN), None))] {
            assert_matches!(view(CALLER, found).await, Err(ViewMessageError::NotFound));
        }
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.messages.expect_find().return_once(|_, _, _| Err(cause));
            world.services().messaging.message(CALLER, CHAT, MESSAGE).await
        })
        .await;
    }
}
