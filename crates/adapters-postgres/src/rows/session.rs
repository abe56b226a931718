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

/// A session, without its refresh token's hashes.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(Pg))]
pub(crate) struct SessionRow {
    id: Uuid,
    user_id: Uuid,
    device: Option<String>,
    ip: Option<String>,
    created_at: PgTime,
    last_used_at: PgTime,
    expires_at: PgTime,
}

pub(crate) type SessionColumns = (
    SqlUuid,
    SqlUuid,
    Nullable<Text>,
    Nullable<Text>,
    Timestamptz,
    Timestamptz,
    Timestamptz,
);

/// Of `sessions e`.
macro_rules! session_columns {
    () => {
        "e.id, e.user_id, e.device, e.ip, e.created_at, e.last_used_at, e.expires_at"
    };
}
pub(crate) use session_columns;

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
            expires_at: row.expires_at.into(),
        })
    }
}
