use crate::files;
use crate::id::DbId;
use crate::schema::users;
use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{DisplayName, Email, File, Profile, Role, Timestamp, User, Username};
use tertulia_sql_support::{inconsistent, profile_from_json, profile_to_json};

/// A user without the password.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Sqlite))]
pub(crate) struct UserRow {
    number: i64,
    id: DbId,
    username: Option<String>,
    email: Option<String>,
    display_name: Option<String>,
    profile: String,
    role: String,
    created_at: i64,
    updated_at: i64,
    last_seen_at: Option<i64>,
    deleted_at: Option<i64>,
    avatar_view: Option<String>,
    email_verified_at: Option<i64>,
    suspended_at: Option<i64>,
}

impl UserRow {
    /// The columns, for statements in SQL.
    pub(crate) const COLUMNS: &'static str = "users.number, users.id, users.username, users.email, \
         users.display_name, users.profile, users.role, users.created_at, users.updated_at, users.last_seen_at, \
         users.deleted_at, users.avatar_view, users.email_verified_at, users.suspended_at";
}

/// Their types.
pub(crate) type UserColumns = SqlTypeOf<<UserRow as Selectable<Sqlite>>::SelectExpression>;

impl TryFrom<UserRow> for User {
    type Error = RepositoryError;

    fn try_from(row: UserRow) -> Result<Self, RepositoryError> {
        let id = row.id;
        Ok(Self {
            id: id.into(),
            number: row.number,
            username: username(id, row.username.as_deref())?,
            email: accept(id, row.email.as_deref(), Email::new)?,
            email_verified: row.email_verified_at.is_some(),
            display_name: display_name(id, row.display_name.as_deref())?,
            avatar: avatar(id, row.avatar_view.as_deref())?,
            profile: read_profile(id, &row.profile)?,
            role: role(id, &row.role)?,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            last_seen_at: row.last_seen_at.map(Timestamp::from_millis),
            suspended_at: row.suspended_at.map(Timestamp::from_millis),
            deleted_at: row.deleted_at.map(Timestamp::from_millis),
        })
    }
}

/// The stored username of that user.
pub(crate) fn username(user: DbId, text: Option<&str>) -> Result<Option<Username>, RepositoryError> {
    accept(user, text, Username::new)
}

/// The stored display name of that user.
pub(crate) fn display_name(user: DbId, text: Option<&str>) -> Result<Option<DisplayName>, RepositoryError> {
    accept(user, text, DisplayName::new)
}

/// The stored avatar of that user.
pub(crate) fn avatar(user: DbId, view: Option<&str>) -> Result<Option<File>, RepositoryError> {
    view.map(files::from_view).transpose().map_err(|why| refuse(user, why))
}

/// The stored role of that user.
pub(crate) fn role(user: DbId, text: &str) -> Result<Role, RepositoryError> {
    Role::parse(text).ok_or_else(|| refuse(user, format_args!("{text:?} is no role")))
}

fn accept<T, E: Display>(
    user: DbId,
    text: Option<&str>,
    constructor: fn(&str) -> Result<T, E>,
) -> Result<Option<T>, RepositoryError> {
    text.map(constructor).transpose().map_err(|why| refuse(user, why))
}

fn refuse(user: DbId, why: impl Display) -> RepositoryError {
    inconsistent("users", user, why)
}

const NO_PROFILE: &str = "{}";

fn read_profile(user: DbId, json: &str) -> Result<Profile, RepositoryError> {
    if json == NO_PROFILE {
        return Ok(Profile::default());
    }
    let json = serde_json::from_str(json).map_err(|why| refuse(user, why))?;
    profile_from_json(json).map_err(|why| refuse(user, why))
}

/// What a user is called by, with the keys that are searched and compared, and what else they say about themselves.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_default_value = false, treat_none_as_null = true)]
pub(super) struct Identity {
    username: Option<String>,
    username_key: Option<String>,
    email: Option<String>,
    email_key: Option<String>,
    display_name: Option<String>,
    display_name_key: Option<String>,
    profile: String,
}

impl Identity {
    pub(super) fn new(
        username: Option<&Username>,
        email: Option<&Email>,
        display_name: Option<&DisplayName>,
        profile: &Profile,
    ) -> Self {
        Self {
            username: username.map(|name| name.as_str().to_owned()),
            username_key: username.map(Username::key),
            email: email.map(|email| email.as_str().to_owned()),
            email_key: email.map(Email::key),
            display_name: display_name.map(|name| name.as_str().to_owned()),
            display_name_key: display_name.map(DisplayName::key),
            profile: profile_to_json(profile).to_string(),
        }
    }

    /// Of somebody whose account is deleted.
    pub(super) fn none() -> Self {
        Self::new(None, None, None, &Profile::default())
    }

    pub(super) fn of(user: &User) -> Self {
        Self::new(
            user.username.as_ref(),
            user.email.as_ref(),
            user.display_name.as_ref(),
            &user.profile,
        )
    }

    pub(super) fn username_key(&self) -> Option<&str> {
        self.username_key.as_deref()
    }

    pub(super) fn email_key(&self) -> Option<&str> {
        self.email_key.as_deref()
    }
}
