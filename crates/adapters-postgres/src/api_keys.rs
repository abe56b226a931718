//! Keys for bots and backends: rows among the sessions that have a secret's hash and nothing to refresh.

use crate::client::Client;
use crate::rows::{Reader, read_all};
use crate::schema::{sessions, users};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{ApiKeyRepository, RepositoryError};
use tertulia_domain::{ApiKey, ClaimedSession, DeviceName, Scopes, SessionId, Timestamp, UserId};
use uuid::Uuid;

/// The keys.
pub struct PgApiKeyRepository {
    client: Client,
}

impl PgApiKeyRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[derive(Insertable)]
#[diesel(table_name = sessions)]
struct NewKeyRow<'a> {
    id: &'a Uuid,
    user_id: &'a Uuid,
    device: &'a str,
    created_at: PgTime,
    last_used_at: PgTime,
    expires_at: Option<PgTime>,
    key_hash: &'a [u8],
    scopes: String,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Pg))]
struct KeyRow {
    id: Uuid,
    user_id: Uuid,
    device: Option<String>,
    scopes: Option<String>,
    created_at: PgTime,
    last_used_at: PgTime,
    expires_at: Option<PgTime>,
}

impl TryFrom<KeyRow> for ApiKey {
    type Error = RepositoryError;

    fn try_from(row: KeyRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "sessions",
            key: row.id,
        };
        let name = reader.text(row.device.as_deref(), DeviceName::new)?;
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            name: name.ok_or_else(|| reader.refuse("a key without a name"))?,
            scopes: scopes(&reader, row.scopes.as_deref().unwrap_or_default())?,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.into(),
            expires_at: row.expires_at.map(Into::into),
        })
    }
}

/// The words of scopes stand with a space between them.
fn scopes(reader: &Reader<Uuid>, words: &str) -> Result<Scopes, RepositoryError> {
    Scopes::parse(words.split_whitespace()).map_err(|error| reader.refuse(error))
}

struct Find;

impl Statement for Find {
    type Columns = (SqlUuid, SqlUuid, Text);
    const SQL: &'static str = "
        SELECT e.id, e.user_id, e.scopes
        FROM sessions e
        WHERE e.key_hash = $1 AND (e.expires_at > $2 OR e.expires_at IS NULL)";
}

/// For a transaction.
fn insert(connection: &mut PgConnection, key: &ApiKey, hash: &[u8; 32], most: u32) -> QueryResult<bool> {
    // The lock makes the insertions for one user take turns: otherwise two at once would not count each other's keys.
    let user = users::table
        .find(key.user_id.as_uuid())
        .filter(users::deleted_at.is_null().and(users::suspended_at.is_null()))
        .select(users::id)
        .for_no_key_update()
        .first::<Uuid>(connection)
        .optional()?;
    let Some(user) = user else { return Ok(false) };
    let keys: i64 = sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::key_hash.is_not_null()))
        .count()
        .get_result(connection)?;
    if keys >= i64::from(most) {
        return Ok(false);
    }
    diesel::insert_into(sessions::table)
        .values(NewKeyRow {
            id: key.id.as_uuid(),
            user_id: &user,
            device: key.name.as_str(),
            created_at: PgTime(key.created_at),
            last_used_at: PgTime(key.last_used_at),
            expires_at: key.expires_at.map(PgTime),
            key_hash: &hash[..],
            scopes: key.scopes.words().collect::<Vec<_>>().join(" "),
        })
        .execute(connection)?;
    Ok(true)
}

#[async_trait]
impl ApiKeyRepository for PgApiKeyRepository {
    async fn insert(&self, key: ApiKey, hash: [u8; 32], most: u32) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| Ok(insert(connection, &key, &hash, most)?)))
            .await
    }

    async fn find(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<(ClaimedSession, Scopes)>, RepositoryError> {
        self.client
            .run(move |connection| {
                let found = prepared::<Find, _>((hash[..].into_sql::<Binary>(), PgTime(at).into_sql::<Timestamptz>()))
                    .get_result::<(Uuid, Uuid, String)>(connection)
                    .optional()?;
                let Some((id, user, words)) = found else {
                    return Ok(None);
                };
                let reader = Reader {
                    table: "sessions",
                    key: id,
                };
                let claim = ClaimedSession {
                    session_id: SessionId::from_uuid(id),
                    user_id: UserId::from_uuid(user),
                };
                Ok(Some((claim, scopes(&reader, &words)?)))
            })
            .await
    }

    async fn list(&self, user_id: UserId) -> Result<Vec<ApiKey>, RepositoryError> {
        self.client
            .run(move |connection| {
                let rows = sessions::table
                    .filter(sessions::user_id.eq(user_id.as_uuid()))
                    .filter(sessions::key_hash.is_not_null())
                    .order((sessions::created_at.desc(), sessions::id.desc()))
                    .select(KeyRow::as_select())
                    .load(connection)?;
                Ok(read_all(rows)?)
            })
            .await
    }

    async fn revoke(&self, user_id: UserId, id: SessionId) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                let revoked = diesel::delete(sessions::table.find(id.as_uuid()))
                    .filter(sessions::user_id.eq(user_id.as_uuid()))
                    .filter(sessions::key_hash.is_not_null())
                    .execute(connection)?;
                Ok(revoked > 0)
            })
            .await
    }
}
