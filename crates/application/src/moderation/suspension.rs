use super::{AdminError, ModerationService, admins_only};
use tertulia_domain::{Caller, ChatId, MessageId, Reason, UserId};
use thiserror::Error;

/// Why nothing happened to a user or their message.
#[derive(Debug, Error)]
pub enum SuspendError {
    /// The caller is no service admin.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// An admin can't suspend themselves.
    #[error("nobody can suspend themselves")]
    Oneself,
    /// There is none of that id.
    #[error("not found")]
    NotFound,
}

impl ModerationService {
    /// Suspends a user: every session and key ends at once, and nobody can log in to the account.
    pub async fn suspend(&self, caller: Caller, user: UserId, reason: Reason) -> Result<(), SuspendError> {
        admins_only(caller)?;
        if user == caller.user_id {
            return Err(SuspendError::Oneself);
        }
        found(
            self.moderation
                .suspend(user, caller.user_id, &reason, self.clock.now())
                .await,
        )?;
        self.hub.sessions_ended(user, None);
        Ok(())
    }

    /// Lifts a suspension; on a user who wasn't suspended nothing changes.
    pub async fn unsuspend(&self, caller: Caller, user: UserId) -> Result<(), SuspendError> {
        admins_only(caller)?;
        found(self.moderation.unsuspend(user, caller.user_id, self.clock.now()).await)
    }

    /// Removes a message, with a reason for the log.
    pub async fn remove_message(
        &self,
        caller: Caller,
        chat: ChatId,
        message: MessageId,
        reason: Reason,
    ) -> Result<(), SuspendError> {
        admins_only(caller)?;
        let at = self.clock.now();
        found(
            self.moderation
                .remove_message(chat, message, caller.user_id, Some(reason), at)
                .await,
        )?;
        self.hub.changed(chat, Vec::new());
        Ok(())
    }
}

fn found(outcome: Result<bool, tertulia_domain::repository::RepositoryError>) -> Result<(), SuspendError> {
    match outcome {
        Ok(true) => Ok(()),
        Ok(false) => Err(SuspendError::NotFound),
        Err(error) => Err(AdminError::Failed(error.into()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CALLER, CHAT, MESSAGE, NOW, SERVICE_ADMIN, World, assert_matches, passes_on, reason,
        repository_errors,
    };
    use mockall::predicate::eq;
    use tertulia_domain::repository::RepositoryError;

    async fn suspend(outcome: Result<bool, RepositoryError>) -> Result<(), SuspendError> {
        let mut world = World::default();
        let asked = world.moderation.expect_suspend();
        asked.with(eq(BEN), eq(ANA), eq(reason("spam")), eq(NOW)).once();
        asked.return_once(|_, _, _, _| outcome);
        let services = world.services();
        services.moderation.suspend(SERVICE_ADMIN, BEN, reason("spam")).await
    }

    async fn unsuspend(outcome: Result<bool, RepositoryError>) -> Result<(), SuspendError> {
        let mut world = World::default();
        let asked = world.moderation.expect_unsuspend();
        asked.with(eq(BEN), eq(ANA), eq(NOW)).once();
        asked.return_once(|_, _, _| outcome);
        world.services().moderation.unsuspend(SERVICE_ADMIN, BEN).await
    }

    async fn remove(outcome: Result<bool, RepositoryError>) -> Result<(), SuspendError> {
        let mut world = World::default();
        let asked = world.moderation.expect_remove_message();
        let why = Some(reason("spam"));
        asked.with(eq(CHAT), eq(MESSAGE), eq(ANA), eq(why), eq(NOW)).once();
        asked.return_once(|_, _, _, _, _| outcome);
        let services = world.services();
        services
            .moderation
            .remove_message(SERVICE_ADMIN, CHAT, MESSAGE, reason("spam"))
            .await
    }

    #[tokio::test]
    async fn admins_suspend_and_remove() {
        assert_matches!(suspend(Ok(true)).await, Ok(()));
        assert_matches!(unsuspend(Ok(true)).await, Ok(()));
        assert_matches!(remove(Ok(true)).await, Ok(()));
    }

    #[tokio::test]
    async fn what_is_not_there_is_not_found() {
        assert_matches!(suspend(Ok(false)).await, Err(SuspendError::NotFound));
        assert_matches!(unsuspend(Ok(false)).await, Err(SuspendError::NotFound));
        assert_matches!(remove(Ok(false)).await, Err(SuspendError::NotFound));
    }

    fn nothing_happens() -> World {
        let mut world = World::default();
        world.moderation.expect_suspend().never();
        world.moderation.expect_unsuspend().never();
        world.moderation.expect_remove_message().never();
        world
    }

    #[tokio::test]
    async fn nobody_else_does() {
        let moderation = nothing_happens().services().moderation;
        for refused in [
            moderation.suspend(CALLER, BEN, reason("spam")).await,
            moderation.unsuspend(CALLER, BEN).await,
            moderation.remove_message(CALLER, CHAT, MESSAGE, reason("spam")).await,
            // Not even themselves.
            moderation.suspend(CALLER, ANA, reason("spam")).await,
        ] {
            assert_matches!(refused, Err(SuspendError::Admin(AdminError::Forbidden)));
        }
    }

    #[tokio::test]
    async fn an_admin_does_not_lock_themselves_out() {
        let moderation = nothing_happens().services().moderation;
        let refused = moderation.suspend(SERVICE_ADMIN, ANA, reason("bored")).await;
        assert_matches!(refused, Err(SuspendError::Oneself));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| suspend(Err(cause)).await).await;
        passes_on(repository_errors, async |cause| unsuspend(Err(cause)).await).await;
        passes_on(repository_errors, async |cause| remove(Err(cause)).await).await;
    }
}
