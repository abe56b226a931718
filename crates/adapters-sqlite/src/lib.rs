//! The repositories on embedded SQLite: one file, no server.
//!
//! SQLite has many readers and one writer. Here the readers are a pool of connections, and the writer is one thread
//! that owns the one writing connection: writes that wait together are committed together, so that the price of a
//! commit that survives a power cut is paid once for all of them. Several processes may use the same file; their
//! writers take turns.

mod account_tokens;
mod api_keys;
mod chats;
mod connection;
mod database;
mod error;
mod file;
mod files;
#[cfg(test)]
mod hot_tests;
mod id;
mod idempotency;
mod maintenance;
mod messages;
mod migrations;
mod moderation;
mod outbox;
mod overviews;
mod schema;
mod sessions;
mod sql;
mod store;
#[cfg(test)]
mod testing;
mod users;
mod verification_keys;
mod writer;

pub use account_tokens::SqliteAccountTokenRepository;
pub use api_keys::SqliteApiKeyRepository;
pub use chats::SqliteChatRepository;
pub use database::{OpenError, SqliteDatabase, SqliteOptions};
pub use files::SqliteFileRepository;
pub use maintenance::SqliteMaintenance;
pub use messages::SqliteMessageRepository;
pub use migrations::{MigrateError, migrate};
pub use moderation::SqliteModerationRepository;
pub use outbox::SqliteOutboxRepository;
pub use overviews::SqliteOverviewRepository;
pub use sessions::SqliteSessionRepository;
pub use users::SqliteUserRepository;
pub use verification_keys::SqliteVerificationKeyRepository;
