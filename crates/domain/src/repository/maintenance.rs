use super::RepositoryError;
use crate::time::Timestamp;
use async_trait::async_trait;

/// What a clean-up removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Expired sessions.
    pub sessions: u64,
    /// Idempotency records past their time.
    pub idempotency_keys: u64,
}

/// What keeps a database in order.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Succeeds when the database answers and every migration that this program knows was applied. Newer ones are no harm.
    async fn check(&self) -> Result<(), RepositoryError>;

    /// Removes what has expired at `at`: sessions, and idempotency records older than
    /// [`REMEMBERED`](crate::idempotency::REMEMBERED). In bites, so that it holds no lock for long.
    async fn purge(&self, at: Timestamp) -> Result<Purged, RepositoryError>;
}
