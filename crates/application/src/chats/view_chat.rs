use super::{AccessError, ChatService};
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId, ChatView};

impl ChatService {
    /// One chat as the caller sees it.
    pub async fn chat(&self, caller: Caller, id: ChatId) -> Result<ChatView, AccessError> {
        self.permit(caller, id, Action::View).await
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{CALLER, CHAT, World, group};
    use tertulia_domain::MemberRole;

    #[tokio::test]
    async fn shows_the_chat_as_the_caller_sees_it() {
        let mut world = World::default();
        world.shows(group(MemberRole::Member));
        let view = world.services().chats.chat(CALLER, CHAT).await.unwrap();
        assert_eq!(view, group(MemberRole::Member));
    }
}
