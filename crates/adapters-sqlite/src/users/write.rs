use super::row::Identity;
use crate::account_tokens::{self, Purpose};
use crate::files;
use crate::id::DbId;
use crate::outbox;
use crate::schema::users;
use crate::sessions;
use diesel::dsl::exists;
use diesel::prelude::*;
use tertulia_domain::repository::{InsertUserError, NewUser, RepositoryError, UpdateUserError, UserChanges};
use tertulia_domain::{Email, PasswordHash, SessionId, Timestamp, User, UserId};
use tertulia_sql_support::TxError;

pub(super) fn insert(conn: &mut SqliteConnection, new: NewUser) -> Result<User, TxError<InsertUserError>> {
    let identity = Identity::new(
        new.username.as_ref(),
        new.email.as_ref(),
        new.display_name.as_ref(),
        &new.profile,
    );
    let id = DbId::from(new.id);
    match taken(conn, &identity, id)? {
        Some(Taken::Username) => return Err(TxError::Named(InsertUserError::UsernameTaken)),
        Some(Taken::Email) => return Err(TxError::Named(InsertUserError::EmailTaken)),
        None => {}
    }
    let at = new.at.as_millis();
    let number = diesel::insert_into(users::table)
        .values((
            users::id.eq(id),
            identity,
            users::role.eq(new.role.as_str()),
            users::password.eq(new.password.as_phc()),
            users::created_at.eq(at),
            users::updated_at.eq(at),
        ))
        .returning(users::number)
        .get_result(conn)?;
    if let Some(email) = &new.email {
        if let Some((hash, expires_at)) = new.verification {
            account_tokens::store(conn, id, Purpose::Verify, email.as_str(), hash, expires_at)?;
        }
        if let Some(mail) = &new.mail {
            outbox::store(conn, email.as_str(), mail, new.at)?;
        }
    }
    Ok(User {
        id: new.id,
        number,
        username: new.username,
        email: new.email,
        email_verified: false,
        display_name: new.display_name,
        avatar: None,
        profile: new.profile,
        role: new.role,
        created_at: new.at,
        updated_at: new.at,
        last_seen_at: None,
        suspended_at: None,
        deleted_at: None,
    })
}

pub(super) fn update(
    conn: &mut SqliteConnection,
    id: UserId,
    changes: UserChanges,
    at: Timestamp,
) -> Result<User, TxError<UpdateUserError>> {
    let user = super::find(conn, id)?.filter(|user| user.deleted_at.is_none());
    let Some(user) = user else {
        return Err(TxError::Named(UpdateUserError::NotFound));
    };
    let former = user.email.as_ref().map(Email::key);
    let mut user = apply(changes, user, at);
    let moved = former != user.email.as_ref().map(Email::key);
    user.email_verified &= !moved;
    if user.username.is_none() && user.email.is_none() {
        return Err(TxError::Named(UpdateUserError::NoLogin));
    }
    let identity = Identity::of(&user);
    let id = DbId::from(id);
    match taken(conn, &identity, id)? {
        Some(Taken::Username) => return Err(TxError::Named(UpdateUserError::UsernameTaken)),
        Some(Taken::Email) => return Err(TxError::Named(UpdateUserError::EmailTaken)),
        None => {}
    }
    diesel::update(users::table.find(id))
        .set((
            identity,
            users::role.eq(user.role.as_str()),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    if moved {
        forget_mailbox(conn, id)?;
    }
    Ok(user)
}

/// Whoever reads the mailbox that was a user's has no say about the account any more.
fn forget_mailbox(conn: &mut SqliteConnection, id: DbId) -> QueryResult<()> {
    diesel::update(users::table.find(id))
        .set(users::email_verified_at.eq(None::<i64>))
        .execute(conn)?;
    account_tokens::void(conn, id, Purpose::Reset)
}

fn apply(changes: UserChanges, user: User, at: Timestamp) -> User {
    User {
        username: changes.username.unwrap_or(user.username),
        email: changes.email.unwrap_or(user.email),
        display_name: changes.display_name.unwrap_or(user.display_name),
        profile: changes.profile.unwrap_or(user.profile),
        role: changes.role.unwrap_or(user.role),
        updated_at: at,
        ..user
    }
}

pub(super) fn set_password(
    conn: &mut SqliteConnection,
    id: UserId,
    password: &PasswordHash,
    keep: Option<SessionId>,
    at: Timestamp,
) -> QueryResult<bool> {
    let id = DbId::from(id);
    let changed = diesel::update(users::table.find(id).filter(users::deleted_at.is_null()))
        .set((
            users::password.eq(password.as_phc()),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Ok(false);
    }
    sessions::end_all(conn, id, keep)?;
    account_tokens::void(conn, id, Purpose::Reset)?;
    Ok(true)
}

/// Gives a user one of their own files as avatar, or takes it away. `None` when there is no such user or no such file.
pub(super) fn set_avatar(
    conn: &mut SqliteConnection,
    id: DbId,
    avatar: Option<DbId>,
    at: Timestamp,
) -> Result<Option<User>, TxError<RepositoryError>> {
    let user = users::table.find(id).filter(users::deleted_at.is_null());
    let old: Option<Option<DbId>> = user.select(users::avatar_id).get_result(conn).optional()?;
    let Some(old) = old else { return Ok(None) };
    let view = match avatar {
        None => None,
        Some(avatar) => match files::owned(conn, avatar, id)? {
            Some(file) => Some(files::to_view(&file.try_into()?)),
            None => return Ok(None),
        },
    };
    diesel::update(user)
        .set((
            users::avatar_id.eq(avatar),
            users::avatar_view.eq(view),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    files::release(conn, old, at)?;
    super::find(conn, id)
}

enum Taken {
    Username,
    Email,
}

/// What of this identity belongs to somebody else. Asked before writing, which no other writer can come between: SQLite
/// names one violated constraint, and not always the username's.
fn taken(conn: &mut SqliteConnection, identity: &Identity, own: DbId) -> QueryResult<Option<Taken>> {
    if let Some(key) = identity.username_key() {
        let other = users::table
            .filter(users::username_key.eq(key))
            .filter(users::id.ne(own));
        if diesel::select(exists(other)).get_result(conn)? {
            return Ok(Some(Taken::Username));
        }
    }
    if let Some(key) = identity.email_key() {
        let other = users::table.filter(users::email_key.eq(key)).filter(users::id.ne(own));
        if diesel::select(exists(other)).get_result(conn)? {
            return Ok(Some(Taken::Email));
        }
    }
    Ok(None)
}
