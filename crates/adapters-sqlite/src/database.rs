//! Opening a file, and the repositories on it.

#[cfg(test)]
mod tests;

use crate::connection::{Purpose, establish};
use crate::file::{FileError, ensure};
use crate::store::Store;
use crate::writer::Writer;
use crate::{
    SqliteAccountTokenRepository, SqliteApiKeyRepository, SqliteChatRepository, SqliteFileRepository,
    SqliteMaintenance, SqliteMessageRepository, SqliteModerationRepository, SqliteOutboxRepository,
    SqliteOverviewRepository, SqliteSessionRepository, SqliteUserRepository, SqliteVerificationKeyRepository,
};
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sqlite::SqliteConnection;
use std::error::Error as StdError;
use std::path::Path;
use std::thread::available_parallelism;
use tertulia_sql_support::{BlockingPool, MAX_WAIT};
use thiserror::Error;

/// How to open a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How many reads go on at the same time; each has a connection, and 8 MB of cache, of its own. At least 1.
    pub max_readers: u32,
    /// How many writes may wait at a time; more are refused as overload. At least 1.
    pub max_queued_writes: usize,
}

impl Default for SqliteOptions {
    /// Four to eight readers, by the number of processors, and 4,096 waiting writes.
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self {
            max_readers: u32::try_from(processors.clamp(4, 8)).unwrap_or(8),
            max_queued_writes: 4_096,
        }
    }
}

/// Why a database could not be opened.
#[derive(Debug, Error)]
#[error("can't open the database")]
pub struct OpenError(#[source] Box<dyn StdError + Send + Sync>);

impl From<FileError> for OpenError {
    fn from(error: FileError) -> Self {
        Self(error.into())
    }
}

/// A database that is open. Its repositories share the readers and the writer, which end with the last of them: writes
/// that are queued then are finished first.
#[derive(Clone)]
pub struct SqliteDatabase {
    store: Store,
}

impl SqliteDatabase {
    /// Opens the file at `path`. If there is none, an empty one is made, readable by its owner alone, and the folders
    /// above it too. The schema is the business of [`migrate`](crate::migrate).
    pub fn open(path: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let name = ensure(path)?;
        // The pools would try for half a minute and then name no reason.
        establish(&name, Purpose::Write).map_err(|error| OpenError(error.into()))?;
        let readers = pool(&name, Purpose::Read, options.max_readers);
        let writer = Writer::start(pool(&name, Purpose::Write, 1), options.max_queued_writes.max(1))
            .map_err(|error| OpenError(error.into()))?;
        Ok(Self {
            store: Store::new(BlockingPool::new(readers, "sqlite-readers"), writer),
        })
    }

    /// The users.
    pub fn users(&self) -> SqliteUserRepository {
        SqliteUserRepository::new(self.store.clone())
    }

    /// The sessions.
    pub fn sessions(&self) -> SqliteSessionRepository {
        SqliteSessionRepository::new(self.store.clone())
    }

    /// The chats and their members.
    pub fn chats(&self) -> SqliteChatRepository {
        SqliteChatRepository::new(self.store.clone())
    }

    /// Chats and messages on numbered pages.
    pub fn overviews(&self) -> SqliteOverviewRepository {
        SqliteOverviewRepository::new(self.store.clone())
    }

    /// The messages.
    pub fn messages(&self) -> SqliteMessageRepository {
        SqliteMessageRepository::new(self.store.clone())
    }

    /// The files, and the objects that they stand on.
    pub fn files(&self) -> SqliteFileRepository {
        SqliteFileRepository::new(self.store.clone())
    }

    /// The mails that are still to be sent.
    pub fn outbox(&self) -> SqliteOutboxRepository {
        SqliteOutboxRepository::new(self.store.clone())
    }

    /// The tokens that go out by mail.
    pub fn account_tokens(&self) -> SqliteAccountTokenRepository {
        SqliteAccountTokenRepository::new(self.store.clone())
    }

    /// The keys for bots and backends.
    pub fn api_keys(&self) -> SqliteApiKeyRepository {
        SqliteApiKeyRepository::new(self.store.clone())
    }

    /// Blocks, reports, suspensions and the audit log.
    pub fn moderation(&self) -> SqliteModerationRepository {
        SqliteModerationRepository::new(self.store.clone())
    }

    /// The public keys of all processes.
    pub fn verification_keys(&self) -> SqliteVerificationKeyRepository {
        SqliteVerificationKeyRepository::new(self.store.clone())
    }

    /// Upkeep.
    pub fn maintenance(&self) -> SqliteMaintenance {
        SqliteMaintenance::new(self.store.clone())
    }
}

/// Connections to a file don't break by themselves: none is tested before use or closed for its age.
pub(crate) fn pool(name: &str, purpose: Purpose, size: u32) -> Pool<ConnectionManager<SqliteConnection>> {
    Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(0))
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(MAX_WAIT)
        .connection_customizer(Box::new(purpose))
        .build_unchecked(ConnectionManager::new(name))
}
