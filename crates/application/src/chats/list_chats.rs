use super::ChatService;
use crate::Failure;
use tertulia_domain::repository;
use tertulia_domain::{ChatCursor, ChatView, ClaimedSession, Limit, Page};
use thiserror::Error;

/// Why chats could not be listed.
#[derive(Debug, Error)]
pub enum ListChatsError {
    /// The caller's session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ChatService {
    /// A page of the caller's chats, most recently active first.
    pub async fn list(
        &self,
        session: ClaimedSession,
        after: Option<ChatCursor>,
        limit: Limit,
    ) -> Result<Page<ChatView, ChatCursor>, ListChatsError> {
        let page = self
            .chats
            .list(session, after, limit, self.clock.now())
            .await
            .map_err(|error| match error {
                repository::ListChatsError::SessionEnded => ListChatsError::SessionEnded,
                repository::ListChatsError::Repository(error) => ListChatsError::Failed(error.into()),
            })?;
        self.presence.note(session);
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CHAT, CLAIMED, NOW, World, assert_matches, group, passes_on, repository_errors, user};
    use mockall::predicate::eq;
    use tertulia_domain::MemberRole;

    #[tokio::test]
    async fn lists_as_asked() {
        let cursor = Some(ChatCursor {
            active_at: NOW,
            id: CHAT,
        });
        let limit = Limit::new(2).unwrap();
        let page = Page {
            items: vec![group(MemberRole::Member)],
            next: cursor,
        };
        let mut world = World::default();
        let given = page.clone();
        let asked = world.chats.expect_list();
        asked.with(eq(CLAIMED), eq(cursor), eq(limit), eq(NOW)).once();
        asked.return_once(|_, _, _, _| Ok(given));
        let services = world.services();
        assert_eq!(services.chats.list(CLAIMED, cursor, limit).await.unwrap(), page);
        assert!(services.presence.is_online(&user(ANA)));
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: repository::ListChatsError| {
            let mut world = World::default();
            world.chats.expect_list().return_once(|_, _, _, _| Err(error));
            world.services().chats.list(CLAIMED, None, Limit::DEFAULT).await
        };
        let error = refused(repository::ListChatsError::SessionEnded).await;
        assert_matches!(error, Err(ListChatsError::SessionEnded));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}
