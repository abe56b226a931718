//! Single-use tokens that go out by mail.

use crate::client::Client;
use crate::outbox;
use crate::rows::UserRow;
use crate::schema::users;
use crate::sessions::end_all_and_keys;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Bool, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{AccountTokenRepository, NewAccountToken, RepositoryError, VerifyEmailError};
use tertulia_domain::{Email, PasswordHash, Timestamp, User, UserId};
use tertulia_sql_support::{TxError, inconsistent, violated_unique};
use uuid::Uuid;

/// The tokens.
pub struct PgAccountTokenRepository {
    client: Client,
}

impl PgAccountTokenRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

/// One round trip whether or not there is such a user, and one wait for the disk: the message to nobody makes a commit that
/// stores nothing as durable, and as slow, as one that does. Deleted users have no key, and one who is being deleted is
/// waited for.
struct IssueReset;

impl Statement for IssueReset {
    type Columns = Text;
    const SQL: &'static str = "
        WITH owner AS (
            SELECT u.id, u.email FROM users u WHERE u.email_key = $1 FOR KEY SHARE
        ),
        issued AS (
            INSERT INTO account_tokens (hash, user_id, purpose, email, expires_at)
            SELECT $2, owner.id, 'reset', owner.email, $3 FROM owner
            ON CONFLICT (user_id, purpose) DO UPDATE
            SET hash = EXCLUDED.hash, email = EXCLUDED.email, expires_at = EXCLUDED.expires_at
        ),
        mailed AS (
            INSERT INTO outbox (id, recipient, subject, body, created_at, due_at)
            SELECT $4, owner.email, $5, $6, $7, $7 FROM owner
        )
        SELECT pg_logical_emit_message(true, 'tertulia', '')::text";
}

/// Stores a token that verifies an address, and makes older ones of that user void.
struct IssueVerification;

impl Statement for IssueVerification {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO account_tokens (hash, user_id, purpose, email, expires_at)
        SELECT $1, u.id, 'verify', $3, $4
        FROM (SELECT id FROM users WHERE id = $2 AND deleted_at IS NULL FOR KEY SHARE) u
        ON CONFLICT (user_id, purpose) DO UPDATE
        SET hash = EXCLUDED.hash, email = EXCLUDED.email, expires_at = EXCLUDED.expires_at";
}

/// Whose live token that is, and which address it was sent to.
struct Find;

impl Statement for Find {
    type Columns = (SqlUuid, Text);
    const SQL: &'static str = "
        SELECT t.user_id, t.email
        FROM account_tokens t JOIN users u ON u.id = t.user_id
        WHERE t.hash = $1 AND t.purpose = $2 AND t.expires_at > $3 AND u.deleted_at IS NULL
          AND (t.purpose <> 'reset' OR lower(t.email) = lower(u.email))";
}

/// Of two who use up a token at once one waits for the other, and finds it gone.
struct UseUp;

impl Statement for UseUp {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM account_tokens WHERE hash = $1";
}

struct DeleteResets;

impl Statement for DeleteResets {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM account_tokens WHERE user_id = $1 AND purpose = 'reset'";
}

struct DeleteAll;

impl Statement for DeleteAll {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM account_tokens WHERE user_id = $1";
}

/// The address counts as verified if it is still the one that the token went to.
struct ResetPassword;

impl Statement for ResetPassword {
    type Columns = Bool;
    const SQL: &'static str = "
        UPDATE users SET
            password = $2,
            updated_at = $3,
            email_verified_at = CASE WHEN email = $4 THEN COALESCE(email_verified_at, $3) ELSE email_verified_at END
        WHERE id = $1 AND deleted_at IS NULL
        RETURNING true";
}

/// Stores a token for a new user, in the transaction that stores the user.
pub(crate) fn insert_verification(
    connection: &mut PgConnection,
    user: UserId,
    email: &str,
    hash: &[u8; 32],
    expires_at: Timestamp,
) -> QueryResult<bool> {
    let stored = prepared::<IssueVerification, _>((
        hash[..].into_sql::<Binary>(),
        user.as_uuid().into_sql::<SqlUuid>(),
        email.into_sql::<Text>(),
        PgTime(expires_at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(stored > 0)
}

/// Makes all tokens of a user void.
pub(crate) fn delete_all(connection: &mut PgConnection, user: UserId) -> QueryResult<()> {
    prepared::<DeleteAll, _>((user.as_uuid().into_sql::<SqlUuid>(),)).execute(connection)?;
    Ok(())
}

/// Makes tokens that reset the password void: somebody who knows the password has just set another one.
pub(crate) fn delete_resets(connection: &mut PgConnection, user: UserId) -> QueryResult<()> {
    prepared::<DeleteResets, _>((user.as_uuid().into_sql::<SqlUuid>(),)).execute(connection)?;
    Ok(())
}

const RESET: &str = "reset";
const VERIFY: &str = "verify";

fn find(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    purpose: &str,
    at: Timestamp,
) -> QueryResult<Option<(Uuid, String)>> {
    prepared::<Find, _>((
        hash[..].into_sql::<Binary>(),
        purpose.into_sql::<Text>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result(connection)
    .optional()
}

/// Uses up a live token, in a transaction of the caller's that holds on to its user from here on.
fn use_up(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    purpose: &str,
    at: Timestamp,
) -> QueryResult<Option<(UserId, String)>> {
    let Some((user, email)) = find(connection, hash, purpose, at)? else {
        return Ok(None);
    };
    users::table
        .find(user)
        .select(users::id)
        .for_update()
        .first::<Uuid>(connection)?;
    let removed = prepared::<UseUp, _>((hash[..].into_sql::<Binary>(),)).execute(connection)?;
    Ok((removed > 0).then(|| (UserId::from_uuid(user), email)))
}

fn redeem_reset(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    password: &PasswordHash,
    at: Timestamp,
) -> QueryResult<Option<UserId>> {
    let Some((user, email)) = use_up(connection, hash, RESET, at)? else {
        return Ok(None);
    };
    let changed = prepared::<ResetPassword, _>((
        user.as_uuid().into_sql::<SqlUuid>(),
        password.as_phc().into_sql::<Text>(),
        PgTime(at).into_sql::<Timestamptz>(),
        email.as_str().into_sql::<Text>(),
    ))
    .get_result::<bool>(connection)
    .optional()?;
    if changed.is_none() {
        return Ok(None);
    }
    end_all_and_keys(connection, user)?;
    Ok(Some(user))
}

fn redeem_verification(
    connection: &mut PgConnection,
    hash: &[u8; 32],
    at: Timestamp,
) -> Result<User, TxError<VerifyEmailError>> {
    let not_found = || TxError::Named(VerifyEmailError::NotFound);
    let (user, email) = use_up(connection, hash, VERIFY, at)?.ok_or_else(not_found)?;
    let email = Email::new(&email).map_err(|error| inconsistent("account_tokens", user, error))?;
    let verified = diesel::update(users::table.find(user.as_uuid()).filter(users::deleted_at.is_null()))
        .set((
            users::email.eq(email.as_str()),
            users::email_key.eq(email.key()),
            users::email_verified_at.eq(PgTime(at)),
            users::updated_at.eq(PgTime(at)),
        ))
        .returning(UserRow::as_returning())
        .get_result(connection)
        .optional();
    match verified {
        Ok(Some(row)) => Ok(row.try_into()?),
        Ok(None) => Err(not_found()),
        Err(error) if violated_unique(&error) == Some("users_email_unique") => {
            Err(TxError::Named(VerifyEmailError::EmailTaken))
        }
        Err(error) => Err(error.into()),
    }
}

#[async_trait]
impl AccountTokenRepository for PgAccountTokenRepository {
    async fn issue_reset(&self, email_key: &str, token: NewAccountToken) -> Result<(), RepositoryError> {
        let email_key = email_key.to_owned();
        self.client
            .run(move |connection| {
                prepared::<IssueReset, _>((
                    email_key.as_str().into_sql::<Text>(),
                    token.hash[..].into_sql::<Binary>(),
                    PgTime(token.expires_at).into_sql::<Timestamptz>(),
                    token.mail.id.as_uuid().into_sql::<SqlUuid>(),
                    token.mail.subject.as_str().into_sql::<Text>(),
                    token.mail.text.as_str().into_sql::<Text>(),
                    PgTime(token.at).into_sql::<Timestamptz>(),
                ))
                .get_result::<String>(connection)?;
                Ok(())
            })
            .await
    }

    async fn find_reset(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<UserId>, RepositoryError> {
        self.client
            .run(move |connection| {
                let found = find(connection, &hash, RESET, at)?;
                Ok(found.map(|(user, _)| UserId::from_uuid(user)))
            })
            .await
    }

    async fn redeem_reset(
        &self,
        hash: [u8; 32],
        password: &PasswordHash,
        at: Timestamp,
    ) -> Result<Option<UserId>, RepositoryError> {
        let password = password.clone();
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(redeem_reset(connection, &hash, &password, at)?))
            })
            .await
    }

    async fn issue_verification(
        &self,
        user_id: UserId,
        email: &Email,
        token: NewAccountToken,
    ) -> Result<bool, RepositoryError> {
        let email = email.clone();
        self.client
            .run(move |connection| {
                connection.transaction(|connection| {
                    let address = email.as_str();
                    let stored = insert_verification(connection, user_id, address, &token.hash, token.expires_at)?;
                    if stored {
                        outbox::enqueue(connection, &token.mail, address, token.at)?;
                    }
                    Ok(stored)
                })
            })
            .await
    }

    async fn redeem_verification(&self, hash: [u8; 32], at: Timestamp) -> Result<User, VerifyEmailError> {
        self.client
            .run(move |connection| connection.transaction(|connection| redeem_verification(connection, &hash, at)))
            .await
    }
}
