//! Sessions.

mod activity;
mod begin;
mod refresh;

use crate::client::Client;
use crate::rows::{SessionRow, read_all};
use crate::schema::{sessions, users};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use tertulia_domain::repository::{Activity, NewSession, RepositoryError, RotateRefresh, Rotation, SessionRepository};
use tertulia_domain::{Caller, ClaimedSession, Role, Session, SessionId, Timestamp, UserId};
use tertulia_sql_support::inconsistent;

/// The sessions.
pub struct PgSessionRepository {
    client: Client,
}

impl PgSessionRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl SessionRepository for PgSessionRepository {
    async fn insert(&self, session: NewSession, most: u32) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| Ok(begin::session(connection, &session, most)?)))
            .await
    }

    async fn find_caller(&self, claim: ClaimedSession, at: Timestamp) -> Result<Option<Caller>, RepositoryError> {
        self.client
            .run(move |connection| {
                let role = sessions::table
                    .inner_join(users::table)
                    .filter(sessions::id.eq(claim.session_id.as_uuid()))
                    .filter(sessions::user_id.eq(claim.user_id.as_uuid()))
                    .filter(sessions::expires_at.gt(PgTime(at)))
                    .select(users::role)
                    .first::<String>(connection)
                    .optional()?;
                Ok(role.map(|role| caller(claim, &role)).transpose()?)
            })
            .await
    }

    async fn rotate(&self, rotation: RotateRefresh) -> Result<Rotation, RepositoryError> {
        self.client
            .run(move |connection| refresh::rotate(connection, &rotation))
            .await
    }

    async fn list(&self, user_id: UserId, at: Timestamp) -> Result<Vec<Session>, RepositoryError> {
        self.client
            .run(move |connection| {
                let rows = sessions::table
                    .filter(sessions::user_id.eq(user_id.as_uuid()))
                    .filter(sessions::expires_at.gt(PgTime(at)))
                    .order((sessions::created_at.desc(), sessions::id.desc()))
                    .select(SessionRow::as_select())
                    .load(connection)?;
                Ok(read_all(rows)?)
            })
            .await
    }

    async fn end(&self, user_id: UserId, session_id: SessionId) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                let ended = diesel::delete(sessions::table.find(session_id.as_uuid()))
                    .filter(sessions::user_id.eq(user_id.as_uuid()))
                    .execute(connection)?;
                Ok(ended > 0)
            })
            .await
    }

    async fn end_all(&self, user_id: UserId) -> Result<u64, RepositoryError> {
        self.client
            .run(move |connection| Ok(end_all(connection, user_id)?))
            .await
    }

    async fn record_activity(&self, activity: Vec<Activity>) -> Result<(), RepositoryError> {
        let batch = activity::Batch::from(activity);
        self.client
            .run(move |connection| connection.transaction(|connection| Ok(activity::record(connection, &batch)?)))
            .await
    }
}

fn caller(claim: ClaimedSession, role: &str) -> Result<Caller, RepositoryError> {
    match Role::parse(role) {
        Some(role) => Ok(Caller {
            user_id: claim.user_id,
            session_id: claim.session_id,
            role,
        }),
        None => Err(inconsistent(
            "users",
            claim.user_id,
            format_args!("unknown word {role:?}"),
        )),
    }
}

/// All sessions of a user, locked in the order of their ids as a batch of activity does.
struct EndAll;

impl Statement for EndAll {
    type Columns = ();
    const SQL: &'static str = "
        WITH ended AS (
            SELECT id FROM sessions WHERE user_id = $1 ORDER BY id FOR UPDATE
        )
        DELETE FROM sessions e USING ended WHERE e.id = ended.id";
}

/// Ends all sessions of a user; gives their number.
pub(crate) fn end_all(connection: &mut PgConnection, user_id: UserId) -> QueryResult<u64> {
    let ended = prepared::<EndAll, _>((user_id.as_uuid().into_sql::<SqlUuid>(),)).execute(connection)?;
    Ok(ended as u64)
}
