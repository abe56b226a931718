use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::permission::Action;
use tertulia_domain::{Caller, ChatId};

impl ChatService {
    /// Deletes a chat with everything in it, for everyone.
    pub async fn delete(&self, caller: Caller, id: ChatId) -> Result<(), AccessError> {
        self.permit(caller, id, Action::DeleteChat).await?;
        let deleted = self.chats.delete(id, self.clock.now()).await.map_err(Failure::from)?;
        if deleted {
            self.hub.changed(id, Vec::new());
            Ok(())
        } else {
            Err(AccessError::ChatNotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CALLER, CHAT, NOW, World, assert_matches, group, passes_on, repository_errors};
    use mockall::predicate::eq;
    use tertulia_domain::MemberRole;

    #[tokio::test]
    async fn deletes_what_is_there() {
        let delete = async |found| {
            let mut world = World::default();
            world.shows(group(MemberRole::Owner));
            let asked = world.chats.expect_delete().with(eq(CHAT), eq(NOW)).once();
            asked.return_once(move |_, _| Ok(found));
            world.services().chats.delete(CALLER, CHAT).await
        };
        assert_matches!(delete(true).await, Ok(()));
        assert_matches!(delete(false).await, Err(AccessError::ChatNotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.shows(group(MemberRole::Owner));
            world.chats.expect_delete().return_once(|_, _| Err(cause));
            world.services().chats.delete(CALLER, CHAT).await
        })
        .await;
    }
}
