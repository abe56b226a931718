//! The database as a whole.

mod location;
mod setup;

pub use location::ConnectError;
pub(crate) use location::Location;

use crate::account_tokens::PgAccountTokenRepository;
use crate::api_keys::PgApiKeyRepository;
use crate::chats::PgChatRepository;
use crate::client::Client;
use crate::files::PgFileRepository;
use crate::maintenance::PgMaintenance;
use crate::messages::PgMessageRepository;
use crate::moderation::PgModerationRepository;
use crate::outbox::PgOutboxRepository;
use crate::overviews::PgOverviewRepository;
use crate::sessions::PgSessionRepository;
use crate::users::PgUserRepository;
use crate::verification_keys::PgVerificationKeyRepository;
use diesel::PgConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use setup::{Customizer, LogErrors};
use std::time::Duration;
use tertulia_sql_support::{BlockingPool, MAX_WAIT};

/// How to use a database.
#[derive(Debug, Clone)]
pub struct PgOptions {
    /// How many connections this process opens at the most; at least one.
    pub max_connections: u32,
    /// How long one statement may take before the database breaks it off; to the whole millisecond.
    pub statement_timeout: Duration,
    /// What this process is called in the database's own views and logs.
    pub application_name: String,
}

impl Default for PgOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            statement_timeout: Duration::from_secs(30),
            application_name: "tertulia".to_owned(),
        }
    }
}

/// A PostgreSQL database.
#[derive(Clone)]
pub struct PgDatabase {
    client: Client,
}

impl PgDatabase {
    /// Makes ready to use the database of that URL. No connection is opened before the first is needed, so this succeeds
    /// also while the database is down; [`Maintenance::check`](tertulia_domain::repository::Maintenance::check) tells.
    pub fn connect(url: &str, options: &PgOptions) -> Result<Self, ConnectError> {
        let location = Location::parse(url)?;
        let pool = Pool::builder()
            .max_size(options.max_connections.max(1))
            .min_idle(Some(0))
            .connection_timeout(MAX_WAIT)
            // It would be one more round trip for every call. A connection that was lost shows when it is used, and is
            // not used again.
            .test_on_check_out(false)
            .connection_customizer(Box::new(Customizer::new(options)))
            .error_handler(Box::new(LogErrors))
            .build_unchecked(ConnectionManager::<PgConnection>::new(location.as_str()));
        Ok(Self {
            client: Client::new(BlockingPool::new(pool, "postgres")),
        })
    }

    /// The users.
    pub fn users(&self) -> PgUserRepository {
        PgUserRepository::new(self.client.clone())
    }

    /// The sessions.
    pub fn sessions(&self) -> PgSessionRepository {
        PgSessionRepository::new(self.client.clone())
    }

    /// The chats and their members.
    pub fn chats(&self) -> PgChatRepository {
        PgChatRepository::new(self.client.clone())
    }

    /// Chats and messages as contracts list them.
    pub fn overviews(&self) -> PgOverviewRepository {
        PgOverviewRepository::new(self.client.clone())
    }

    /// The messages.
    pub fn messages(&self) -> PgMessageRepository {
        PgMessageRepository::new(self.client.clone())
    }

    /// The files.
    pub fn files(&self) -> PgFileRepository {
        PgFileRepository::new(self.client.clone())
    }

    /// The mails that are still to be sent.
    pub fn outbox(&self) -> PgOutboxRepository {
        PgOutboxRepository::new(self.client.clone())
    }

    /// The tokens that go out by mail.
    pub fn account_tokens(&self) -> PgAccountTokenRepository {
        PgAccountTokenRepository::new(self.client.clone())
    }

    /// The keys for bots and backends.
    pub fn api_keys(&self) -> PgApiKeyRepository {
        PgApiKeyRepository::new(self.client.clone())
    }

    /// Blocks, reports, suspensions and the audit log.
    pub fn moderation(&self) -> PgModerationRepository {
        PgModerationRepository::new(self.client.clone())
    }

    /// The verification keys.
    pub fn verification_keys(&self) -> PgVerificationKeyRepository {
        PgVerificationKeyRepository::new(self.client.clone())
    }

    /// Upkeep.
    pub fn maintenance(&self) -> PgMaintenance {
        PgMaintenance::new(self.client.clone())
    }
}
