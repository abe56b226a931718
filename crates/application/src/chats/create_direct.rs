use super::ChatService;
use crate::{Failure, Keyed};
use tertulia_domain::repository::{CreatedChat, InsertChatError, NewDirectChat};
use tertulia_domain::{Caller, ChatId, Recorded, UserId};
use thiserror::Error;

/// Somebody wants to talk to one other user.
#[derive(Debug, Clone)]
pub struct CreateDirect {
    /// Whom to.
    pub other: UserId,
    /// What makes a retry harmless.
    pub keyed: Option<Keyed<CreatedChat>>,
}

/// Why there is no direct chat.
#[derive(Debug, Error)]
pub enum CreateDirectError {
    /// With oneself.
    #[error("a direct chat needs another user")]
    Oneself,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// One of the two blocks the other.
    #[error("one of the two blocks the other")]
    Blocked,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ChatService {
    /// Gives the direct chat between the caller and another user, making it if there is none.
    pub async fn create_direct(
        &self,
        caller: Caller,
        command: CreateDirect,
    ) -> Result<Recorded<CreatedChat>, CreateDirectError> {
        if command.other == caller.user_id {
            return Err(CreateDirectError::Oneself);
        }
        let at = self.clock.now();
        let chat = NewDirectChat {
            id: ChatId::from_uuid(self.ids.next()),
            creator: caller.user_id,
            other: command.other,
            at,
        };
        let recording = command.keyed.map(|keyed| keyed.recording(caller.user_id, at));
        let recorded = self
            .chats
            .insert_direct(chat, recording)
            .await
            .map_err(|error| match error {
                InsertChatError::UserNotFound(_) => CreateDirectError::UserNotFound,
                InsertChatError::Blocked => CreateDirectError::Blocked,
                InsertChatError::KeyReused => CreateDirectError::KeyReused,
                InsertChatError::Repository(error) => CreateDirectError::Failed(error.into()),
            })?;
        self.announce(&recorded, vec![caller.user_id, command.other]);
        Ok(recorded)
    }

    /// Tells that a chat was made, if it was.
    pub(super) fn announce(&self, recorded: &Recorded<CreatedChat>, members: Vec<UserId>) {
        if let Recorded::Fresh(made) = recorded
            && made.created
        {
            self.hub.changed(made.view.chat.id, members);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, NOW, World, answer, assert_matches, assert_recorded, direct, fresh, keyed, passes_on,
        repository_errors,
    };
    use tertulia_domain::MemberRole;

    fn with(other: UserId) -> CreateDirect {
        CreateDirect { other, keyed: None }
    }

    fn created() -> CreatedChat {
        CreatedChat {
            view: direct(MemberRole::Member),
            created: true,
        }
    }

    #[tokio::test]
    async fn asks_for_the_chat_of_the_two() {
        for outcome in [Recorded::Fresh(created()), Recorded::Replayed(answer())] {
            let mut world = World::default();
            let given = outcome.clone();
            let asked = world.chats.expect_insert_direct().once();
            asked.return_once(|chat, recording| {
                let NewDirectChat { id, creator, other, at } = chat;
                assert_eq!(*id.as_uuid(), fresh(1));
                assert_eq!((creator, other, at), (ANA, BEN, NOW));
                assert!(recording.is_none());
                Ok(given)
            });
            assert_eq!(
                world.services().chats.create_direct(CALLER, with(BEN)).await.unwrap(),
                outcome
            );
        }
    }

    #[tokio::test]
    async fn is_recorded_when_keyed() {
        let mut world = World::default();
        let asked = world.chats.expect_insert_direct().once();
        asked.returning(|_, recording| {
            assert_recorded(recording, &created());
            Ok(Recorded::Fresh(created()))
        });
        let keyed = CreateDirect {
            keyed: Some(keyed()),
            ..with(BEN)
        };
        assert!(world.services().chats.create_direct(CALLER, keyed).await.is_ok());
    }

    #[tokio::test]
    async fn nobody_talks_to_themselves() {
        let mut world = World::default();
        world.chats.expect_insert_direct().never();
        let refused = world.services().chats.create_direct(CALLER, with(ANA)).await;
        assert_matches!(refused, Err(CreateDirectError::Oneself));
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: InsertChatError| {
            let mut world = World::default();
            world.chats.expect_insert_direct().return_once(|_, _| Err(error));
            world.services().chats.create_direct(CALLER, with(BEN)).await
        };
        let error = refused(InsertChatError::UserNotFound(BEN)).await;
        assert_matches!(error, Err(CreateDirectError::UserNotFound));
        let error = refused(InsertChatError::Blocked).await;
        assert_matches!(error, Err(CreateDirectError::Blocked));
        let error = refused(InsertChatError::KeyReused).await;
        assert_matches!(error, Err(CreateDirectError::KeyReused));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}
