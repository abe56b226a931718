use super::RepositoryError;
use crate::time::Timestamp;
use async_trait::async_trait;

/// The public half of a key that a process signs access tokens with. Processes that share a database accept each
/// other's tokens by it; the private half never leaves its process's data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationKey {
    /// Names the key in a token's header: 1 to 64 characters.
    pub kid: String,
    /// The raw Ed25519 public key (RFC 8032).
    pub public: [u8; 32],
    /// When it was first published.
    pub created_at: Timestamp,
}

/// The public keys of all processes.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait VerificationKeyRepository: Send + Sync {
    /// Makes a key known. To publish the same again changes nothing.
    async fn publish(&self, key: VerificationKey) -> Result<(), RepositoryError>;

    /// All known keys.
    async fn list(&self) -> Result<Vec<VerificationKey>, RepositoryError>;
}
