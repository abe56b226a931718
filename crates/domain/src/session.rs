//! Sessions: one log-in on one device.

use crate::ids::{SessionId, UserId};
use crate::text;
use crate::time::Timestamp;
use crate::user::Role;
use std::fmt;
use std::net::IpAddr;
use thiserror::Error;

/// A session that has not ended. Ending one removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The identifier; access tokens carry it.
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// What the client calls itself.
    pub device: Option<DeviceName>,
    /// The address that the user logged in from.
    pub ip: Option<IpAddr>,
    /// When the user logged in.
    pub created_at: Timestamp,
    /// The last known use; written in batches, so up to some seconds behind.
    pub last_used_at: Timestamp,
    /// From then on the session is as if it had ended; every refresh moves it.
    pub expires_at: Timestamp,
}

/// What an access token says, its signature checked but not yet whether the session still lives.
///
/// The hot paths take this and look at the session in the statement that does the work; everything else takes a
/// [`Caller`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedSession {
    /// The session.
    pub session_id: SessionId,
    /// Its user.
    pub user_id: UserId,
}

/// Somebody whose session was found alive during this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The user.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// The user's present role.
    pub role: Role,
    /// Whether there is any block between the user and somebody else, whoever made it.
    pub blocks: bool,
}

impl Caller {
    /// The session that was found alive.
    pub const fn session(self) -> ClaimedSession {
        ClaimedSession {
            session_id: self.session_id,
            user_id: self.user_id,
        }
    }
}

/// What is stored of a refresh token: SHA-256 hashes of its two random parts.
///
/// The family stays the same over a session's life, the secret changes with every refresh. A token of the right family
/// with another secret is therefore an old one, used a second time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefreshHashes {
    /// Hash of the part that all tokens of the session share.
    pub family: [u8; 32],
    /// Hash of the part that only the newest token has.
    pub secret: [u8; 32],
}

impl fmt::Debug for RefreshHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshHashes(…)")
    }
}

/// What a client calls itself: 1 to 100 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceName(String);

/// Why a text is no device name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must have 1 to {} characters, none of them control characters",
    DeviceName::MAX_CHARS
)]
pub struct DeviceNameError;

impl DeviceName {
    /// Characters at the most.
    pub const MAX_CHARS: usize = 100;

    /// Trims white space from both ends and checks the rest.
    pub fn new(text: &str) -> Result<Self, DeviceNameError> {
        let name = text::one_line(text).map_err(|_| DeviceNameError)?;
        if text::is_blank(name) || name.chars().count() > Self::MAX_CHARS {
            return Err(DeviceNameError);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names() {
        assert_eq!(DeviceName::new(" Ana's phone ").unwrap().as_str(), "Ana's phone");
        for bad in ["", "  ", "a\0b", "a\u{202E}b"] {
            assert_eq!(DeviceName::new(bad), Err(DeviceNameError), "{bad:?}");
        }
        assert!(DeviceName::new(&"x".repeat(100)).is_ok() && DeviceName::new(&"x".repeat(101)).is_err());
    }
}
