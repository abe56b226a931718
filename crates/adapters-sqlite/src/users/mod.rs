//! The users.

mod delete;
mod row;
mod search;
mod write;

pub(crate) use row::{UserColumns, UserRow, avatar, display_name, role, username};

use crate::id::DbId;
use crate::schema::users;
use crate::store::Store;
use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use tertulia_domain::repository::{
    Credentials, Erased, InsertUserError, NewUser, RepositoryError, UpdateUserError, UserChanges, UserRepository,
};
use tertulia_domain::{
    Counted, FileId, Limit, LoginName, Page, PasswordHash, SearchPrefix, SessionId, Timestamp, User, UserCursor,
    UserId, Username, Window,
};
use tertulia_sql_support::TxError;

/// The users, on SQLite.
#[derive(Clone)]
pub struct SqliteUserRepository {
    store: Store,
}

impl SqliteUserRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

/// Whether there is such a user and the account is not deleted.
pub(crate) fn exists_undeleted(conn: &mut SqliteConnection, id: impl Into<DbId>) -> QueryResult<bool> {
    let user = users::table.find(id.into()).filter(users::deleted_at.is_null());
    diesel::select(exists(user)).get_result(conn)
}

/// Whether there is such a user, neither deleted nor suspended.
pub(crate) fn may_log_in(conn: &mut SqliteConnection, id: impl Into<DbId>) -> QueryResult<bool> {
    let user = users::table
        .find(id.into())
        .filter(users::deleted_at.is_null())
        .filter(users::suspended_at.is_null());
    diesel::select(exists(user)).get_result(conn)
}

/// One user, a deleted one too.
pub(crate) fn find<E>(conn: &mut SqliteConnection, id: impl Into<DbId>) -> Result<Option<User>, TxError<E>> {
    let user = users::table.find(id.into()).select(UserRow::as_select());
    read_one(user.get_result(conn))
}

fn read_one<E>(row: QueryResult<UserRow>) -> Result<Option<User>, TxError<E>> {
    Ok(row.optional()?.map(User::try_from).transpose()?)
}

fn find_credentials(
    conn: &mut SqliteConnection,
    login: LoginName,
) -> Result<Option<Credentials>, TxError<RepositoryError>> {
    // Deleted users have no keys.
    let columns = (UserRow::as_select(), users::password.assume_not_null());
    let row: Option<(UserRow, String)> = match login {
        LoginName::Username(key) => users::table
            .filter(users::username_key.eq(key))
            .select(columns)
            .get_result(conn),
        LoginName::Email(key) => users::table
            .filter(users::email_key.eq(key))
            .select(columns)
            .get_result(conn),
    }
    .optional()?;
    let Some((user, password)) = row else { return Ok(None) };
    Ok(Some(Credentials {
        user: user.try_into()?,
        password: PasswordHash::from_phc(password),
    }))
}

#[async_trait]
impl UserRepository for SqliteUserRepository {
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError> {
        self.store.write(move |conn| write::insert(conn, user)).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError> {
        self.store.read(move |conn| find(conn, id)).await
    }

    async fn find_by_number(&self, number: i64) -> Result<Option<User>, RepositoryError> {
        let find = move |conn: &mut SqliteConnection| {
            let user = users::table
                .filter(users::number.eq(number))
                .filter(users::deleted_at.is_null());
            read_one(user.select(UserRow::as_select()).get_result(conn))
        };
        self.store.read(find).await
    }

    async fn find_by_username(&self, username: &Username) -> Result<Option<User>, RepositoryError> {
        let key = username.key();
        let find = move |conn: &mut SqliteConnection| {
            // Deleted users have no keys.
            let user = users::table.filter(users::username_key.eq(key));
            read_one(user.select(UserRow::as_select()).get_result(conn))
        };
        self.store.read(find).await
    }

    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, RepositoryError> {
        self.store.read(move |conn| search::find_many(conn, &ids)).await
    }

    async fn find_credentials(&self, login: &LoginName) -> Result<Option<Credentials>, RepositoryError> {
        let login = login.clone();
        self.store.read(|conn| find_credentials(conn, login)).await
    }

    async fn find_password(&self, id: UserId) -> Result<Option<PasswordHash>, RepositoryError> {
        let password = move |conn: &mut SqliteConnection| {
            // Deleted users have none.
            let password: Option<Option<String>> = users::table
                .find(DbId::from(id))
                .select(users::password)
                .get_result(conn)
                .optional()?;
            Ok(password.flatten().map(PasswordHash::from_phc))
        };
        self.store.read(password).await
    }

    async fn list(
        &self,
        prefix: Option<SearchPrefix>,
        after: Option<UserCursor>,
        limit: Limit,
    ) -> Result<Page<User, UserCursor>, RepositoryError> {
        self.store
            .read(move |conn| search::list(conn, prefix.as_ref(), after, limit))
            .await
    }

    async fn list_counted(&self, window: Window) -> Result<Counted<User>, RepositoryError> {
        self.store
            .read_consistently(move |conn| search::list_counted(conn, window))
            .await
    }

    async fn update(&self, id: UserId, changes: UserChanges, at: Timestamp) -> Result<User, UpdateUserError> {
        self.store.write(move |conn| write::update(conn, id, changes, at)).await
    }

    async fn set_password(
        &self,
        id: UserId,
        password: &PasswordHash,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> Result<bool, RepositoryError> {
        let password = password.clone();
        self.store
            .write(move |conn| Ok(write::set_password(conn, id, &password, keep, at)?))
            .await
    }

    async fn set_avatar(
        &self,
        id: UserId,
        avatar: Option<FileId>,
        at: Timestamp,
    ) -> Result<Option<User>, RepositoryError> {
        self.store
            .write(move |conn| write::set_avatar(conn, id.into(), avatar.map(DbId::from), at))
            .await
    }

    async fn delete(&self, id: UserId, erase: bool, at: Timestamp) -> Result<Option<Erased>, RepositoryError> {
        self.store.write(move |conn| delete::delete(conn, id, erase, at)).await
    }
}
