use super::AccountService;
use crate::Failure;
use tertulia_domain::repository::{UpdateUserError, UserChanges};
use tertulia_domain::{Caller, User};
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

impl AccountService {
    /// Changes the caller's names, e-mail address or profile. Their role is not theirs to change: it is ignored.
    pub async fn update_profile(&self, caller: Caller, changes: UserChanges) -> Result<User, UpdateProfileError> {
        let changes = UserChanges { role: None, ..changes };
        self.users
            .update(caller.user_id, changes, self.clock.now())
            .await
            .map_err(|error| match error {
                UpdateUserError::NotFound => UpdateProfileError::NotFound,
                UpdateUserError::UsernameTaken => UpdateProfileError::UsernameTaken,
                UpdateUserError::EmailTaken => UpdateProfileError::EmailTaken,
                UpdateUserError::NoLogin => UpdateProfileError::NoLogin,
                UpdateUserError::Repository(error) => UpdateProfileError::Failed(error.into()),
            })
    }
}
