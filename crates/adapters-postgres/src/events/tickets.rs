use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::{ClaimedSession, SessionId, Timestamp, UserId};
use uuid::Uuid;

struct Insert;

impl Statement for Insert {
    type Columns = ();
    const SQL: &'static str = "INSERT INTO tickets (hash, session_id, user_id, expires_at) VALUES ($1, $2, $3, $4)";
}

struct Redeem;

impl Statement for Redeem {
    type Columns = (SqlUuid, SqlUuid, Bool);
    const SQL: &'static str = "DELETE FROM tickets WHERE hash = $1 RETURNING session_id, user_id, expires_at > $2";
}

pub(super) fn insert(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    session: ClaimedSession,
    expires_at: Timestamp,
) -> QueryResult<()> {
    prepared::<Insert, _>((
        hash[..].into_sql::<Binary>(),
        session.session_id.as_uuid().into_sql::<SqlUuid>(),
        session.user_id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(expires_at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(())
}

pub(super) fn redeem(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    at: Timestamp,
) -> QueryResult<Option<ClaimedSession>> {
    let taken = prepared::<Redeem, _>((hash[..].into_sql::<Binary>(), PgTime(at).into_sql::<Timestamptz>()))
        .get_result::<(Uuid, Uuid, bool)>(connection)
        .optional()?;
    Ok(taken.and_then(|(session, user, valid)| {
        valid.then(|| ClaimedSession {
            session_id: SessionId::from_uuid(session),
            user_id: UserId::from_uuid(user),
        })
    }))
}
