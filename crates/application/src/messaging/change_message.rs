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
        let edited = edited.map_err(Failure::from)?.ok_or(EditMessageError::Deleted)?;
        self.hub.changed(chat_id, Vec::new());
        Ok(edited)
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
            self.hub.changed(chat, Vec::new());
            Ok(())
        } else {
            Err(DeleteMessageError::NotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, CHAT, MESSAGE, NOW, SERVICE_ADMIN, World, assert_matches, body, in_group, message, passes_on,
        repository_errors,
    };
    use mockall::predicate::eq;
    use tertulia_domain::repository::MessageContext;
    use tertulia_domain::{MemberRole, MessageContent, UserId};

    fn with(context: MessageContext) -> World {
        let mut world = World::default();
        world.shows_message(context);
        world
    }

    /// A world with a message in a group that Ana is a plain member of.
    fn from(sender: UserId) -> World {
        with(in_group(message(sender), MemberRole::Member))
    }

    async fn edit(world: World, caller: Caller) -> Result<Message, EditMessageError> {
        let command = EditMessage {
            chat_id: CHAT,
            message_id: MESSAGE,
            body: body("bye"),
        };
        world.services().messaging.edit(caller, command).await
    }

    async fn delete(world: World, caller: Caller) -> Result<(), DeleteMessageError> {
        world.services().messaging.delete(caller, CHAT, MESSAGE).await
    }

    fn edits(mut world: World, outcome: Option<Message>) -> World {
        let asked = world.messages.expect_edit();
        asked.with(eq(CHAT), eq(MESSAGE), eq(body("bye")), eq(NOW)).once();
        asked.return_once(|_, _, _, _| Ok(outcome));
        world
    }

    fn deletes(mut world: World, found: bool) -> World {
        let asked = world.messages.expect_delete();
        asked.with(eq(CHAT), eq(MESSAGE), eq(NOW)).once();
        asked.return_once(move |_, _, _| Ok(found));
        world
    }

    fn nothing_changes(mut world: World) -> World {
        world.messages.expect_edit().never();
        world.messages.expect_delete().never();
        world.moderation.expect_remove_message().never();
        world
    }

    #[tokio::test]
    async fn the_sender_edits() {
        let edited = Message {
            edited_at: Some(NOW),
            ..message(ANA)
        };
        let world = edits(from(ANA), Some(edited.clone()));
        assert_eq!(edit(world, CALLER).await.unwrap(), edited);
    }

    /// Words are put into nobody's mouth, whatever one's power.
    #[tokio::test]
    async fn nobody_else_edits() {
        for (caller, viewer) in [
            (CALLER, Some(MemberRole::Member)),
            (CALLER, Some(MemberRole::Owner)),
            (SERVICE_ADMIN, Some(MemberRole::Owner)),
            (SERVICE_ADMIN, None),
        ] {
            let world = nothing_changes(with(in_group(message(BEN), viewer)));
            assert_matches!(edit(world, caller).await, Err(EditMessageError::Forbidden));
        }
    }

    #[tokio::test]
    async fn a_deleted_message_is_not_edited() {
        let deleted = Message {
            content: MessageContent::Deleted { at: NOW },
            ..message(ANA)
        };
        let world = edits(with(in_group(deleted, MemberRole::Member)), None);
        assert_matches!(edit(world, CALLER).await, Err(EditMessageError::Deleted));
    }

    #[tokio::test]
    async fn the_sender_and_the_admins_delete() {
        for (sender, caller, viewer) in [
            (ANA, CALLER, Some(MemberRole::Member)),
            (BEN, CALLER, Some(MemberRole::Admin)),
            (BEN, CALLER, Some(MemberRole::Owner)),
            (ANA, SERVICE_ADMIN, Some(MemberRole::Member)),
            (ANA, SERVICE_ADMIN, None),
            (BEN, SERVICE_ADMIN, Some(MemberRole::Admin)),
        ] {
            let mut world = deletes(with(in_group(message(sender), viewer)), true);
            world.moderation.expect_remove_message().never();
            assert_matches!(delete(world, caller).await, Ok(()));
        }
    }

    fn removes(mut world: World, found: bool) -> World {
        world.messages.expect_delete().never();
        let asked = world.moderation.expect_remove_message();
        asked.with(eq(CHAT), eq(MESSAGE), eq(ANA), eq(None), eq(NOW)).once();
        asked.returning(move |_, _, _, _, _| Ok(found));
        world
    }

    #[tokio::test]
    async fn what_a_service_admin_does_by_that_power_alone_is_logged() {
        for viewer in [Some(MemberRole::Member), None] {
            let world = removes(with(in_group(message(BEN), viewer)), true);
            assert_matches!(delete(world, SERVICE_ADMIN).await, Ok(()));
            let world = removes(with(in_group(message(BEN), viewer)), false);
            assert_matches!(delete(world, SERVICE_ADMIN).await, Err(DeleteMessageError::NotFound));
        }
    }

    #[tokio::test]
    async fn other_members_do_not_delete() {
        let world = nothing_changes(from(BEN));
        assert_matches!(delete(world, CALLER).await, Err(DeleteMessageError::Forbidden));
    }

    #[tokio::test]
    async fn a_message_that_vanishes_meanwhile_is_not_found() {
        let world = deletes(from(ANA), false);
        assert_matches!(delete(world, CALLER).await, Err(DeleteMessageError::NotFound));
    }

    /// Not even a message of their own: who has left is out.
    #[tokio::test]
    async fn outsiders_find_nothing_to_change() {
        for sender in [ANA, BEN] {
            let hidden = || nothing_changes(with(in_group(message(sender), None)));
            assert_matches!(edit(hidden(), CALLER).await, Err(EditMessageError::NotFound));
            assert_matches!(delete(hidden(), CALLER).await, Err(DeleteMessageError::NotFound));
        }
    }

    #[tokio::test]
    async fn passes_failures_on() {
        let blind = |cause| {
            let mut world = World::default();
            world.messages.expect_find().return_once(|_, _, _| Err(cause));
            world
        };
        passes_on(repository_errors, async |cause| edit(blind(cause), CALLER).await).await;
        passes_on(repository_errors, async |cause| delete(blind(cause), CALLER).await).await;
        passes_on(repository_errors, async |cause| {
            let mut world = from(ANA);
            world.messages.expect_edit().return_once(|_, _, _, _| Err(cause));
            edit(world, CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = from(ANA);
            world.messages.expect_delete().return_once(|_, _, _| Err(cause));
            delete(world, CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = from(BEN);
            let asked = world.moderation.expect_remove_message();
            asked.return_once(|_, _, _, _, _| Err(cause));
            delete(world, SERVICE_ADMIN).await
        })
        .await;
    }
}
