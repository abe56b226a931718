use crate::account_tokens::insert_verification;
use crate::files;
use crate::outbox;
use crate::rows::UserRow;
use crate::schema::users;
use crate::time::PgTime;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use serde_json::Value;
use tertulia_domain::repository::{InsertUserError, NewUser, RepositoryError, UpdateUserError, UserChanges};
use tertulia_domain::{DisplayName, Email, FileId, Timestamp, User, UserId, Username};
use tertulia_sql_support::{TxError, profile_to_json, violated_unique};
use uuid::Uuid;

#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUserRow<'a> {
    id: &'a Uuid,
    username: Option<&'a str>,
    username_key: Option<String>,
    email: Option<&'a str>,
    email_key: Option<String>,
    display_name: Option<&'a str>,
    display_name_key: Option<String>,
    profile: Value,
    role: &'static str,
    password: &'a str,
    created_at: PgTime,
    updated_at: PgTime,
}

impl<'a> From<&'a NewUser> for NewUserRow<'a> {
    fn from(user: &'a NewUser) -> Self {
        Self {
            id: user.id.as_uuid(),
            username: user.username.as_ref().map(Username::as_str),
            username_key: user.username.as_ref().map(Username::key),
            email: user.email.as_ref().map(Email::as_str),
            email_key: user.email.as_ref().map(Email::key),
            display_name: user.display_name.as_ref().map(DisplayName::as_str),
            display_name_key: user.display_name.as_ref().map(DisplayName::key),
            profile: profile_to_json(&user.profile),
            role: user.role.as_str(),
            password: user.password.as_phc(),
            created_at: PgTime(user.at),
            updated_at: PgTime(user.at),
        }
    }
}

pub(super) fn insert(connection: &mut PgConnection, user: &NewUser) -> Result<User, TxError<InsertUserError>> {
    let inserted = if user.mail.is_none() && user.verification.is_none() {
        store(connection, user)
    } else {
        connection.transaction(|connection| {
            let row = store(connection, user)?;
            announce(connection, user)?;
            Ok(row)
        })
    };
    match inserted {
        Ok(row) => Ok(row.try_into()?),
        Err(error) => Err(match taken(connection, &error, user.id, user.username.as_ref())? {
            Some(Taken::Username) => TxError::Named(InsertUserError::UsernameTaken),
            Some(Taken::Email) => TxError::Named(InsertUserError::EmailTaken),
            None => error.into(),
        }),
    }
}

fn store(connection: &mut PgConnection, user: &NewUser) -> QueryResult<UserRow> {
    diesel::insert_into(users::table)
        .values(NewUserRow::from(user))
        .returning(UserRow::as_returning())
        .get_result(connection)
}

/// Stores the mail to a new user, and the token in it.
fn announce(connection: &mut PgConnection, user: &NewUser) -> QueryResult<()> {
    let Some(email) = &user.email else { return Ok(()) };
    if let Some((hash, expires_at)) = &user.verification {
        insert_verification(connection, user.id, email.as_str(), hash, *expires_at)?;
    }
    if let Some(mail) = &user.mail {
        outbox::enqueue(connection, mail, email.as_str(), user.at)?;
    }
    Ok(())
}

pub(super) fn update(
    connection: &mut PgConnection,
    id: UserId,
    changes: &UserChanges,
    at: Timestamp,
) -> Result<User, TxError<UpdateUserError>> {
    let username = changes.username.as_ref().map(Option::as_ref);
    let email = changes.email.as_ref().map(Option::as_ref);
    let display_name = changes.display_name.as_ref().map(Option::as_ref);
    let updated = diesel::update(users::table.find(id.as_uuid()).filter(users::deleted_at.is_null()))
        .set((
            username.map(|name| {
                (
                    users::username.eq(name.map(Username::as_str)),
                    users::username_key.eq(name.map(Username::key)),
                )
            }),
            email.map(|email| {
                (
                    users::email.eq(email.map(Email::as_str)),
                    users::email_key.eq(email.map(Email::key)),
                    // Another address is an unverified one.
                    users::email_verified_at.eq(case_when(
                        users::email_key.is_not_distinct_from(email.map(Email::key)),
                        users::email_verified_at,
                    )),
                )
            }),
            display_name.map(|name| {
                (
                    users::display_name.eq(name.map(DisplayName::as_str)),
                    users::display_name_key.eq(name.map(DisplayName::key)),
                )
            }),
            changes
                .profile
                .as_ref()
                .map(|profile| users::profile.eq(profile_to_json(profile))),
            changes.role.map(|role| users::role.eq(role.as_str())),
            users::updated_at.eq(PgTime(at)),
        ))
        .returning(UserRow::as_returning())
        .get_result(connection)
        .optional();
    match updated {
        Ok(Some(row)) => Ok(row.try_into()?),
        Ok(None) => Err(TxError::Named(UpdateUserError::NotFound)),
        Err(error) if leaves_no_login(&error) => Err(TxError::Named(UpdateUserError::NoLogin)),
        Err(error) => Err(match taken(connection, &error, id, username.flatten())? {
            Some(Taken::Username) => TxError::Named(UpdateUserError::UsernameTaken),
            Some(Taken::Email) => TxError::Named(UpdateUserError::EmailTaken),
            None => error.into(),
        }),
    }
}

/// Gives a user another avatar or none, in a transaction of the caller's.
pub(super) fn set_avatar(
    connection: &mut PgConnection,
    id: UserId,
    avatar: Option<FileId>,
    at: Timestamp,
) -> Result<Option<User>, TxError<RepositoryError>> {
    let user = users::table.find(id.as_uuid()).filter(users::deleted_at.is_null());
    let before = user
        .select(users::avatar_id)
        .for_no_key_update()
        .first::<Option<Uuid>>(connection)
        .optional()?;
    let Some(before) = before else { return Ok(None) };
    let view = match avatar {
        None => None,
        Some(file) => match files::hold(connection, file, id)? {
            None => return Ok(None),
            view => view,
        },
    };
    let row = diesel::update(user)
        .set((
            users::avatar_id.eq(avatar.as_ref().map(FileId::as_uuid)),
            users::avatar_view.eq(view),
            users::updated_at.eq(PgTime(at)),
        ))
        .returning(UserRow::as_returning())
        .get_result(connection)?;
    files::release(connection, before.as_slice(), at)?;
    Ok(Some(row.try_into()?))
}

/// A name that another user has.
enum Taken {
    Username,
    Email,
}

/// Which name a failed insert or update of that user wanted in vain. PostgreSQL tells of one even where both are taken,
/// and which one depends on the order in which its indexes were made; the username is what to tell of.
fn taken(
    connection: &mut PgConnection,
    error: &DieselError,
    id: UserId,
    username: Option<&Username>,
) -> Result<Option<Taken>, DieselError> {
    match (violated_unique(error), username) {
        (Some("users_username_unique"), _) => Ok(Some(Taken::Username)),
        (Some("users_email_unique"), Some(username)) => {
            let same = users::table.filter(users::username_key.eq(username.key()).and(users::id.ne(id.as_uuid())));
            let both = diesel::select(diesel::dsl::exists(same)).get_result::<bool>(connection)?;
            Ok(Some(if both { Taken::Username } else { Taken::Email }))
        }
        (Some("users_email_unique"), None) => Ok(Some(Taken::Email)),
        _ => Ok(None),
    }
}

fn leaves_no_login(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::CheckViolation, information) => {
            information.constraint_name() == Some("users_login")
        }
        _ => false,
    }
}
