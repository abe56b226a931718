use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::Activity;
use uuid::Uuid;

/// Takes arrays of users and times. Rows are locked in the order of their ids, so that two batches never wait for each
/// other in a circle.
struct TouchUsers;

impl Statement for TouchUsers {
    type Columns = ();
    const SQL: &'static str = "
        WITH activity AS (
            SELECT id, max(at) AS at FROM unnest($1, $2) AS entry (id, at) GROUP BY id
        ),
        moved AS (
            SELECT u.id, activity.at
            FROM users u JOIN activity ON activity.id = u.id
            WHERE u.deleted_at IS NULL AND (u.last_seen_at IS NULL OR u.last_seen_at < activity.at)
            ORDER BY u.id
            FOR NO KEY UPDATE OF u
        )
        UPDATE users u SET last_seen_at = moved.at FROM moved WHERE u.id = moved.id";
}

/// The same with arrays of sessions, their users, and times.
struct TouchSessions;

impl Statement for TouchSessions {
    type Columns = ();
    const SQL: &'static str = "
        WITH activity AS (
            SELECT id, user_id, max(at) AS at FROM unnest($1, $2, $3) AS entry (id, user_id, at) GROUP BY id, user_id
        ),
        moved AS (
            SELECT e.id, activity.at
            FROM sessions e JOIN activity ON activity.id = e.id AND activity.user_id = e.user_id
            WHERE e.last_used_at < activity.at
            ORDER BY e.id
            FOR NO KEY UPDATE OF e
        )
        UPDATE sessions e SET last_used_at = moved.at FROM moved WHERE e.id = moved.id";
}

/// A batch, column by column.
pub(super) struct Batch {
    sessions: Vec<Uuid>,
    users: Vec<Uuid>,
    times: Vec<PgTime>,
}

impl From<Vec<Activity>> for Batch {
    fn from(activity: Vec<Activity>) -> Self {
        Self {
            sessions: activity
                .iter()
                .map(|entry| *entry.session.session_id.as_uuid())
                .collect(),
            users: activity.iter().map(|entry| *entry.session.user_id.as_uuid()).collect(),
            times: activity.iter().map(|entry| PgTime(entry.at)).collect(),
        }
    }
}

/// For a transaction.
pub(super) fn record(connection: &mut PgConnection, batch: &Batch) -> QueryResult<()> {
    let users = (&batch.users).into_sql::<Array<SqlUuid>>();
    let times = (&batch.times).into_sql::<Array<Timestamptz>>();
    prepared::<TouchUsers, _>((users, times)).execute(connection)?;
    let sessions = (&batch.sessions).into_sql::<Array<SqlUuid>>();
    prepared::<TouchSessions, _>((sessions, users, times)).execute(connection)?;
    Ok(())
}
