//! Retries that change nothing: a keyed creation happens once, and a retry gets the first answer.
//!
//! The record of a keyed creation is written in the same transaction as what was created, so neither can be without the
//! other, whatever crashes. Two copies in flight at once meet at the record's primary key: the second waits for the
//! first.

use crate::ids::UserId;
use crate::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// How long a key is remembered.
pub const REMEMBERED: Duration = Duration::from_hours(24);

/// What a client calls one creation: 1 to 128 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// Why a text is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have 1 to {} printable ASCII characters", IdempotencyKey::MAX_CHARS)]
pub struct IdempotencyKeyError;

impl IdempotencyKey {
    /// Characters at the most.
    pub const MAX_CHARS: usize = 128;

    /// Checks a key.
    pub fn new(text: &str) -> Result<Self, IdempotencyKeyError> {
        let printable = text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        if printable && (1..=Self::MAX_CHARS).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdempotencyKeyError)
        }
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 over what the request asked for (operation, target, body): two requests under one key must agree in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 32]);

/// A request's claim to be the one that its key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Keys are per user.
    pub user_id: UserId,
    /// The key.
    pub key: IdempotencyKey,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// When. A record older than [`REMEMBERED`] is as if it were not there.
    pub at: Timestamp,
}

/// An answer exactly as the first caller got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The driving adapter's status, 100 to 599 for HTTP.
    pub status: u16,
    /// The bytes of the answer.
    pub body: Vec<u8>,
}

/// A claim, and how to write down the answer to what is about to be created. The encoder runs inside the transaction.
#[derive(Clone)]
pub struct Recording<T> {
    /// The claim.
    pub claim: Claim,
    /// From the created thing to the answer; pure and quick.
    pub encode: Arc<dyn Fn(&T) -> StoredAnswer + Send + Sync>,
}

impl<T> fmt::Debug for Recording<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

/// What a creation that may be a retry gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded<T> {
    /// It happened now.
    Fresh(T),
    /// It happened before: the first answer.
    Replayed(StoredAnswer),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_bounds() {
        assert!(IdempotencyKey::new("a").is_ok());
        assert!(IdempotencyKey::new("order 66 ~").is_ok());
        assert!(IdempotencyKey::new(&"k".repeat(128)).is_ok());
        for bad in ["", "é", "a\tb", "a\0", &"k".repeat(129)] {
            assert_eq!(IdempotencyKey::new(bad), Err(IdempotencyKeyError), "{bad:?}");
        }
    }
}
