use super::AccountService;
use crate::Failure;
use tertulia_domain::repository::{UpdateUserError, UserChanges};
use tertulia_domain::{Caller, Email, User};
use thiserror::Error;

/// Why a user stays as they are.
#[derive(Debug, Error)]
pub enum UpdateProfileError {
    /// Somebody else has that username.
    #[error("the username is taken")]
    UsernameTaken,
    /// Somebody else has that e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Neither username nor e-mail address would be left to log in with.
    #[error("a username or an e-mail address is needed")]
    NoLogin,
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A user as they are now, and what is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedProfile {
    /// The user.
    pub user: User,
    /// An address that becomes the user's when they use the token that was mailed there.
    pub pending_email: Option<Email>,
}

impl AccountService {
    /// Changes the caller's names, e-mail address or profile. Their role is not theirs to change: it is ignored. Where
    /// addresses are verified, a new one is only mailed a token for now.
    pub async fn update_profile(
        &self,
        caller: Caller,
        changes: UserChanges,
    ) -> Result<UpdatedProfile, UpdateProfileError> {
        let mut changes = UserChanges { role: None, ..changes };
        let mut pending_email = None;
        if self.policy.verify_email
            && let Some(Some(email)) = &changes.email
        {
            let user = self.users.find(caller.user_id).await.map_err(Failure::from)?;
            let present = user.ok_or(UpdateProfileError::NotFound)?.email;
            // Another spelling of the same address needs no proof.
            if present.is_none_or(|present| present.key() != email.key()) {
                pending_email = changes.email.take().flatten();
            }
        }
        let user = self
            .users
            .update(caller.user_id, changes, self.clock.now())
            .await
            .map_err(|error| match error {
                UpdateUserError::NotFound => UpdateProfileError::NotFound,
                UpdateUserError::UsernameTaken => UpdateProfileError::UsernameTaken,
                UpdateUserError::EmailTaken => UpdateProfileError::EmailTaken,
                UpdateUserError::NoLogin => UpdateProfileError::NoLogin,
                UpdateUserError::Repository(error) => UpdateProfileError::Failed(error.into()),
            })?;
        if let Some(email) = &pending_email {
            self.send_verification(caller, email).await?;
        }
        Ok(UpdatedProfile { user, pending_email })
    }
}
