use crate::client::Client;
use crate::rows::read_all;
use crate::schema::verification_keys::dsl;
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use tertulia_domain::repository::{RepositoryError, VerificationKey, VerificationKeyRepository};
use tertulia_sql_support::inconsistent;

/// The verification keys.
pub struct PgVerificationKeyRepository {
    client: Client,
}

impl PgVerificationKeyRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl VerificationKeyRepository for PgVerificationKeyRepository {
    async fn publish(&self, key: VerificationKey) -> Result<(), RepositoryError> {
        self.client
            .run(move |connection| {
                diesel::insert_into(dsl::verification_keys)
                    .values((
                        dsl::kid.eq(&key.kid),
                        dsl::public_key.eq(&key.public[..]),
                        dsl::created_at.eq(PgTime(key.created_at)),
                    ))
                    .on_conflict_do_nothing()
                    .execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn list(&self) -> Result<Vec<VerificationKey>, RepositoryError> {
        self.client
            .run(|connection| {
                let rows = dsl::verification_keys
                    .order((dsl::created_at, dsl::kid))
                    .load::<KeyRow>(connection)?;
                Ok(read_all(rows)?)
            })
            .await
    }
}

#[derive(Queryable)]
struct KeyRow {
    kid: String,
    public_key: Vec<u8>,
    created_at: PgTime,
}

impl TryFrom<KeyRow> for VerificationKey {
    type Error = RepositoryError;

    fn try_from(row: KeyRow) -> Result<Self, RepositoryError> {
        match row.public_key.try_into() {
            Ok(public) => Ok(Self {
                kid: row.kid,
                public,
                created_at: row.created_at.into(),
            }),
            Err(_) => Err(inconsistent("verification_keys", row.kid, "a key has 32 bytes")),
        }
    }
}
