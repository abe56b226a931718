//! The repositories on PostgreSQL.
//!
//! Statements on the hot paths (sending, reading history, listing chats, checking a session) are one round trip each:
//! prepared once for each connection, committed by themselves, with the check of the session inside. Everything else is
//! a short transaction.
//!
//! All of it relies on the isolation level READ COMMITTED and says where it does: what a statement sees is as of its
//! beginning, and what it waited for is looked at again. Lists that are counted are the exception: their statements see
//! the database at one moment.

mod account_tokens;
mod api_keys;
mod chats;
mod client;
mod database;
mod files;
mod idempotency;
mod maintenance;
mod messages;
mod migrations;
mod moderation;
mod outbox;
mod overviews;
#[cfg(test)]
mod plans;
mod rows;
mod schema;
mod sessions;
mod statement;
#[cfg(feature = "test-support")]
pub mod test_support;
mod time;
mod users;
mod verification_keys;

pub use account_tokens::PgAccountTokenRepository;
pub use api_keys::PgApiKeyRepository;
pub use chats::PgChatRepository;
pub use database::{ConnectError, PgDatabase, PgOptions};
pub use files::PgFileRepository;
pub use maintenance::PgMaintenance;
pub use messages::PgMessageRepository;
pub use migrations::{MigrateError, migrate};
pub use moderation::PgModerationRepository;
pub use outbox::PgOutboxRepository;
pub use overviews::PgOverviewRepository;
pub use sessions::PgSessionRepository;
pub use users::PgUserRepository;
pub use verification_keys::PgVerificationKeyRepository;

// Nothing here calls OpenSSL; the dependency only has libpq built with it.
#[cfg(feature = "postgres-tls")]
use openssl_sys as _;
