use super::AccountService;
use crate::Failure;
use tertulia_domain::{Caller, Password};
use thiserror::Error;

/// Somebody wants another password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// What proves that it is them; `None` for a text that can be nobody's password.
    pub current: Option<Password>,
    /// The password from now on.
    pub new: Password,
}

/// Why the password stays.
#[derive(Debug, Error)]
pub enum ChangePasswordError {
    /// The current password is another one.
    #[error("wrong password")]
    WrongPassword,
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Changes the caller's password and ends their other sessions.
    pub async fn change_password(&self, caller: Caller, command: ChangePassword) -> Result<(), ChangePasswordError> {
        let Some(current) = command.current else {
            return Err(ChangePasswordError::WrongPassword);
        };
        let hash = self.users.find_password(caller.user_id).await.map_err(Failure::from)?;
        let hash = hash.ok_or(ChangePasswordError::NotFound)?;
        if !self.hasher.verify(current, Some(hash)).await.map_err(Failure::from)? {
            return Err(ChangePasswordError::WrongPassword);
        }
        let new = self.hasher.hash(command.new).await.map_err(Failure::from)?;
        let keep = Some(caller.session_id);
        let changed = self
            .users
            .set_password(caller.user_id, &new, keep, self.clock.now())
            .await;
        if changed.map_err(Failure::from)? {
            Ok(())
        } else {
            Err(ChangePasswordError::NotFound)
        }
    }
}
