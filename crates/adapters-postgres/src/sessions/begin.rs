use crate::schema::{sessions, users};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::DeviceName;
use tertulia_domain::repository::NewSession;
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = sessions)]
struct NewSessionRow<'a> {
    id: &'a Uuid,
    user_id: &'a Uuid,
    device: Option<&'a str>,
    ip: Option<String>,
    refresh_family: &'a [u8],
    refresh_secret: &'a [u8],
    created_at: PgTime,
    last_used_at: PgTime,
    expires_at: PgTime,
}

impl<'a> From<&'a NewSession> for NewSessionRow<'a> {
    fn from(new: &'a NewSession) -> Self {
        let session = &new.session;
        Self {
            id: session.id.as_uuid(),
            user_id: session.user_id.as_uuid(),
            device: session.device.as_ref().map(DeviceName::as_str),
            ip: session.ip.map(|ip| ip.to_string()),
            refresh_family: &new.refresh.family,
            refresh_secret: &new.refresh.secret,
            created_at: PgTime(session.created_at),
            last_used_at: PgTime(session.last_used_at),
            expires_at: PgTime(session.expires_at),
        }
    }
}

/// Those of one user beyond a number, the least recently used first to go.
struct EndSurplus;

impl Statement for EndSurplus {
    type Columns = ();
    const SQL: &'static str = "
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions
            WHERE user_id = $1 AND expires_at > $2 AND key_hash IS NULL
            ORDER BY last_used_at DESC, id DESC
            OFFSET $3
        )";
}

/// Stores a session and ends those that are too many, in a transaction of the caller's. False when there is no such user,
/// or one that can't log in.
pub(super) fn session(connection: &mut PgConnection, new: &NewSession, most: u32) -> QueryResult<bool> {
    // The lock makes the log-ins of one user take turns: otherwise two at once would not count each other's sessions.
    let user = users::table
        .find(new.session.user_id.as_uuid())
        .filter(users::deleted_at.is_null().and(users::suspended_at.is_null()))
        .select(users::id)
        .for_no_key_update()
        .first::<Uuid>(connection)
        .optional()?;
    let Some(user) = user else { return Ok(false) };
    diesel::insert_into(sessions::table)
        .values(NewSessionRow::from(new))
        .execute(connection)?;
    prepared::<EndSurplus, _>((
        user.into_sql::<SqlUuid>(),
        PgTime(new.session.created_at).into_sql::<Timestamptz>(),
        i64::from(most).into_sql::<BigInt>(),
    ))
    .execute(connection)?;
    Ok(true)
}
