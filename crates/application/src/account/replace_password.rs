use super::{AccountService, FindUserError};
use crate::Failure;
use tertulia_domain::{Caller, Password};

impl AccountService {
    /// Gives the caller another password, without asking for the one before, and ends their other sessions: for clients
    /// that never asked for it.
    pub async fn replace_password(&self, caller: Caller, new: Password) -> Result<(), FindUserError> {
        let hash = self.hasher.hash(new).await.map_err(Failure::from)?;
        let keep = Some(caller.session_id);
        let replaced = self
            .users
            .set_password(caller.user_id, &hash, keep, self.clock.now())
            .await
            .map_err(Failure::from)?;
        if !replaced {
            return Err(FindUserError::NotFound);
        }
        self.hub.sessions_ended(caller.user_id, None);
        Ok(())
    }
}
