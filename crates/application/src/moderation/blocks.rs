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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, EVA, NOW, World, assert_matches, explain, passes_on, repository_errors, user,
    };
    use mockall::predicate::eq;

    async fn block(outcome: Result<(), BlockError>) -> Result<(), BlockUserError> {
        let mut world = World::default();
        let asked = world.moderation.expect_block();
        asked.with(eq(ANA), eq(BEN), eq(1_000), eq(NOW)).once();
        asked.return_once(|_, _, _, _| outcome);
        world.services().moderation.block(CALLER, BEN).await
    }

    #[tokio::test]
    async fn blocks_somebody() {
        assert_matches!(block(Ok(())).await, Ok(()));
    }

    #[tokio::test]
    async fn tells_why_not() {
        let unknown = block(Err(BlockError::UserNotFound)).await;
        assert_matches!(unknown, Err(BlockUserError::UserNotFound));
        let too_many = block(Err(BlockError::TooMany)).await;
        assert_matches!(too_many, Err(BlockUserError::TooMany));
        passes_on(repository_errors, async |cause| block(Err(cause.into())).await).await;
        let mut world = World::default();
        world.moderation.expect_block().never();
        let oneself = world.services().moderation.block(CALLER, ANA).await;
        assert_matches!(oneself, Err(BlockUserError::Oneself));
    }

    #[tokio::test]
    async fn to_unblock_who_is_not_blocked_is_as_good() {
        for blocked in [true, false] {
            let mut world = World::default();
            let asked = world.moderation.expect_unblock().with(eq(ANA), eq(BEN), eq(NOW)).once();
            asked.returning(move |_, _, _| Ok(blocked));
            assert_matches!(world.services().moderation.unblock(CALLER, BEN).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn lists_whom_one_blocks() {
        let mut world = World::default();
        let asked = world.moderation.expect_list_blocked().with(eq(ANA)).once();
        asked.returning(|_| Ok(vec![user(EVA), user(BEN)]));
        let blocked = world.services().moderation.blocked(CALLER).await.unwrap();
        assert_eq!(blocked, [user(EVA), user(BEN)]);
    }

    /// Most people block nobody: their requests cost no more for it.
    #[tokio::test]
    async fn asks_who_is_hidden_only_where_somebody_is() {
        let mut world = World::default();
        world.moderation.expect_blocked_either_way().never();
        let hidden = world.services().moderation.hidden_from(CALLER).await.unwrap();
        assert_eq!(hidden, HashSet::new());
        let mut world = World::default();
        let asked = world.moderation.expect_blocked_either_way().with(eq(ANA)).once();
        asked.returning(|_| Ok(vec![BEN, EVA]));
        let blocking = Caller { blocks: true, ..CALLER };
        let hidden = world.services().moderation.hidden_from(blocking).await.unwrap();
        assert_eq!(hidden, HashSet::from([BEN, EVA]));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        let blocking = Caller { blocks: true, ..CALLER };
        for n in 0..repository_errors().len() {
            let cause = move || repository_errors().remove(n);
            let mut world = World::default();
            world.moderation.expect_unblock().returning(move |_, _, _| Err(cause()));
            world.moderation.expect_list_blocked().returning(move |_| Err(cause()));
            let asked = world.moderation.expect_blocked_either_way();
            asked.returning(move |_| Err(cause()));
            let services = world.services();
            let moderation = services.moderation;
            for failed in [
                moderation.unblock(CALLER, BEN).await.unwrap_err(),
                moderation.blocked(CALLER).await.unwrap_err(),
                moderation.hidden_from(blocking).await.unwrap_err(),
            ] {
                assert_eq!(explain(&failed), explain(&Failure::from(cause())));
            }
        }
    }
}
