use super::refresh_token::RefreshToken;
use super::{AccountService, Grant};
use crate::Failure;
use sha2::{Digest, Sha256};
use tertulia_domain::repository::{RotateRefresh, Rotation};
use thiserror::Error;

/// Why a refresh token gave nothing.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// Not a token of a live session.
    #[error("the refresh token is invalid")]
    Invalid,
    /// It had been used before: its session has ended now, for the thief and for the owner.
    #[error("the refresh token was used before; the session has ended")]
    Reused,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Exchanges a refresh token for new credentials. Each works once.
    pub async fn refresh(&self, token: &str) -> Result<Grant, RefreshError> {
        let presented = RefreshToken::parse(token).ok_or(RefreshError::Invalid)?;
        let next = RefreshToken {
            secret: self.secrets.bytes(),
            ..presented
        };
        let at = self.clock.now();
        let rotation = RotateRefresh {
            session_id: presented.session_id,
            presented: presented.hashes(),
            next_secret: Sha256::digest(next.secret).into(),
            at,
            expires_at: at.plus(self.policy.idle),
        };
        match self.sessions.rotate(rotation).await.map_err(Failure::from)? {
            Rotation::Rotated { session, user } => Ok(self.grant(*user, session, &next)?),
            Rotation::Reused => {
                tracing::warn!(session = %presented.session_id, "an old refresh token was used; its session was ended");
                Err(RefreshError::Reused)
            }
            Rotation::Unknown => Err(RefreshError::Invalid),
        }
    }
}
