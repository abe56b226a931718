//! What a token says.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use tertulia_application::ports::VerifyTokenError;
use tertulia_domain::{ClaimedSession, SessionId, Timestamp, UserId};

/// Who signs, and whom the token is for.
pub(super) const SERVICE: &str = "tertulia";

/// How far another process's clock may be ahead of ours.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The registered claims (RFC 7519, section 4.1), and the session. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    pub(super) sid: String,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
}

/// What remains of the claims once their signature, issuer and audience have been checked: what depends on the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verified {
    session: ClaimedSession,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl Claims {
    /// Checks all but the time.
    pub(super) fn verified(&self) -> Option<Verified> {
        if self.iss != SERVICE || self.aud != SERVICE {
            return None;
        }
        Some(Verified {
            session: ClaimedSession {
                session_id: SessionId::parse(&self.sid)?,
                user_id: UserId::parse(&self.sub)?,
            },
            issued_at: seconds(self.iat),
            expires_at: seconds(self.exp),
        })
    }
}

impl Verified {
    /// Checks the time: a token is good from when it was issued until just before it expires.
    pub(super) fn at(self, at: Timestamp) -> Result<ClaimedSession, VerifyTokenError> {
        if at >= self.expires_at {
            Err(VerifyTokenError::Expired)
        } else if self.issued_at > at.plus(CLOCK_SKEW) {
            Err(VerifyTokenError::Invalid)
        } else {
            Ok(self.session)
        }
    }
}

fn seconds(since_epoch: i64) -> Timestamp {
    Timestamp::from_millis(since_epoch.saturating_mul(1000))
}
