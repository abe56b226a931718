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
        self.hub.changed(id, Vec::new());
        self.chat(caller, id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CALLER, CHAT, NOW, World, assert_matches, group, passes_on, repository_errors, title};
    use mockall::Sequence;
    use mockall::predicate::eq;
    use tertulia_domain::{ChatKind, MemberRole};

    #[tokio::test]
    async fn gives_the_chat_as_it_is_afterwards() {
        let mut renamed = group(MemberRole::Member);
        renamed.chat.kind = ChatKind::Group { title: title("Crew") };
        let (mut world, mut order) = (World::default(), Sequence::new());
        let asked = world.chats.expect_find().with(eq(CHAT), eq(ANA)).once();
        asked.in_sequence(&mut order);
        asked.return_once(|_, _| Ok(Some(group(MemberRole::Member))));
        let asked = world.chats.expect_rename();
        asked.with(eq(CHAT), eq(title("Crew")), eq(NOW)).once();
        asked.in_sequence(&mut order).return_once(|_, _, _| Ok(true));
        let (asked, view) = (world.chats.expect_find(), renamed.clone());
        asked.with(eq(CHAT), eq(ANA)).once().in_sequence(&mut order);
        asked.return_once(|_, _| Ok(Some(view)));
        let view = world.services().chats.rename(CALLER, CHAT, title("Crew")).await;
        assert_eq!(view.unwrap(), renamed);
    }

    #[tokio::test]
    async fn a_group_that_vanishes_meanwhile_is_not_found() {
        let mut world = World::default();
        world.shows(group(MemberRole::Member));
        world.chats.expect_rename().once().returning(|_, _, _| Ok(false));
        let view = world.services().chats.rename(CALLER, CHAT, title("Crew")).await;
        assert_matches!(view, Err(AccessError::ChatNotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.shows(group(MemberRole::Member));
            world.chats.expect_rename().return_once(|_, _, _| Err(cause));
            world.services().chats.rename(CALLER, CHAT, title("Crew")).await
        })
        .await;
    }
}
