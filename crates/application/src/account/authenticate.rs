use super::AccountService;
use crate::Failure;
use crate::ports::VerifyTokenError;
use tertulia_domain::{Caller, ClaimedSession};
use thiserror::Error;

/// Why a request has no caller.
#[derive(Debug, Error)]
pub enum AuthenticateError {
    /// Not a token of this service.
    #[error("the access token is invalid")]
    Invalid,
    /// Genuine, but past its time: the client refreshes.
    #[error("the access token has expired")]
    Expired,
    /// Genuine, but its session has ended.
    #[error("the session has ended")]
    Ended,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Checks an access token, without asking whether its session still lives: for use cases that look at the session in
    /// the statement that does their work.
    pub async fn claim(&self, token: &str) -> Result<ClaimedSession, AuthenticateError> {
        let claimed = self
            .tokens
            .verify(token, self.clock.now())
            .await
            .map_err(|error| match error {
                VerifyTokenError::Invalid => AuthenticateError::Invalid,
                VerifyTokenError::Expired => AuthenticateError::Expired,
                VerifyTokenError::Repository(error) => AuthenticateError::Failed(error.into()),
            })?;
        self.presence.note(claimed);
        Ok(claimed)
    }

    /// Checks an access token and that its session lives.
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AuthenticateError> {
        let claimed = self.claim(token).await?;
        let caller = self
            .sessions
            .find_caller(claimed, self.clock.now())
            .await
            .map_err(Failure::from)?;
        caller.ok_or(AuthenticateError::Ended)
    }
}
