//! The tokens that prove that somebody reads a mailbox.

use crate::id::DbId;
use crate::schema::account_tokens::{self as tokens, dsl};
use crate::schema::users;
use crate::store::Store;
use crate::users::{exists_undeleted, find as find_user};
use crate::{outbox, sessions};
use async_trait::async_trait;
use diesel::dsl::exists;
use diesel::prelude::*;
use tertulia_domain::repository::{AccountTokenRepository, NewAccountToken, RepositoryError, VerifyEmailError};
use tertulia_domain::{Email, PasswordHash, Timestamp, User, UserId};
use tertulia_sql_support::{TxError, inconsistent};

/// The account tokens, on SQLite.
#[derive(Clone)]
pub struct SqliteAccountTokenRepository {
    store: Store,
}

impl SqliteAccountTokenRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To set another password.
    Reset,
    /// To prove an e-mail address.
    Verify,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Verify => "verify",
        }
    }
}

/// Stores a token in place of the user's older one.
pub(crate) fn store(
    conn: &mut SqliteConnection,
    user: DbId,
    purpose: Purpose,
    email: &str,
    hash: [u8; 32],
    expires_at: Timestamp,
) -> QueryResult<()> {
    diesel::replace_into(tokens::table)
        .values((
            dsl::hash.eq(hash.as_slice()),
            dsl::user_id.eq(user),
            dsl::purpose.eq(purpose.as_str()),
            dsl::email.eq(email),
            dsl::expires_at.eq(expires_at.as_millis()),
        ))
        .execute(conn)
        .map(drop)
}

/// Removes a user's token.
pub(crate) fn void(conn: &mut SqliteConnection, user: DbId, purpose: Purpose) -> QueryResult<()> {
    let older = tokens::table
        .filter(dsl::user_id.eq(user))
        .filter(dsl::purpose.eq(purpose.as_str()));
    diesel::delete(older).execute(conn).map(drop)
}

/// Takes a live token out: whose it is, and the address that it went to.
fn redeem(
    conn: &mut SqliteConnection,
    hash: &[u8; 32],
    purpose: Purpose,
    at: Timestamp,
) -> QueryResult<Option<(DbId, String)>> {
    let live = tokens::table
        .find(hash.as_slice())
        .filter(dsl::purpose.eq(purpose.as_str()))
        .filter(dsl::expires_at.gt(at.as_millis()));
    let redeemed: Vec<(DbId, String)> = diesel::delete(live).returning((dsl::user_id, dsl::email)).load(conn)?;
    Ok(redeemed.into_iter().next())
}

/// For an address that is nobody's, a mail is written and removed again: both ways end in a commit, whose wait for the
/// disk is what takes time.
fn issue_reset(conn: &mut SqliteConnection, email_key: &str, token: &NewAccountToken) -> QueryResult<()> {
    let found: Option<(DbId, Option<String>)> = users::table
        .filter(users::email_key.eq(email_key))
        .filter(users::deleted_at.is_null())
        .select((users::id, users::email))
        .get_result(conn)
        .optional()?;
    if let Some((user, Some(email))) = found {
        store(conn, user, Purpose::Reset, &email, token.hash, token.expires_at)?;
        outbox::store(conn, &email, &token.mail, token.at)
    } else {
        outbox::store(conn, email_key, &token.mail, token.at)?;
        outbox::remove(conn, token.mail.id.into())
    }
}

fn redeem_reset(
    conn: &mut SqliteConnection,
    hash: &[u8; 32],
    password: &PasswordHash,
    at: Timestamp,
) -> QueryResult<Option<UserId>> {
    let Some((user, email)) = redeem(conn, hash, Purpose::Reset, at)? else {
        return Ok(None);
    };
    diesel::update(users::table.find(user))
        .set((
            users::password.eq(password.as_phc()),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    let unverified = users::table
        .find(user)
        .filter(users::email.eq(email))
        .filter(users::email_verified_at.is_null());
    diesel::update(unverified)
        .set(users::email_verified_at.eq(at.as_millis()))
        .execute(conn)?;
    sessions::end_all_and_keys(conn, user)?;
    Ok(Some(user.into()))
}

fn issue_verification(
    conn: &mut SqliteConnection,
    user: DbId,
    email: &Email,
    token: &NewAccountToken,
) -> QueryResult<bool> {
    if !exists_undeleted(conn, user)? {
        return Ok(false);
    }
    store(
        conn,
        user,
        Purpose::Verify,
        email.as_str(),
        token.hash,
        token.expires_at,
    )?;
    outbox::store(conn, email.as_str(), &token.mail, token.at)?;
    Ok(true)
}

fn redeem_verification(
    conn: &mut SqliteConnection,
    hash: &[u8; 32],
    at: Timestamp,
) -> Result<User, TxError<VerifyEmailError>> {
    let Some((user, email)) = redeem(conn, hash, Purpose::Verify, at)? else {
        return Err(TxError::Named(VerifyEmailError::NotFound));
    };
    let key = Email::new(&email)
        .map_err(|why| inconsistent("account_tokens", user, why))?
        .key();
    let other = users::table
        .filter(users::email_key.eq(&key))
        .filter(users::id.ne(user));
    if diesel::select(exists(other)).get_result(conn)? {
        return Err(TxError::Named(VerifyEmailError::EmailTaken));
    }
    let former: Option<Option<String>> = users::table
        .find(user)
        .select(users::email_key)
        .get_result(conn)
        .optional()?;
    if former.flatten().as_ref() != Some(&key) {
        // Whoever reads the former mailbox has no say any more.
        void(conn, user, Purpose::Reset)?;
    }
    diesel::update(users::table.find(user))
        .set((
            users::email.eq(email),
            users::email_key.eq(key),
            users::email_verified_at.eq(at.as_millis()),
            users::updated_at.eq(at.as_millis()),
        ))
        .execute(conn)?;
    match find_user(conn, user)? {
        Some(user) => Ok(user),
        None => Err(inconsistent("account_tokens", user, "its user is missing").into()),
    }
}

#[async_trait]
impl AccountTokenRepository for SqliteAccountTokenRepository {
    async fn issue_reset(&self, email_key: &str, token: NewAccountToken) -> Result<(), RepositoryError> {
        let email_key = email_key.to_owned();
        self.store
            .write(move |conn| Ok(issue_reset(conn, &email_key, &token)?))
            .await
    }

    async fn find_reset(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<UserId>, RepositoryError> {
        let find = move |conn: &mut SqliteConnection| {
            let user: Option<DbId> = tokens::table
                .find(hash.as_slice())
                .filter(dsl::purpose.eq(Purpose::Reset.as_str()))
                .filter(dsl::expires_at.gt(at.as_millis()))
                .select(dsl::user_id)
                .get_result(conn)
                .optional()?;
            Ok(user.map(UserId::from))
        };
        self.store.read(find).await
    }

    async fn redeem_reset(
        &self,
        hash: [u8; 32],
        password: &PasswordHash,
        at: Timestamp,
    ) -> Result<Option<UserId>, RepositoryError> {
        let password = password.clone();
        self.store
            .write(move |conn| Ok(redeem_reset(conn, &hash, &password, at)?))
            .await
    }

    async fn issue_verification(
        &self,
        user_id: UserId,
        email: &Email,
        token: NewAccountToken,
    ) -> Result<bool, RepositoryError> {
        let email = email.clone();
        self.store
            .write(move |conn| Ok(issue_verification(conn, user_id.into(), &email, &token)?))
            .await
    }

    async fn redeem_verification(&self, hash: [u8; 32], at: Timestamp) -> Result<User, VerifyEmailError> {
        self.store.write(move |conn| redeem_verification(conn, &hash, at)).await
    }
}
