use super::ChatService;
use crate::Failure;
use tertulia_domain::permission::{Action, Denial, Standing, decide};
use tertulia_domain::{Caller, ChatId, ChatView};
use thiserror::Error;

/// Why somebody can't act in a chat.
#[derive(Debug, Error)]
pub enum AccessError {
    /// No such chat, or none that the caller may know of.
    #[error("no such chat")]
    ChatNotFound,
    /// The caller is in the chat, but may not do this.
    #[error("not allowed in this chat")]
    Forbidden,
    /// This can't be done in a direct chat.
    #[error("a direct chat has no title and always the same two members")]
    NotInDirectChats,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<Denial> for AccessError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Hidden => Self::ChatNotFound,
            Denial::Forbidden => Self::Forbidden,
            Denial::NotInDirectChats => Self::NotInDirectChats,
        }
    }
}

/// What decides about the caller in a chat that they look at.
pub(super) fn standing(caller: Caller, view: &ChatView) -> Standing {
    Standing {
        role: caller.role,
        member: view.membership.map(|membership| membership.role),
        group: view.chat.kind.is_group(),
    }
}

impl ChatService {
    /// The chat, if the caller may do that in it.
    pub(super) async fn permit(&self, caller: Caller, id: ChatId, action: Action) -> Result<ChatView, AccessError> {
        let view = self.chats.find(id, caller.user_id).await.map_err(Failure::from)?;
        let view = view.ok_or(AccessError::ChatNotFound)?;
        decide(standing(caller, &view), action)?;
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CALLER, CHAT, World, assert_matches, group, passes_on, repository_errors};
    use mockall::predicate::eq;
    use tertulia_domain::MemberRole;

    #[tokio::test]
    async fn gives_the_chat_to_whom_it_permits() {
        let mut world = World::default();
        world.shows(group(MemberRole::Owner));
        let view = world.services().chats.permit(CALLER, CHAT, Action::DeleteChat).await;
        assert_eq!(view.unwrap(), group(MemberRole::Owner));
    }

    #[tokio::test]
    async fn a_chat_that_does_not_exist_is_not_found() {
        let mut world = World::default();
        let asked = world.chats.expect_find().with(eq(CHAT), eq(ANA)).once();
        asked.return_once(|_, _| Ok(None));
        let view = world.services().chats.permit(CALLER, CHAT, Action::View).await;
        assert_matches!(view, Err(AccessError::ChatNotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.chats.expect_find().return_once(|_, _| Err(cause));
            world.services().chats.permit(CALLER, CHAT, Action::View).await
        })
        .await;
    }
}
