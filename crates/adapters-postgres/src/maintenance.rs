//! Upkeep.

use crate::client::Client;
use crate::migrations;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use tertulia_domain::Timestamp;
use tertulia_domain::idempotency::REMEMBERED;
use tertulia_domain::repository::{Maintenance, Purged, RepositoryError};

/// What keeps the database in order.
pub struct PgMaintenance {
    client: Client,
}

/// How many rows a statement removes at the most.
const BITE: i64 = 1_000;

/// Keys stay, so that their owners see that they have expired. Passes over rows that somebody is about to change: the next clean-up finds them.
struct PurgeSessions;

impl Statement for PurgeSessions {
    type Columns = ();
    const SQL: &'static str = "
        WITH bite AS (
            SELECT id FROM sessions WHERE expires_at <= $1 AND key_hash IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM sessions e USING bite WHERE e.id = bite.id";
}

struct PurgeTokens;

impl Statement for PurgeTokens {
    type Columns = ();
    const SQL: &'static str = "
        WITH bite AS (
            SELECT hash FROM account_tokens WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM account_tokens t USING bite WHERE t.hash = bite.hash";
}

struct PurgeKeys;

impl Statement for PurgeKeys {
    type Columns = ();
    const SQL: &'static str = "
        WITH bite AS (
            SELECT user_id, key FROM idempotency_keys WHERE created_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM idempotency_keys k USING bite WHERE k.user_id = bite.user_id AND k.key = bite.key";
}

impl PgMaintenance {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Removes what `S` finds before a time, a bite a transaction.
    async fn purge_all<S: Statement>(&self, before: Timestamp) -> Result<u64, RepositoryError> {
        let mut removed = 0;
        loop {
            let bite: usize = self
                .client
                .run(move |connection| {
                    let before = PgTime(before).into_sql::<Timestamptz>();
                    Ok(prepared::<S, _>((before, BITE.into_sql::<BigInt>())).execute(connection)?)
                })
                .await?;
            removed += bite as u64;
            if bite == 0 {
                return Ok(removed);
            }
        }
    }
}

#[async_trait]
impl Maintenance for PgMaintenance {
    async fn check(&self) -> Result<(), RepositoryError> {
        self.client.run(migrations::check).await
    }

    async fn purge(&self, at: Timestamp) -> Result<Purged, RepositoryError> {
        self.purge_all::<PurgeTokens>(at).await?;
        Ok(Purged {
            sessions: self.purge_all::<PurgeSessions>(at).await?,
            idempotency_keys: self.purge_all::<PurgeKeys>(at.minus(REMEMBERED)).await?,
        })
    }
}
