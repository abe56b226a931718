use super::Reader;
use crate::schema::sessions;
use crate::time::PgTime;
use diesel::pg::Pg;
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Queryable, Selectable};
use std::net::IpAddr;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{DeviceName, Session, SessionId, UserId};
use uuid::Uuid;

/// A session that somebody logged in to, without its refresh token's hashes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Pg))]
pub(crate) struct SessionRow {
    id: Uuid,
    user_id: Uuid,
    device: Option<String>,
    ip: Option<String>,
    created_at: PgTime,
    last_used_at: PgTime,
    expires_at: Option<PgTime>,
}

pub(crate) type SessionColumns = (
    SqlUuid,
    SqlUuid,
    Nullable<Text>,
    Nullable<Text>,
    Timestamptz,
    Timestamptz,
    Nullable<Timestamptz>,
);

/// Of `sessions e`.
macro_rules! session_columns {
    () => {
        "e.id, e.user_id, e.device, e.ip, e.created_at, e.last_used_at, e.expires_at"
    };
}
pub(crate) use session_columns;

/// Whether `sessions e` is session $1 of user $2, a key's too, and has not expired at $3.
macro_rules! session_lives {
    () => {
        "e.id = $1 AND e.user_id = $2 AND (e.expires_at > $3 OR e.expires_at IS NULL)"
    };
}
pub(crate) use session_lives;

impl TryFrom<SessionRow> for Session {
    type Error = RepositoryError;

    fn try_from(row: SessionRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "sessions",
            key: row.id,
        };
        Ok(Self {
            id: SessionId::from_uuid(row.id),
            user_id: UserId::from_uuid(row.user_id),
            device: reader.text(row.device.as_deref(), DeviceName::new)?,
            ip: reader.text(row.ip.as_deref(), str::parse::<IpAddr>)?,
            created_at: row.created_at.into(),
            last_used_at: row.last_used_at.into(),
            expires_at: match row.expires_at {
                Some(at) => at.into(),
                None => return Err(reader.refuse("a session that never expires")),
            },
        })
    }
}
