//! The public keys of all processes.

use crate::schema::verification_keys;
use crate::store::Store;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use tertulia_domain::Timestamp;
use tertulia_domain::repository::{RepositoryError, VerificationKey, VerificationKeyRepository};
use tertulia_sql_support::inconsistent;

/// The verification keys, on SQLite.
#[derive(Clone)]
pub struct SqliteVerificationKeyRepository {
    store: Store,
}

impl SqliteVerificationKeyRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = verification_keys, check_for_backend(Sqlite))]
struct KeyRow {
    kid: String,
    public_key: Vec<u8>,
    created_at: i64,
}

impl From<VerificationKey> for KeyRow {
    fn from(key: VerificationKey) -> Self {
        Self {
            kid: key.kid,
            public_key: key.public.to_vec(),
            created_at: key.created_at.as_millis(),
        }
    }
}

impl TryFrom<KeyRow> for VerificationKey {
    type Error = RepositoryError;

    fn try_from(row: KeyRow) -> Result<Self, RepositoryError> {
        match row.public_key.try_into() {
            Ok(public) => Ok(Self {
                kid: row.kid,
                public,
                created_at: Timestamp::from_millis(row.created_at),
            }),
            Err(_) => Err(inconsistent("verification_keys", row.kid, "the key has not 32 bytes")),
        }
    }
}

#[async_trait]
impl VerificationKeyRepository for SqliteVerificationKeyRepository {
    async fn publish(&self, key: VerificationKey) -> Result<(), RepositoryError> {
        let publish = |conn: &mut SqliteConnection| {
            diesel::insert_or_ignore_into(verification_keys::table)
                .values(KeyRow::from(key))
                .execute(conn)?;
            Ok(())
        };
        self.store.write(publish).await
    }

    async fn list(&self) -> Result<Vec<VerificationKey>, RepositoryError> {
        let list = |conn: &mut SqliteConnection| {
            let rows: Vec<KeyRow> = verification_keys::table
                .order((verification_keys::created_at, verification_keys::kid))
                .select(KeyRow::as_select())
                .load(conn)?;
            Ok(rows
                .into_iter()
                .map(VerificationKey::try_from)
                .collect::<Result<_, _>>()?)
        };
        self.store.read(list).await
    }
}
