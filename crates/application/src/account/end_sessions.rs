use super::AccountService;
use crate::Failure;
use tertulia_domain::{Caller, Session, SessionId};
use thiserror::Error;

/// Why a session was not ended.
#[derive(Debug, Error)]
pub enum EndSessionError {
    /// The caller has no session of that id.
    #[error("no such session")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// The caller's sessions, newest first.
    pub async fn sessions(&self, caller: Caller) -> Result<Vec<Session>, Failure> {
        Ok(self.sessions.list(caller.user_id, self.clock.now()).await?)
    }

    /// Ends the caller's session. From the next request on its tokens are refused, by every process.
    pub async fn log_out(&self, caller: Caller) -> Result<(), Failure> {
        // Somebody else may have ended it since the caller was recognised: that is as good.
        self.sessions.end(caller.user_id, caller.session_id).await?;
        Ok(())
    }

    /// Ends all of the caller's sessions, this one included; gives their number.
    pub async fn log_out_everywhere(&self, caller: Caller) -> Result<u64, Failure> {
        Ok(self.sessions.end_all(caller.user_id).await?)
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(&self, caller: Caller, session: SessionId) -> Result<(), EndSessionError> {
        let ended = self
            .sessions
            .end(caller.user_id, session)
            .await
            .map_err(Failure::from)?;
        if ended { Ok(()) } else { Err(EndSessionError::NotFound) }
    }
}
