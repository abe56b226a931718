//! The schema: bringing a database up to it, and checking that it is there.

use crate::database::{ConnectError, Location};
use crate::schema::__diesel_schema_migrations as applied;
use crate::statement::{Statement, prepared};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::error::Error as StdError;
use tertulia_domain::repository::RepositoryError;
use tertulia_sql_support::TxError;
use thiserror::Error;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Names the advisory lock that a migrating process holds: "tertulia" in ASCII.
const LOCK: i64 = 0x7465_7274_756c_6961;

/// Why a database could not be brought up to the schema.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// See there.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The database can't be reached or refuses the connection.
    #[error("can't connect to the database: {0}")]
    Unreachable(#[from] ConnectionError),
    /// The lock that keeps processes from migrating at the same time could not be had.
    #[error("can't take the lock for migrations: {0}")]
    Lock(#[source] diesel::result::Error),
    /// A migration failed; those before it are in place.
    #[error("a migration failed: {0}")]
    Migration(#[source] Box<dyn StdError + Send + Sync>),
}

/// Applies the migrations that are pending; gives their number. Blocks. Of several processes at once one does it and the
/// others wait for it.
pub fn migrate(url: &str) -> Result<usize, MigrateError> {
    let mut connection = PgConnection::establish(Location::parse(url)?.as_str())?;
    // The lock goes with the connection, however this ends.
    lock(&mut connection, LOCK).map_err(MigrateError::Lock)?;
    let applied = connection
        .run_pending_migrations(MIGRATIONS)
        .map_err(MigrateError::Migration)?;
    Ok(applied.len())
}

struct Lock;

impl Statement for Lock {
    type Columns = ();
    const SQL: &'static str = "SELECT pg_advisory_lock($1)";
}

/// Waits for an advisory lock and holds it for as long as the connection stands.
pub(crate) fn lock(connection: &mut PgConnection, key: i64) -> QueryResult<()> {
    prepared::<Lock, _>((key.into_sql::<BigInt>(),)).execute(connection)?;
    Ok(())
}

/// The schema in the database is not the one that this program was built for.
#[derive(Debug, Error)]
#[error("the schema is at version {found}, this program needs {wanted}", found = found.as_deref().unwrap_or("none"))]
struct OtherSchema {
    wanted: String,
    found: Option<String>,
}

/// Succeeds when the newest migration that is known here was applied. A newer one may have been too: while processes are
/// replaced one by one the old ones go on, and migrations expand before they contract.
pub(crate) fn check(connection: &mut PgConnection) -> Result<(), TxError<RepositoryError>> {
    let found: Option<String> = applied::table
        .select(diesel::dsl::max(applied::version))
        .first(connection)?;
    let wanted = newest().map_err(RepositoryError::Other)?;
    if found.as_ref() >= Some(&wanted) {
        Ok(())
    } else {
        Err(RepositoryError::Other(Box::new(OtherSchema { wanted, found })).into())
    }
}

fn newest() -> Result<String, Box<dyn StdError + Send + Sync>> {
    let mut migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS)?;
    migrations.sort_by(|a, b| a.name().version().cmp(&b.name().version()));
    let newest = migrations.pop().ok_or("no migration is embedded")?;
    Ok(newest.name().version().to_string())
}
