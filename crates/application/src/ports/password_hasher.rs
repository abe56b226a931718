use crate::BoxError;
use async_trait::async_trait;
use tertulia_domain::{Password, PasswordHash};
use thiserror::Error;

/// Why a password was not hashed.
#[derive(Debug, Error)]
pub enum HashError {
    /// Too many passwords wait to be hashed already.
    #[error("too many passwords are being hashed")]
    Overloaded,
    /// The hash is malformed, or the hasher broke.
    #[error("hashing failed")]
    Failed(#[source] BoxError),
}

/// Turns passwords into what may be stored. Works on threads of its own, a bounded number of passwords at a time.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password with a fresh salt.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError>;

    /// Whether the password is the one that was hashed. Without a hash it takes the same time and is false, so that an
    /// unknown user can't be told from a wrong password.
    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, HashError>;
}
