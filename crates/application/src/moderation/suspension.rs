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
        )
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
        )
    }
}

fn found(outcome: Result<bool, tertulia_domain::repository::RepositoryError>) -> Result<(), SuspendError> {
    match outcome {
        Ok(true) => Ok(()),
        Ok(false) => Err(SuspendError::NotFound),
        Err(error) => Err(AdminError::Failed(error.into()).into()),
    }
}
