use super::AccountService;
use super::api_keys::PREFIX;
use super::secret_token::SecretToken;
use crate::Failure;
use crate::ports::VerifyTokenError;
use tertulia_domain::{Caller, ClaimedSession, Scopes};
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

/// Somebody, and what their credentials may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified<T> {
    /// Who.
    pub who: T,
    /// What for.
    pub scopes: Scopes,
}

impl AccountService {
    /// Checks an access token or an API key, without asking whether its session still lives: for use cases that look at the session in
    /// the statement that does their work.
    pub async fn claim(&self, token: &str) -> Result<Identified<ClaimedSession>, AuthenticateError> {
        if let Some(key) = token.strip_prefix(PREFIX) {
            return self.claim_by_key(key).await;
        }
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
        Ok(Identified {
            who: claimed,
            scopes: Scopes::FULL,
        })
    }

    async fn claim_by_key(&self, key: &str) -> Result<Identified<ClaimedSession>, AuthenticateError> {
        let hash = SecretToken::parse(key).ok_or(AuthenticateError::Invalid)?.hash();
        let found = self
            .api_keys
            .find(hash, self.clock.now())
            .await
            .map_err(Failure::from)?;
        let (who, scopes) = found.ok_or(AuthenticateError::Invalid)?;
        self.presence.note(who);
        Ok(Identified { who, scopes })
    }

    /// Checks an access token and that its session lives.
    pub async fn authenticate(&self, token: &str) -> Result<Identified<Caller>, AuthenticateError> {
        let Identified { who, scopes } = self.claim(token).await?;
        let caller = self
            .sessions
            .find_caller(who, self.clock.now())
            .await
            .map_err(Failure::from)?;
        let who = caller.ok_or(AuthenticateError::Ended)?;
        Ok(Identified { who, scopes })
    }
}
