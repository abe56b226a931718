use super::RepositoryError;
use crate::ids::{SessionId, UserId};
use crate::session::{Caller, ClaimedSession, RefreshHashes, Session};
use crate::time::Timestamp;
use crate::user::User;
use async_trait::async_trait;

/// A session to be stored.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// What its first refresh token hashes to.
    pub refresh: RefreshHashes,
}

/// A refresh token that was presented, and what is to take its place.
#[derive(Debug, Clone, Copy)]
pub struct RotateRefresh {
    /// The session that the token names.
    pub session_id: SessionId,
    /// What the token hashes to.
    pub presented: RefreshHashes,
    /// The hash of the next token's secret; the family stays.
    pub next_secret: [u8; 32],
    /// Now.
    pub at: Timestamp,
    /// When the session is to expire from now on.
    pub expires_at: Timestamp,
}

/// What became of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was the newest one; the session goes on with the next.
    Rotated {
        /// The session, moved on.
        session: Session,
        /// Its user.
        user: Box<User>,
    },
    /// It was of the right family but not the newest one: somebody used an old token. The session has ended.
    Reused,
    /// No such session, an expired one, or another family: the token means nothing, and nothing happened.
    Unknown,
}

/// One user's use of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// Who and in which session.
    pub session: ClaimedSession,
    /// When.
    pub at: Timestamp,
}

/// The sessions. A session ends by being removed.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionRepository: Send + Sync {
    /// Stores a session. When the user has (API keys not counted) more than `most` live ones then, the least recently used end. False, and
    /// nothing stored, when there is no such user, or a deleted or suspended one.
    async fn insert(&self, session: NewSession, most: u32) -> Result<bool, RepositoryError>;

    /// Who that is, if the session is that user's, has not ended and has not expired at `at`.
    async fn find_caller(&self, claim: ClaimedSession, at: Timestamp) -> Result<Option<Caller>, RepositoryError>;

    /// Exchanges a refresh token. Of two uses of one token at once, one is `Rotated` and the other `Reused`.
    async fn rotate(&self, rotation: RotateRefresh) -> Result<Rotation, RepositoryError>;

    /// The user's sessions that have not expired at `at`, newest first (by creation, then by id, largest first).
    async fn list(&self, user_id: UserId, at: Timestamp) -> Result<Vec<Session>, RepositoryError>;

    /// Ends one of the user's sessions. False when there is none of that id.
    async fn end(&self, user_id: UserId, session_id: SessionId) -> Result<bool, RepositoryError>;

    /// Ends all of the user's sessions; gives their number.
    async fn end_all(&self, user_id: UserId) -> Result<u64, RepositoryError>;

    /// Moves `last_used_at` of sessions and `last_seen_at` of users forward, never back; unknown ones are passed over.
    /// One statement each for any number of entries; safe against deadlock with itself.
    async fn record_activity(&self, activity: Vec<Activity>) -> Result<(), RepositoryError>;
}
