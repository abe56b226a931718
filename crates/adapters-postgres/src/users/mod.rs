//! Users.

mod change;
mod delete;
mod search;

use crate::account_tokens;
use crate::client::{Client, at_one_moment};
use crate::rows::{UserRow, read_all};
use crate::schema::{sessions, users};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use tertulia_domain::repository::{
    Credentials, Erased, InsertUserError, NewUser, RepositoryError, UpdateUserError, UserChanges, UserRepository,
};
use tertulia_domain::{
    Counted, FileId, Limit, LoginName, Page, PasswordHash, SearchPrefix, SessionId, Timestamp, User, UserCursor,
    UserId, Username, Window,
};
use tertulia_sql_support::inconsistent;
use uuid::Uuid;

/// The users.
pub struct PgUserRepository {
    client: Client,
}

impl PgUserRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl UserRepository for PgUserRepository {
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError> {
        self.client
            .run(move |connection| change::insert(connection, &user))
            .await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError> {
        self.client
            .run(move |connection| {
                let row = users::table
                    .find(id.as_uuid())
                    .select(UserRow::as_select())
                    .first(connection)
                    .optional()?;
                Ok(row.map(User::try_from).transpose()?)
            })
            .await
    }

    async fn find_by_number(&self, number: i64) -> Result<Option<User>, RepositoryError> {
        self.client
            .run(move |connection| {
                let row = users::table
                    .filter(users::number.eq(number).and(users::deleted_at.is_null()))
                    .select(UserRow::as_select())
                    .first(connection)
                    .optional()?;
                Ok(row.map(User::try_from).transpose()?)
            })
            .await
    }

    async fn find_by_username(&self, username: &Username) -> Result<Option<User>, RepositoryError> {
        let key = username.key();
        self.client
            .run(move |connection| {
                // Deleted users have no keys.
                let row = users::table
                    .filter(users::username_key.eq(&key))
                    .select(UserRow::as_select())
                    .first(connection)
                    .optional()?;
                Ok(row.map(User::try_from).transpose()?)
            })
            .await
    }

    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, RepositoryError> {
        let ids: Vec<Uuid> = ids.iter().map(|id| *id.as_uuid()).collect();
        self.client
            .run(move |connection| {
                let rows = users::table
                    .filter(users::id.eq_any(&ids).and(users::deleted_at.is_null()))
                    .select(UserRow::as_select())
                    .load(connection)?;
                Ok(read_all(rows)?)
            })
            .await
    }

    async fn find_credentials(&self, login: &LoginName) -> Result<Option<Credentials>, RepositoryError> {
        let login = login.clone();
        self.client
            .run(move |connection| {
                // Deleted users have no keys, and the others a password.
                let rows = users::table.select((UserRow::as_select(), users::password));
                let row: Option<(UserRow, Option<String>)> = match &login {
                    LoginName::Username(key) => rows.filter(users::username_key.eq(key)).first(connection),
                    LoginName::Email(key) => rows.filter(users::email_key.eq(key)).first(connection),
                }
                .optional()?;
                Ok(row.map(credentials).transpose()?)
            })
            .await
    }

    async fn find_password(&self, id: UserId) -> Result<Option<PasswordHash>, RepositoryError> {
        self.client
            .run(move |connection| {
                let password = users::table
                    .find(id.as_uuid())
                    .select(users::password)
                    .first::<Option<String>>(connection)
                    .optional()?;
                Ok(password.flatten().map(PasswordHash::from_phc))
            })
            .await
    }

    async fn list(
        &self,
        prefix: Option<SearchPrefix>,
        after: Option<UserCursor>,
        limit: Limit,
    ) -> Result<Page<User, UserCursor>, RepositoryError> {
        let UserCursor(after) = after.unwrap_or(UserCursor(0));
        self.client
            .run(move |connection| {
                let rows = match &prefix {
                    Some(prefix) => search::find(connection, prefix, after, limit)?,
                    None => users::table
                        .filter(users::deleted_at.is_null().and(users::number.gt(after)))
                        .order(users::number)
                        .limit(limit.fetch())
                        .select(UserRow::as_select())
                        .load(connection)?,
                };
                Ok(Page::from_fetched(read_all(rows)?, limit, |user: &User| {
                    UserCursor(user.number)
                }))
            })
            .await
    }

    async fn list_counted(&self, window: Window) -> Result<Counted<User>, RepositoryError> {
        self.client
            .run(move |connection| {
                at_one_moment(connection, |connection| {
                    let there = users::table.filter(users::deleted_at.is_null());
                    let total = there.count().get_result(connection)?;
                    let rows = there
                        .order(users::number)
                        .offset(window.skip())
                        .limit(window.take().into())
                        .select(UserRow::as_select())
                        .load(connection)?;
                    let items = read_all(rows)?;
                    Ok(Counted { items, total })
                })
            })
            .await
    }

    async fn update(&self, id: UserId, changes: UserChanges, at: Timestamp) -> Result<User, UpdateUserError> {
        self.client
            .run(move |connection| change::update(connection, id, &changes, at))
            .await
    }

    async fn set_password(
        &self,
        id: UserId,
        password: &PasswordHash,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> Result<bool, RepositoryError> {
        let password = password.clone();
        self.client
            .run(move |connection| {
                connection.transaction(|connection| {
                    let changed = diesel::update(users::table.find(id.as_uuid()).filter(users::deleted_at.is_null()))
                        .set((users::password.eq(password.as_phc()), users::updated_at.eq(PgTime(at))))
                        .execute(connection)?;
                    // A statement of its own: it also sees the sessions that began while the first one waited.
                    let others =
                        sessions::table.filter(sessions::user_id.eq(id.as_uuid()).and(sessions::key_hash.is_null()));
                    match keep {
                        _ if changed == 0 => 0,
                        Some(keep) => {
                            diesel::delete(others.filter(sessions::id.ne(keep.as_uuid()))).execute(connection)?
                        }
                        None => diesel::delete(others).execute(connection)?,
                    };
                    account_tokens::delete_resets(connection, id)?;
                    Ok(changed > 0)
                })
            })
            .await
    }

    async fn set_avatar(
        &self,
        id: UserId,
        avatar: Option<FileId>,
        at: Timestamp,
    ) -> Result<Option<User>, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| change::set_avatar(connection, id, avatar, at)))
            .await
    }

    async fn delete(&self, id: UserId, erase: bool, at: Timestamp) -> Result<Option<Erased>, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| delete::account(connection, id, erase, at)))
            .await
    }
}

fn credentials((user, password): (UserRow, Option<String>)) -> Result<Credentials, RepositoryError> {
    let user = User::try_from(user)?;
    match password {
        Some(password) => Ok(Credentials {
            user,
            password: PasswordHash::from_phc(password),
        }),
        None => Err(inconsistent("users", user.id, "a user with a name and no password")),
    }
}
