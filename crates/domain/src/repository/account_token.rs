use super::{MailDraft, RepositoryError};
use crate::ids::UserId;
use crate::password::PasswordHash;
use crate::time::Timestamp;
use crate::user::{Email, User};
use async_trait::async_trait;
use thiserror::Error;

/// A single-use token that goes out by mail.
#[derive(Debug, Clone)]
pub struct NewAccountToken {
    /// SHA-256 of the token: the token itself is stored nowhere but in the mail.
    pub hash: [u8; 32],
    /// When it stops being accepted.
    pub expires_at: Timestamp,
    /// The mail that carries it.
    pub mail: MailDraft,
    /// Now.
    pub at: Timestamp,
}

/// Why an e-mail address was not verified.
#[derive(Debug, Error)]
pub enum VerifyEmailError {
    /// No such token, or it was used, replaced, or has expired.
    #[error("no such token")]
    NotFound,
    /// Somebody else has that address by now.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// The tokens that prove that somebody reads a mailbox.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AccountTokenRepository: Send + Sync {
    /// Stores a token that resets the password of the user with that e-mail key, and the mail that carries it, to the
    /// address as stored; older ones of that user are void, and this one will be when the user's password or address changes. Nothing when there is no such user; which of the two is not
    /// told, and takes the same time.
    async fn issue_reset(&self, email_key: &str, token: NewAccountToken) -> Result<(), RepositoryError>;

    /// Whose password a live token resets.
    async fn find_reset(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<UserId>, RepositoryError>;

    /// Uses up a live reset token: replaces the password and ends every session and key of the user, in one transaction.
    /// Of two uses at once one succeeds. The address counts as verified then, since somebody reads it.
    async fn redeem_reset(
        &self,
        hash: [u8; 32],
        password: &PasswordHash,
        at: Timestamp,
    ) -> Result<Option<UserId>, RepositoryError>;

    /// Stores a token that verifies `email` for a user and makes it theirs, and the mail that carries it; older ones of
    /// that user are void. False when there is no such user.
    async fn issue_verification(
        &self,
        user_id: UserId,
        email: &Email,
        token: NewAccountToken,
    ) -> Result<bool, RepositoryError>;

    /// Uses up a live verification token: its address is the user's from then on, and verified.
    async fn redeem_verification(&self, hash: [u8; 32], at: Timestamp) -> Result<User, VerifyEmailError>;
}
