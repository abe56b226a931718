use super::MessagingService;
use crate::Failure;
use tertulia_domain::repository;
use tertulia_domain::{ChatId, ClaimedSession, Limit, Message, MessageRange, Page};
use thiserror::Error;

/// Which messages to list.
#[derive(Debug, Clone, Copy)]
pub struct ListMessages {
    /// Of which chat.
    pub chat_id: ChatId,
    /// From where, and in which direction.
    pub range: MessageRange,
    /// How many.
    pub limit: Limit,
}

/// Why messages could not be listed.
#[derive(Debug, Error)]
pub enum ListMessagesError {
    /// The caller's session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// No such chat, or none that the caller may know of.
    #[error("no such chat")]
    ChatNotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl MessagingService {
    /// A page of a chat's messages, the deleted ones in their places.
    pub async fn list(
        &self,
        session: ClaimedSession,
        query: ListMessages,
    ) -> Result<Page<Message, MessageRange>, ListMessagesError> {
        let ListMessages { chat_id, range, limit } = query;
        let list = repository::ListMessages {
            chat_id,
            session,
            range,
            limit,
            at: self.clock.now(),
        };
        let page = self.messages.list(list).await.map_err(|error| match error {
            repository::ListMessagesError::SessionEnded => ListMessagesError::SessionEnded,
            repository::ListMessagesError::ChatNotFound => ListMessagesError::ChatNotFound,
            repository::ListMessagesError::Repository(error) => ListMessagesError::Failed(error.into()),
        })?;
        self.presence.note(session);
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CHAT, CLAIMED, NOW, World, assert_matches, message, passes_on, repository_errors, seq};

    fn query(range: MessageRange) -> ListMessages {
        ListMessages {
            chat_id: CHAT,
            range,
            limit: Limit::new(2).unwrap(),
        }
    }

    #[tokio::test]
    async fn lists_as_asked() {
        for wanted in [
            MessageRange::Newest,
            MessageRange::Before(seq(7)),
            MessageRange::After(seq(7)),
        ] {
            let page = Page {
                items: vec![message(ANA)],
                next: Some(wanted),
            };
            let (mut world, given) = (World::default(), page.clone());
            world.messages.expect_list().once().return_once(move |list| {
                let repository::ListMessages {
                    chat_id,
                    session,
                    range,
                    limit,
                    at,
                } = list;
                assert_eq!((chat_id, session, at), (CHAT, CLAIMED, NOW));
                assert_eq!((range, limit), (wanted, query(wanted).limit));
                Ok(given)
            });
            let listed = world.services().messaging.list(CLAIMED, query(wanted)).await;
            assert_eq!(listed.unwrap(), page);
        }
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: repository::ListMessagesError| {
            let mut world = World::default();
            world.messages.expect_list().return_once(|_| Err(error));
            let query = query(MessageRange::Newest);
            world.services().messaging.list(CLAIMED, query).await
        };
        let error = refused(repository::ListMessagesError::SessionEnded).await;
        assert_matches!(error, Err(ListMessagesError::SessionEnded));
        let error = refused(repository::ListMessagesError::ChatNotFound).await;
        assert_matches!(error, Err(ListMessagesError::ChatNotFound));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}
