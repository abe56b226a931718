use crate::BoxError;
use async_trait::async_trait;
use std::fmt;
use std::time::Duration;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{ClaimedSession, Timestamp};
use thiserror::Error;

/// A signed access token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// What the client sends back; opaque to it.
    pub token: String,
    /// When it stops being accepted.
    pub expires_at: Timestamp,
    /// How long that is from its issue, in whole seconds.
    pub expires_in: Duration,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why no token could be signed.
#[derive(Debug, Error)]
#[error("signing failed")]
pub struct TokenError(#[source] pub BoxError);

/// Why a token was refused.
#[derive(Debug, Error)]
pub enum VerifyTokenError {
    /// Not a token of this service.
    #[error("the token is invalid")]
    Invalid,
    /// Genuine, but past its time.
    #[error("the token has expired")]
    Expired,
    /// It names a signing key that is not known here, and asking for it failed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Signs and checks access tokens.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait TokenIssuer: Send + Sync {
    /// Signs a token for a session.
    fn issue(&self, session: ClaimedSession, at: Timestamp) -> Result<AccessToken, TokenError>;

    /// The same, to be accepted until `expires_at`.
    fn issue_until(
        &self,
        session: ClaimedSession,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<AccessToken, TokenError>;

    /// Checks signature, algorithm, issuer, audience and time of a token that any process of this service signed. Does not
    /// know whether the session still lives.
    async fn verify(&self, token: &str, at: Timestamp) -> Result<ClaimedSession, VerifyTokenError>;
}
