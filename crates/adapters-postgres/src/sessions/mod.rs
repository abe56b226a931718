//! Sessions.

mod activity;
mod begin;
mod refresh;

use crate::client::Client;
use crate::rows::{SessionRow, read_all, session_lives};
use crate::schema::sessions;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
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

/// The caller's role, and whether there is any block that concerns them: at most one entry of an index either way.
struct FindCaller;

impl Statement for FindCaller {
    type Columns = (Text, Bool);
    const SQL: &'static str = concat!(
        "SELECT u.role, COALESCE(
            (SELECT true FROM blocks x WHERE x.blocker_id = $2 LIMIT 1),
            (SELECT true FROM blocks x WHERE x.blocked_id = $2 LIMIT 1),
            false
        )
        FROM sessions e JOIN users u ON u.id = e.user_id
        WHERE ",
        session_lives!()
    );
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
                let found = prepared::<FindCaller, _>((
                    claim.session_id.as_uuid().into_sql::<SqlUuid>(),
                    claim.user_id.as_uuid().into_sql::<SqlUuid>(),
                    PgTime(at).into_sql::<Timestamptz>(),
                ))
                .get_result::<(String, bool)>(connection)
                .optional()?;
                Ok(found.map(|(role, blocks)| caller(claim, &role, blocks)).transpose()?)
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
                    .filter(
                        sessions::user_id
                            .eq(user_id.as_uuid())
                            .and(sessions::key_hash.is_null()),
                    )
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
                    .filter(
                        sessions::user_id
                            .eq(user_id.as_uuid())
                            .and(sessions::key_hash.is_null()),
                    )
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

fn caller(claim: ClaimedSession, role: &str, blocks: bool) -> Result<Caller, RepositoryError> {
    match Role::parse(role) {
        Some(role) => Ok(Caller {
            user_id: claim.user_id,
            session_id: claim.session_id,
            role,
            blocks,
        }),
        None => Err(inconsistent(
            "users",
            claim.user_id,
            format_args!("unknown word {role:?}"),
        )),
    }
}

/// All sessions of a user, locked in the order of their ids as a batch of activity does; with $2 the keys too, which are
/// not counted.
struct EndAll;

impl Statement for EndAll {
    type Columns = BigInt;
    const SQL: &'static str = "
        WITH ended AS (
            SELECT id FROM sessions WHERE user_id = $1 AND (key_hash IS NULL OR $2) ORDER BY id FOR UPDATE
        ),
        gone AS (
            DELETE FROM sessions e USING ended WHERE e.id = ended.id RETURNING e.key_hash
        )
        SELECT count(*) FROM gone WHERE key_hash IS NULL";
}

/// Ends all sessions of a user, but no keys; gives their number.
fn end_all(connection: &mut PgConnection, user_id: UserId) -> QueryResult<u64> {
    end(connection, user_id, false)
}

/// Ends all sessions of a user and all keys; gives the number of the sessions.
pub(crate) fn end_all_and_keys(connection: &mut PgConnection, user_id: UserId) -> QueryResult<u64> {
    end(connection, user_id, true)
}

fn end(connection: &mut PgConnection, user_id: UserId, keys: bool) -> QueryResult<u64> {
    let ended: i64 = prepared::<EndAll, _>((user_id.as_uuid().into_sql::<SqlUuid>(), keys.into_sql::<Bool>()))
        .get_result(connection)?;
    Ok(ended.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn a_caller_is_found_by_key() {
        let mut sample = Sample::create();
        // Somebody who blocks fifty, and somebody who blocks nobody.
        for user in [701, 950] {
            let user = id(user);
            for plan in sample.plans::<FindCaller>("uuid, uuid, timestamptz", &format!("{user}, {user}, now()")) {
                for word in ["Seq Scan", "Bitmap", "Sort"] {
                    assert!(!plan.contains(word), "{word} in {plan}");
                }
            }
        }
    }
}
