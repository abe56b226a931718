use super::AccountService;
use crate::Failure;
use tertulia_domain::Caller;
use tertulia_domain::repository::Erased;
use thiserror::Error;

/// Why an account was not deleted.
#[derive(Debug, Error)]
pub enum DeleteAccountError {
    /// It is gone already.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Deletes the caller's account. Their messages stay, under a user without a name, unless they are to be erased too.
    pub async fn delete_account(&self, caller: Caller, erase: bool) -> Result<Erased, DeleteAccountError> {
        let erased = self
            .users
            .delete(caller.user_id, erase, self.clock.now())
            .await
            .map_err(Failure::from)?;
        erased.ok_or(DeleteAccountError::NotFound)
    }
}
