//! The schema and its versions.

#[cfg(test)]
mod tests;

use crate::connection::{Purpose, establish, wait_when_busy};
use crate::file::{FileError, ensure};
use diesel::ConnectionError;
use diesel::migration::{Migration, MigrationSource};
use diesel::result::Error as DieselError;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// How long to wait for another process that is migrating: it may have much to move.
const PATIENCE: Duration = Duration::from_mins(10);

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
#[error("can't migrate the database")]
pub struct MigrateError(#[source] Box<dyn StdError + Send + Sync>);

impl From<FileError> for MigrateError {
    fn from(error: FileError) -> Self {
        Self(error.into())
    }
}

impl From<ConnectionError> for MigrateError {
    fn from(error: ConnectionError) -> Self {
        Self(error.into())
    }
}

impl From<DieselError> for MigrateError {
    fn from(error: DieselError) -> Self {
        Self(error.into())
    }
}

/// Brings the schema of the file up to date, making the file if there is none. Any number of processes may do so at
/// once: one of them migrates, the others wait and find it done. All pending migrations are applied, or none.
pub fn migrate(path: &Path) -> Result<(), MigrateError> {
    let mut conn = establish(&ensure(path)?, Purpose::Write)?;
    wait_when_busy(&mut conn, PATIENCE)?;
    conn.exclusive_transaction(|conn| match conn.run_pending_migrations(MIGRATIONS) {
        Ok(applied) => {
            for version in applied {
                tracing::info!(%version, "migrated");
            }
            Ok(())
        }
        Err(error) => Err(MigrateError(error)),
    })
}

/// The versions that this program is built for, in order.
pub(crate) fn versions() -> Result<Vec<String>, Box<dyn StdError + Send + Sync>> {
    let migrations: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations()?;
    let mut versions: Vec<String> = migrations
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    versions.sort_unstable();
    Ok(versions)
}
