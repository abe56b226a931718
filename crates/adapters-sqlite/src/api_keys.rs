//! The keys for bots and backends: sessions with a secret and scopes, and nothing to refresh.

use crate::id::DbId;
use crate::schema::sessions;
use crate::store::Store;
use crate::users::may_log_in;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::{ApiKeyRepository, RepositoryError};
use tertulia_domain::{ApiKey, ClaimedSession, DeviceName, Scopes, SessionId, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};

/// The API keys, on SQLite.
#[derive(Clone)]
pub struct SqliteApiKeyRepository {
    store: Store,
}

impl SqliteApiKeyRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, check_for_backend(Sqlite), treat_none_as_default_value = false)]
struct KeyRow {
    id: DbId,
    user_id: DbId,
    device: Option<String>,
    scopes: Option<String>,
    created_at: i64,
    last_used_at: i64,
    expires_at: Option<i64>,
}

impl From<ApiKey> for KeyRow {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.into(),
            user_id: key.user_id.into(),
            device: Some(key.name.as_str().to_owned()),
            scopes: Some(key.scopes.words().collect::<Vec<_>>().join(" ")),
            created_at: key.created_at.as_millis(),
            last_used_at: key.last_used_at.as_millis(),
            expires_at: key.expires_at.map(Timestamp::as_millis),
        }
    }
}

impl TryFrom<KeyRow> for ApiKey {
    type Error = RepositoryError;

    fn try_from(row: KeyRow) -> Result<Self, RepositoryError> {
        let name = DeviceName::new(row.device.as_deref().unwrap_or_default());
        Ok(Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            name: name.map_err(|why| refuse(row.id, why))?,
            scopes: scopes(row.id, row.scopes.as_deref())?,
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: Timestamp::from_millis(row.last_used_at),
            expires_at: row.expires_at.map(Timestamp::from_millis),
        })
    }
}

fn scopes(key: DbId, words: Option<&str>) -> Result<Scopes, RepositoryError> {
    Scopes::parse(words.unwrap_or_default().split(' ')).map_err(|why| refuse(key, why))
}

fn refuse(key: DbId, why: impl Display) -> RepositoryError {
    inconsistent("sessions", key, why)
}

fn insert(conn: &mut SqliteConnection, key: ApiKey, hash: [u8; 32], most: u32) -> QueryResult<bool> {
    let user = DbId::from(key.user_id);
    if !may_log_in(conn, user)? {
        return Ok(false);
    }
    let there: i64 = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::key_hash.is_not_null())
        .count()
        .get_result(conn)?;
    if there >= i64::from(most) {
        return Ok(false);
    }
    diesel::insert_into(sessions::table)
        .values((KeyRow::from(key), sessions::key_hash.eq(hash.as_slice())))
        .execute(conn)?;
    Ok(true)
}

fn find(
    conn: &mut SqliteConnection,
    hash: [u8; 32],
    at: Timestamp,
) -> Result<Option<(ClaimedSession, Scopes)>, TxError<RepositoryError>> {
    let lives = sessions::expires_at
        .is_null()
        .or(sessions::expires_at.gt(at.as_millis()));
    let found: Option<(DbId, DbId, Option<String>)> = sessions::table
        .filter(sessions::key_hash.eq(hash.as_slice()))
        .filter(lives)
        .select((sessions::id, sessions::user_id, sessions::scopes))
        .get_result(conn)
        .optional()?;
    let Some((id, user, words)) = found else {
        return Ok(None);
    };
    let claim = ClaimedSession {
        session_id: id.into(),
        user_id: user.into(),
    };
    Ok(Some((claim, scopes(id, words.as_deref())?)))
}

#[async_trait]
impl ApiKeyRepository for SqliteApiKeyRepository {
    async fn insert(&self, key: ApiKey, hash: [u8; 32], most: u32) -> Result<bool, RepositoryError> {
        self.store.write(move |conn| Ok(insert(conn, key, hash, most)?)).await
    }

    async fn find(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<(ClaimedSession, Scopes)>, RepositoryError> {
        self.store.read(move |conn| find(conn, hash, at)).await
    }

    async fn list(&self, user_id: UserId) -> Result<Vec<ApiKey>, RepositoryError> {
        let list = move |conn: &mut SqliteConnection| {
            let rows: Vec<KeyRow> = sessions::table
                .filter(sessions::user_id.eq(DbId::from(user_id)))
                .filter(sessions::key_hash.is_not_null())
                .order((sessions::created_at.desc(), sessions::id.desc()))
                .select(KeyRow::as_select())
                .load(conn)?;
            Ok(rows.into_iter().map(ApiKey::try_from).collect::<Result<_, _>>()?)
        };
        self.store.read(list).await
    }

    async fn revoke(&self, user_id: UserId, id: SessionId) -> Result<bool, RepositoryError> {
        let revoke = move |conn: &mut SqliteConnection| {
            let key = sessions::table
                .find(DbId::from(id))
                .filter(sessions::user_id.eq(DbId::from(user_id)))
                .filter(sessions::key_hash.is_not_null());
            Ok(diesel::delete(key).execute(conn)? > 0)
        };
        self.store.write(revoke).await
    }
}
