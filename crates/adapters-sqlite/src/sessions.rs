//! The sessions.

use crate::id::DbId;
use crate::schema::sessions;
use crate::sql::Sql;
use crate::store::Store;
use crate::users::{find as find_user, may_log_in, role};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel::sqlite::Sqlite;
use std::net::IpAddr;
use tertulia_domain::repository::{Activity, NewSession, RepositoryError, RotateRefresh, Rotation, SessionRepository};
use tertulia_domain::{Caller, ClaimedSession, DeviceName, Session, SessionId, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};

/// The sessions, on SQLite.
#[derive(Clone)]
pub struct SqliteSessionRepository {
    store: Store,
}

impl SqliteSessionRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions, check_for_backend(Sqlite), treat_none_as_default_value = false)]
struct SessionRow {
    id: DbId,
    user_id: DbId,
    device: Option<String>,
    ip: Option<String>,
    created_at: i64,
    last_used_at: i64,
    expires_at: Option<i64>,
}

impl From<Session> for SessionRow {
    fn from(session: Session) -> Self {
        Self {
            id: session.id.into(),
            user_id: session.user_id.into(),
            device: session.device.map(|device| device.as_str().to_owned()),
            ip: session.ip.map(|ip| ip.to_string()),
            created_at: session.created_at.as_millis(),
            last_used_at: session.last_used_at.as_millis(),
            expires_at: Some(session.expires_at.as_millis()),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = RepositoryError;

    fn try_from(row: SessionRow) -> Result<Self, RepositoryError> {
        let device = row.device.as_deref().map(DeviceName::new).transpose();
        let ip = row.ip.as_deref().map(str::parse::<IpAddr>).transpose();
        Ok(Self {
            id: row.id.into(),
            user_id: row.user_id.into(),
            device: device.map_err(|why| inconsistent("sessions", row.id, why))?,
            ip: ip.map_err(|why| inconsistent("sessions", row.id, why))?,
            created_at: Timestamp::from_millis(row.created_at),
            last_used_at: Timestamp::from_millis(row.last_used_at),
            expires_at: row
                .expires_at
                .map(Timestamp::from_millis)
                .ok_or_else(|| inconsistent("sessions", row.id, "it never expires"))?,
        })
    }
}

/// The live sessions of a user beyond a number, by their last use.
const END_OLDEST: &[&str] = &["DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE user_id = ? AND key_hash IS NULL AND expires_at > ?
        ORDER BY last_used_at DESC, created_at DESC, id DESC
        LIMIT -1 OFFSET +?
    )"];

/// API keys may never expire.
const FIND_CALLER: &[&str] = &["SELECT users.role,
        EXISTS (SELECT 1 FROM blocks WHERE blocker_id = users.id)
        OR EXISTS (SELECT 1 FROM blocks WHERE blocked_id = users.id)
    FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.id = ? AND sessions.user_id = ? AND (sessions.expires_at IS NULL OR sessions.expires_at > ?)"];

/// The value is an array of `[session, user, time]`, the identifiers in hexadecimal; one session may be in it many
/// times.
const USE_SESSIONS: &[&str] = &["UPDATE sessions SET last_used_at = used.at
    FROM (
        SELECT unhex(value ->> 0) AS id, unhex(value ->> 1) AS user_id, max(value ->> 2) AS at
        FROM json_each(?) GROUP BY 1, 2
    ) AS used
    WHERE sessions.id = used.id AND sessions.user_id = used.user_id AND sessions.last_used_at < used.at"];

const SEE_USERS: &[&str] = &["UPDATE users SET last_seen_at = seen.at
    FROM (SELECT unhex(value ->> 1) AS id, max(value ->> 2) AS at FROM json_each(?) GROUP BY 1) AS seen
    WHERE users.id = seen.id AND users.deleted_at IS NULL AND coalesce(users.last_seen_at, -1) < seen.at"];

fn insert(conn: &mut SqliteConnection, new: NewSession, most: u32) -> QueryResult<bool> {
    let NewSession { session, refresh } = new;
    let (user_id, at) = (session.user_id, session.created_at);
    if !may_log_in(conn, user_id)? {
        return Ok(false);
    }
    diesel::insert_into(sessions::table)
        .values((
            SessionRow::from(session),
            sessions::refresh_family.eq(refresh.family.as_slice()),
            sessions::refresh_secret.eq(refresh.secret.as_slice()),
        ))
        .execute(conn)?;
    Sql::<()>::new(END_OLDEST)
        .id(user_id)
        .integer(at.as_millis())
        .integer(most.into())
        .execute(conn)?;
    Ok(true)
}

/// Ends all sessions of a user but one; API keys stay. Gives their number.
pub(crate) fn end_all(conn: &mut SqliteConnection, user: DbId, keep: Option<SessionId>) -> QueryResult<u64> {
    let all = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::key_hash.is_null());
    let ended = match keep {
        None => diesel::delete(all).execute(conn)?,
        Some(keep) => diesel::delete(all.filter(sessions::id.ne(DbId::from(keep)))).execute(conn)?,
    };
    Ok(ended as u64)
}

/// Ends all sessions of a user and revokes all keys.
pub(crate) fn end_all_and_keys(conn: &mut SqliteConnection, user: DbId) -> QueryResult<()> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user)))
        .execute(conn)
        .map(drop)
}

/// Who that is, if the session lives.
pub(crate) fn find_caller<E>(
    conn: &mut SqliteConnection,
    claim: ClaimedSession,
    at: Timestamp,
) -> Result<Option<Caller>, TxError<E>> {
    let found: Option<(String, bool)> = Sql::<(Text, Bool)>::new(FIND_CALLER)
        .id(claim.session_id)
        .id(claim.user_id)
        .integer(at.as_millis())
        .get_result(conn)
        .optional()?;
    let Some((text, blocks)) = found else { return Ok(None) };
    Ok(Some(Caller {
        user_id: claim.user_id,
        session_id: claim.session_id,
        role: role(claim.user_id.into(), &text)?,
        blocks,
    }))
}

/// Family and secret of a refresh token.
type Hashes = (Option<Vec<u8>>, Option<Vec<u8>>);

fn rotate(conn: &mut SqliteConnection, rotation: RotateRefresh) -> Result<Rotation, TxError<RepositoryError>> {
    let session = sessions::table.find(DbId::from(rotation.session_id));
    let found: Option<(SessionRow, Hashes)> = session
        .filter(sessions::expires_at.gt(rotation.at.as_millis()))
        .select((
            SessionRow::as_select(),
            (sessions::refresh_family, sessions::refresh_secret),
        ))
        .get_result(conn)
        .optional()?;
    // API keys have none.
    let Some((mut row, (Some(family), Some(secret)))) = found else {
        return Ok(Rotation::Unknown);
    };
    if family != rotation.presented.family {
        return Ok(Rotation::Unknown);
    }
    if secret != rotation.presented.secret {
        diesel::delete(session).execute(conn)?;
        return Ok(Rotation::Reused);
    }
    row.last_used_at = row.last_used_at.max(rotation.at.as_millis());
    row.expires_at = Some(rotation.expires_at.as_millis());
    diesel::update(session)
        .set((
            sessions::refresh_secret.eq(rotation.next_secret.as_slice()),
            sessions::last_used_at.eq(row.last_used_at),
            sessions::expires_at.eq(row.expires_at),
        ))
        .execute(conn)?;
    let session = Session::try_from(row)?;
    let Some(user) = find_user(conn, session.user_id)? else {
        return Err(inconsistent("sessions", session.id, "its user is missing").into());
    };
    Ok(Rotation::Rotated {
        session,
        user: Box::new(user),
    })
}

fn list(conn: &mut SqliteConnection, user_id: UserId, at: Timestamp) -> Result<Vec<Session>, TxError<RepositoryError>> {
    let rows: Vec<SessionRow> = sessions::table
        .filter(sessions::user_id.eq(DbId::from(user_id)))
        .filter(sessions::key_hash.is_null())
        .filter(sessions::expires_at.gt(at.as_millis()))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Session::try_from).collect::<Result<_, _>>()?)
}

fn record_activity(conn: &mut SqliteConnection, activity: &[Activity]) -> QueryResult<()> {
    let entry = |Activity { session, at }: &Activity| {
        let (id, user) = (DbId::from(session.session_id), DbId::from(session.user_id));
        serde_json::json!([id.hex(), user.hex(), at.as_millis()])
    };
    let entries = activity.iter().map(entry).collect::<serde_json::Value>().to_string();
    for statement in [USE_SESSIONS, SEE_USERS] {
        Sql::<()>::new(statement).text(&entries).execute(conn)?;
    }
    Ok(())
}

#[async_trait]
impl SessionRepository for SqliteSessionRepository {
    async fn insert(&self, session: NewSession, most: u32) -> Result<bool, RepositoryError> {
        self.store.write(move |conn| Ok(insert(conn, session, most)?)).await
    }

    async fn find_caller(&self, claim: ClaimedSession, at: Timestamp) -> Result<Option<Caller>, RepositoryError> {
        self.store.read(move |conn| find_caller(conn, claim, at)).await
    }

    async fn rotate(&self, rotation: RotateRefresh) -> Result<Rotation, RepositoryError> {
        self.store.write(move |conn| rotate(conn, rotation)).await
    }

    async fn list(&self, user_id: UserId, at: Timestamp) -> Result<Vec<Session>, RepositoryError> {
        self.store.read(move |conn| list(conn, user_id, at)).await
    }

    async fn end(&self, user_id: UserId, session_id: SessionId) -> Result<bool, RepositoryError> {
        let end = move |conn: &mut SqliteConnection| {
            let session = sessions::table
                .find(DbId::from(session_id))
                .filter(sessions::user_id.eq(DbId::from(user_id)))
                .filter(sessions::key_hash.is_null());
            Ok(diesel::delete(session).execute(conn)? > 0)
        };
        self.store.write(end).await
    }

    async fn end_all(&self, user_id: UserId) -> Result<u64, RepositoryError> {
        self.store
            .write(move |conn| Ok(end_all(conn, user_id.into(), None)?))
            .await
    }

    async fn record_activity(&self, activity: Vec<Activity>) -> Result<(), RepositoryError> {
        if activity.is_empty() {
            return Ok(());
        }
        self.store
            .write(move |conn| Ok(record_activity(conn, &activity)?))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::FIND_CALLER;
    use crate::testing::plan;

    #[test]
    fn a_caller_is_found_by_primary_keys() {
        let plan = plan(FIND_CALLER);
        assert_eq!(plan[0], "SEARCH sessions USING PRIMARY KEY (id=?)");
        assert!(!plan.iter().any(|step| step.starts_with("SCAN ")), "{plan:?}");
    }
}
