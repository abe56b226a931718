use super::Reader;
use crate::schema::users;
use crate::time::PgTime;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Queryable, QueryableByName, Selectable};
use serde_json::Value;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{DisplayName, Email, Role, User, UserId, Username};
use tertulia_sql_support::profile_from_json;
use uuid::Uuid;

/// A user, without keys and password.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
pub(crate) struct UserRow {
    id: Uuid,
    number: i64,
    username: Option<String>,
    email: Option<String>,
    email_verified_at: Option<PgTime>,
    display_name: Option<String>,
    avatar_view: Option<Value>,
    profile: Value,
    role: String,
    created_at: PgTime,
    updated_at: PgTime,
    last_seen_at: Option<PgTime>,
    suspended_at: Option<PgTime>,
    deleted_at: Option<PgTime>,
}

pub(crate) type UserColumns = (
    SqlUuid,
    BigInt,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Timestamptz>,
    Nullable<Text>,
    Nullable<Jsonb>,
    Jsonb,
    Text,
    Timestamptz,
    Timestamptz,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
);

/// Of `users u`.
macro_rules! user_columns {
    () => {
        "u.id, u.number, u.username, u.email, u.email_verified_at, u.display_name, u.avatar_view, u.profile, u.role,
         u.created_at, u.updated_at, u.last_seen_at, u.suspended_at, u.deleted_at"
    };
}
pub(crate) use user_columns;

impl TryFrom<UserRow> for User {
    type Error = RepositoryError;

    fn try_from(row: UserRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "users",
            key: row.id,
        };
        Ok(Self {
            id: UserId::from_uuid(row.id),
            number: row.number,
            username: reader.text(row.username.as_deref(), Username::new)?,
            email: reader.text(row.email.as_deref(), Email::new)?,
            email_verified: row.email_verified_at.is_some(),
            display_name: reader.text(row.display_name.as_deref(), DisplayName::new)?,
            avatar: reader.file(row.avatar_view)?,
            profile: profile_from_json(row.profile).map_err(|error| reader.refuse(error))?,
            role: reader.word(&row.role, Role::parse)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            last_seen_at: row.last_seen_at.map(Into::into),
            suspended_at: row.suspended_at.map(Into::into),
            deleted_at: row.deleted_at.map(Into::into),
        })
    }
}
