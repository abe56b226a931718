//! The database that the settings name.

use crate::config::{Config, DatabaseUrl};
use crate::errors::chain;
use anyhow::Context;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tertulia_adapters_postgres::{MigrateError, PgDatabase, PgOptions};
use tertulia_adapters_sqlite::{SqliteDatabase, SqliteOptions};
use tertulia_application::Repositories;
use tertulia_domain::repository::VerificationKeyRepository;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Between two attempts to reach a server.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(1);

/// What to do while a database server can't be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenUnreachable {
    /// Try again for as long as it takes.
    Wait,
    /// Give up.
    Fail,
}

/// A database that is open and whose schema is up to date.
pub(crate) struct Database {
    pub(crate) repositories: Repositories,
    pub(crate) keys: Arc<dyn VerificationKeyRepository>,
}

/// Opens the database and brings its schema up to date.
pub(crate) async fn open(config: &Config, when_unreachable: WhenUnreachable) -> anyhow::Result<Database> {
    let connections = config.database_connections.map(NonZeroU32::get);
    let opened = match &config.database_url {
        DatabaseUrl::Sqlite(path) => open_sqlite(path, connections).await,
        DatabaseUrl::Postgres(url) => open_postgres(url, connections, when_unreachable).await,
    };
    opened.with_context(|| format!("cannot use the database {}", config.database_url))
}

async fn open_sqlite(path: &Path, connections: Option<u32>) -> anyhow::Result<Database> {
    let mut options = SqliteOptions::default();
    options.max_readers = connections.unwrap_or(options.max_readers);
    let path = path.to_owned();
    let opened = spawn_blocking(move || {
        tertulia_adapters_sqlite::migrate(&path)?;
        anyhow::Ok(SqliteDatabase::open(&path, options)?)
    });
    let database = opened.await??;
    Ok(Database {
        repositories: Repositories {
            users: Arc::new(database.users()),
            sessions: Arc::new(database.sessions()),
            chats: Arc::new(database.chats()),
            overviews: Arc::new(database.overviews()),
            messages: Arc::new(database.messages()),
            files: Arc::new(database.files()),
            outbox: Arc::new(database.outbox()),
            account_tokens: Arc::new(database.account_tokens()),
            api_keys: Arc::new(database.api_keys()),
            moderation: Arc::new(database.moderation()),
            maintenance: Arc::new(database.maintenance()),
        },
        keys: Arc::new(database.verification_keys()),
    })
}

async fn open_postgres(
    url: &str,
    connections: Option<u32>,
    when_unreachable: WhenUnreachable,
) -> anyhow::Result<Database> {
    let mut options = PgOptions::default();
    options.max_connections = connections.unwrap_or(options.max_connections);
    let database = PgDatabase::connect(url, &options)?;
    migrate_postgres(url, when_unreachable).await?;
    Ok(Database {
        repositories: Repositories {
            users: Arc::new(database.users()),
            sessions: Arc::new(database.sessions()),
            chats: Arc::new(database.chats()),
            overviews: Arc::new(database.overviews()),
            messages: Arc::new(database.messages()),
            files: Arc::new(database.files()),
            outbox: Arc::new(database.outbox()),
            account_tokens: Arc::new(database.account_tokens()),
            api_keys: Arc::new(database.api_keys()),
            moderation: Arc::new(database.moderation()),
            maintenance: Arc::new(database.maintenance()),
        },
        keys: Arc::new(database.verification_keys()),
    })
}

async fn migrate_postgres(url: &str, when_unreachable: WhenUnreachable) -> anyhow::Result<()> {
    loop {
        let url = url.to_owned();
        match spawn_blocking(move || tertulia_adapters_postgres::migrate(&url)).await? {
            Ok(applied) => {
                tracing::info!(applied, "the database has the schema of this version");
                return Ok(());
            }
            Err(error @ MigrateError::Unreachable(_)) if when_unreachable == WhenUnreachable::Wait => {
                tracing::warn!(error = chain(&error), "cannot reach the database, trying again");
                sleep(BETWEEN_ATTEMPTS).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
