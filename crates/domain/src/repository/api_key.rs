use super::RepositoryError;
use crate::api_key::{ApiKey, Scopes};
use crate::ids::{SessionId, UserId};
use crate::session::ClaimedSession;
use crate::time::Timestamp;
use async_trait::async_trait;

/// The keys for bots and backends. A key is a session without a log-in: what
/// [`SessionRepository::find_caller`](super::SessionRepository::find_caller) and the hot paths say of sessions holds for
/// it too, and its last use is recorded like theirs. It is not among a user's sessions otherwise, and does not end with
/// them, except when the password is reset, the user suspended or the account deleted.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ApiKeyRepository: Send + Sync {
    /// Stores a key by the SHA-256 hash of its secret. False, and nothing stored, when the user has `most` already or is
    /// gone.
    async fn insert(&self, key: ApiKey, hash: [u8; 32], most: u32) -> Result<bool, RepositoryError>;

    /// What the key of that hash may be used for, unless it has expired at `at`.
    async fn find(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<(ClaimedSession, Scopes)>, RepositoryError>;

    /// The user's keys, newest first, the expired ones too.
    async fn list(&self, user_id: UserId) -> Result<Vec<ApiKey>, RepositoryError>;

    /// Revokes one of the user's keys. False when there is none of that id.
    async fn revoke(&self, user_id: UserId, id: SessionId) -> Result<bool, RepositoryError>;
}
