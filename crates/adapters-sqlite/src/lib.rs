//! The repositories on embedded SQLite: one file, no server.
//!
//! SQLite has many readers and one writer. Here the readers are a pool of connections, and the writer is one thread
//! that owns the one writing connection: writes that wait together are committed together, so that the price of a
//! commit that survives a power cut is paid once for all of them. Several processes may use the same file; their
//! writers take turns.

mod chats;
mod connection;
mod database;
mod error;
mod file;
#[cfg(test)]
mod hot_tests;
mod id;
mod idempotency;
mod maintenance;
mod messages;
mod migrations;
mod schema;
mod sessions;
mod sql;
mod store;
#[cfg(test)]
mod testing;
mod users;
mod verification_keys;
mod writer;

pub use chats::SqliteChatRepository;
pub use database::{OpenError, SqliteDatabase, SqliteOptions};
pub use maintenance::SqliteMaintenance;
pub use messages::SqliteMessageRepository;
pub use migrations::{MigrateError, migrate};
pub use sessions::SqliteSessionRepository;
pub use users::SqliteUserRepository;
pub use verification_keys::SqliteVerificationKeyRepository;
