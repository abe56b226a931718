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
        if command.members.len() > Chat::MAX_FIRST_MEMBERS {
            return Err(CreateGroupError::TooManyMembers);
        }
        let mut known = HashSet::from([caller.user_id]);
        let at = self.clock.now();
        let group = NewGroup {
            id: ChatId::from_uuid(self.ids.next()),
            title: command.title,
            owner: caller.user_id,
            members: command.members.into_iter().filter(|id| known.insert(*id)).collect(),
            at,
        };
        let recording = command.keyed.map(|keyed| keyed.recording(caller.user_id, at));
        self.chats
            .insert_group(group, recording)
            .await
            .map_err(|error| match error {
                InsertChatError::UserNotFound(id) => CreateGroupError::UserNotFound(id),
                InsertChatError::Blocked => {
                    CreateGroupError::Failed(Failure::Internal("a group was refused for a block".into()))
                }
                InsertChatError::KeyReused => CreateGroupError::KeyReused,
                InsertChatError::Repository(error) => CreateGroupError::Failed(error.into()),
            })
    }
}
