use super::ChatService;
use crate::{Failure, Keyed};
use std::collections::HashSet;
use tertulia_domain::repository::{CreatedChat, InsertChatError, NewGroup};
use tertulia_domain::{Caller, Chat, ChatId, ChatTitle, Recorded, UserId};
use thiserror::Error;

/// Somebody wants a group.
#[derive(Debug, Clone)]
pub struct CreateGroup {
    /// What it is called.
    pub title: ChatTitle,
    /// Who is in it from the beginning; the caller is anyway, and repeats do not matter.
    pub members: Vec<UserId>,
    /// What makes a retry harmless.
    pub keyed: Option<Keyed<CreatedChat>>,
}

/// Why there is no group.
#[derive(Debug, Error)]
pub enum CreateGroupError {
    /// More first members than [`Chat::MAX_FIRST_MEMBERS`].
    #[error("a group can be made with at most {} members", Chat::MAX_FIRST_MEMBERS)]
    TooManyMembers,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user: {0}")]
    UserNotFound(UserId),
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ChatService {
    /// Makes a group that the caller owns.
    pub async fn create_group(
        &self,
        caller: Caller,
        command: CreateGroup,
    ) -> Result<Recorded<CreatedChat>, CreateGroupError> {
        let mut known = HashSet::from([caller.user_id]);
        let members: Vec<UserId> = command.members.into_iter().filter(|id| known.insert(*id)).collect();
        if members.len() > Chat::MAX_FIRST_MEMBERS {
            return Err(CreateGroupError::TooManyMembers);
        }
        let everybody: Vec<UserId> = members.iter().copied().chain([caller.user_id]).collect();
        let at = self.clock.now();
        let group = NewGroup {
            id: ChatId::from_uuid(self.ids.next()),
            title: command.title,
            owner: caller.user_id,
            members,
            at,
        };
        let recording = command.keyed.map(|keyed| keyed.recording(caller.user_id, at));
        let recorded = self
            .chats
            .insert_group(group, recording)
            .await
            .map_err(|error| match error {
                InsertChatError::UserNotFound(id) => CreateGroupError::UserNotFound(id),
                InsertChatError::Blocked => {
                    CreateGroupError::Failed(Failure::Internal("a group was refused for a block".into()))
                }
                InsertChatError::KeyReused => CreateGroupError::KeyReused,
                InsertChatError::Repository(error) => CreateGroupError::Failed(error.into()),
            })?;
        self.announce(&recorded, everybody);
        Ok(recorded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, EVA, NOW, World, answer, assert_matches, assert_recorded, fresh, group, keyed, passes_on,
        repository_errors, title,
    };
    use tertulia_domain::MemberRole;
    use uuid::Uuid;

    fn of(members: impl IntoIterator<Item = UserId>) -> CreateGroup {
        CreateGroup {
            title: title("Team"),
            members: members.into_iter().collect(),
            keyed: None,
        }
    }

    fn created() -> CreatedChat {
        CreatedChat {
            view: group(MemberRole::Owner),
            created: true,
        }
    }

    /// So many users, none of them Ana.
    fn strangers(n: usize) -> impl Iterator<Item = UserId> {
        (0x1000..).map(|id| UserId::from_uuid(Uuid::from_u128(id))).take(n)
    }

    #[tokio::test]
    async fn the_caller_owns_it_and_nobody_is_in_it_twice() {
        for outcome in [Recorded::Fresh(created()), Recorded::Replayed(answer())] {
            let mut world = World::default();
            let given = outcome.clone();
            let asked = world.chats.expect_insert_group().once();
            asked.return_once(|group, recording| {
                let NewGroup {
                    id,
                    title: called,
                    owner,
                    members,
                    at,
                } = group;
                assert_eq!(*id.as_uuid(), fresh(1));
                assert_eq!((called, owner, at), (title("Team"), ANA, NOW));
                assert_eq!(members, [EVA, BEN]);
                assert!(recording.is_none());
                Ok(given)
            });
            let command = of([EVA, ANA, BEN, EVA, ANA]);
            assert_eq!(
                world.services().chats.create_group(CALLER, command).await.unwrap(),
                outcome
            );
        }
    }

    #[tokio::test]
    async fn is_recorded_when_keyed() {
        let mut world = World::default();
        let asked = world.chats.expect_insert_group().once();
        asked.returning(|_, recording| {
            assert_recorded(recording, &created());
            Ok(Recorded::Fresh(created()))
        });
        let keyed = CreateGroup {
            keyed: Some(keyed()),
            ..of([])
        };
        assert!(world.services().chats.create_group(CALLER, keyed).await.is_ok());
    }

    #[tokio::test]
    async fn the_caller_and_repeats_do_not_count_towards_the_limit() {
        let mut world = World::default();
        let asked = world.chats.expect_insert_group().once();
        asked.returning(|group, _| {
            assert_eq!(group.members.len(), Chat::MAX_FIRST_MEMBERS);
            Ok(Recorded::Fresh(created()))
        });
        let most = Chat::MAX_FIRST_MEMBERS;
        let command = of(strangers(most).chain([ANA]).chain(strangers(most)));
        assert!(world.services().chats.create_group(CALLER, command).await.is_ok());
    }

    #[tokio::test]
    async fn too_many_are_refused_before_the_database_hears_of_it() {
        let mut world = World::default();
        world.chats.expect_insert_group().never();
        let command = of(strangers(Chat::MAX_FIRST_MEMBERS + 1));
        let refused = world.services().chats.create_group(CALLER, command).await;
        assert_matches!(refused, Err(CreateGroupError::TooManyMembers));
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: InsertChatError| {
            let mut world = World::default();
            world.chats.expect_insert_group().return_once(|_, _| Err(error));
            world.services().chats.create_group(CALLER, of([BEN])).await
        };
        let error = refused(InsertChatError::UserNotFound(BEN)).await;
        assert_matches!(error, Err(CreateGroupError::UserNotFound(BEN)));
        let error = refused(InsertChatError::KeyReused).await;
        assert_matches!(error, Err(CreateGroupError::KeyReused));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }
}
