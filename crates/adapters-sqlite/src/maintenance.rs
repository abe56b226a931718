//! What keeps a file in order.

use crate::migrations;
use crate::schema::__diesel_schema_migrations as applied;
use crate::sql::Sql;
use crate::store::Store;
use async_trait::async_trait;
use diesel::prelude::*;
use tertulia_domain::Timestamp;
use tertulia_domain::idempotency::REMEMBERED;
use tertulia_domain::repository::{Maintenance, Purged, RepositoryError};
use thiserror::Error;

/// How many rows a clean-up removes before it lets other writes pass.
pub(crate) const BITE: u16 = 500;

/// API keys stay in their owner's list when they have expired.
const EXPIRED_SESSIONS: &[&str] = &["DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE expires_at <= ? AND key_hash IS NULL LIMIT +?
    )"];

const EXPIRED_TOKENS: &[&str] = &["DELETE FROM account_tokens WHERE hash IN (
        SELECT hash FROM account_tokens WHERE expires_at <= ? LIMIT +?
    )"];

const FORGOTTEN_KEYS: &[&str] = &["DELETE FROM idempotency_keys WHERE rowid IN (
        SELECT rowid FROM idempotency_keys WHERE created_at < ? LIMIT +?
    )"];

/// Upkeep, on SQLite.
#[derive(Clone)]
pub struct SqliteMaintenance {
    store: Store,
}

/// The schema lacks something that this program needs. What a newer one has added is no harm.
#[derive(Debug, Error)]
#[error("the schema has the migrations {there:?} and lacks some of {expected:?}")]
struct WrongSchema {
    there: Vec<String>,
    expected: Vec<String>,
}

impl SqliteMaintenance {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

/// Runs a statement that removes rows older than `before` until there are none; gives their number.
pub(crate) async fn remove(
    store: &Store,
    statement: &'static [&'static str],
    before: Timestamp,
) -> Result<u64, RepositoryError> {
    let mut removed = 0;
    loop {
        let bite = move |conn: &mut SqliteConnection| {
            let delete = Sql::<()>::new(statement).integer(before.as_millis());
            Ok(delete.integer(BITE.into()).execute(conn)?)
        };
        let rows = store.write::<_, RepositoryError, _>(bite).await?;
        removed += rows as u64;
        if rows < usize::from(BITE) {
            return Ok(removed);
        }
    }
}

#[async_trait]
impl Maintenance for SqliteMaintenance {
    async fn check(&self) -> Result<(), RepositoryError> {
        let check = |conn: &mut SqliteConnection| {
            let there: Vec<String> = applied::table
                .select(applied::version)
                .order(applied::version)
                .load(conn)?;
            let expected = migrations::versions().map_err(RepositoryError::Other)?;
            if expected.iter().all(|version| there.contains(version)) {
                Ok(())
            } else {
                Err(RepositoryError::Other(Box::new(WrongSchema { there, expected })).into())
            }
        };
        self.store.read(check).await
    }

    async fn purge(&self, at: Timestamp) -> Result<Purged, RepositoryError> {
        let store = &self.store;
        remove(store, EXPIRED_TOKENS, at).await?;
        Ok(Purged {
            sessions: remove(store, EXPIRED_SESSIONS, at).await?,
            idempotency_keys: remove(store, FORGOTTEN_KEYS, at.minus(REMEMBERED)).await?,
        })
    }
}
