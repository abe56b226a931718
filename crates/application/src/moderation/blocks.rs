use super::ModerationService;
use crate::Failure;
use std::collections::HashSet;
use tertulia_domain::repository::BlockError;
use tertulia_domain::{Caller, User, UserId};
use thiserror::Error;

/// How many users one may block.
const MOST: u32 = 1_000;

/// Why somebody was not blocked.
#[derive(Debug, Error)]
pub enum BlockUserError {
    /// Oneself can't be blocked.
    #[error("nobody can block themselves")]
    Oneself,
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// The caller blocks as many as one may.
    #[error("at most {MOST} users can be blocked")]
    TooMany,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ModerationService {
    /// Blocks a user: no direct messages between the two, either way, and neither sees whether the other is online.
    pub async fn block(&self, caller: Caller, other: UserId) -> Result<(), BlockUserError> {
        if other == caller.user_id {
            return Err(BlockUserError::Oneself);
        }
        self.moderation
            .block(caller.user_id, other, MOST, self.clock.now())
            .await
            .map_err(|error| match error {
                BlockError::UserNotFound => BlockUserError::UserNotFound,
                BlockError::TooMany => BlockUserError::TooMany,
                BlockError::Repository(error) => BlockUserError::Failed(error.into()),
            })
    }

    /// Unblocks a user; one who wasn't blocked is as good.
    pub async fn unblock(&self, caller: Caller, other: UserId) -> Result<(), Failure> {
        self.moderation.unblock(caller.user_id, other, self.clock.now()).await?;
        Ok(())
    }

    /// Whom the caller blocks, latest first.
    pub async fn blocked(&self, caller: Caller) -> Result<Vec<User>, Failure> {
        Ok(self.moderation.list_blocked(caller.user_id).await?)
    }

    /// Whose presence the caller does not see, and who doesn't see theirs.
    pub async fn hidden_from(&self, caller: Caller) -> Result<HashSet<UserId>, Failure> {
        if !caller.blocks {
            return Ok(HashSet::new());
        }
        Ok(self
            .moderation
            .blocked_either_way(caller.user_id)
            .await?
            .into_iter()
            .collect())
    }
}
