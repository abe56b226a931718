use super::AccountService;
use super::secret_token::SecretToken;
use crate::Failure;
use crate::mail::texts;
use std::time::Duration;
use tertulia_domain::repository::NewAccountToken;
use tertulia_domain::{Email, MailId, Password};
use thiserror::Error;

/// How long a token that resets a password is good for.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// Somebody has a token from a mail and wants another password.
#[derive(Debug, Clone)]
pub struct ResetPassword {
    /// What stood in the mail.
    pub token: String,
    /// The password from now on.
    pub password: Password,
}

/// Why the password stays.
#[derive(Debug, Error)]
pub enum ResetPasswordError {
    /// Not a token, or one that was used, replaced, or has expired.
    #[error("the token is unknown, used or expired")]
    InvalidToken,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Mails a single-use token to whoever has that address, if anybody does. Takes the same time, and tells the same, if
    /// nobody does.
    pub async fn request_password_reset(&self, email: &Email) -> Result<(), Failure> {
        let at = self.clock.now();
        let token = SecretToken::new(self.secrets.bytes());
        let id = MailId::from_uuid(self.ids.next());
        let token = NewAccountToken {
            hash: token.hash(),
            expires_at: at.plus(GOOD_FOR),
            mail: texts::reset_password(id, &self.policy.public_url, &token.show()),
            at,
        };
        Ok(self.tokens_by_mail.issue_reset(&email.key(), token).await?)
    }

    /// Sets another password by such a token, and ends every session and key of the user.
    pub async fn reset_password(&self, command: ResetPassword) -> Result<(), ResetPasswordError> {
        let hash = SecretToken::parse(&command.token)
            .ok_or(ResetPasswordError::InvalidToken)?
            .hash();
        // Hashing is dear: not for a token that opens nothing.
        let user = self
            .tokens_by_mail
            .find_reset(hash, self.clock.now())
            .await
            .map_err(Failure::from)?;
        user.ok_or(ResetPasswordError::InvalidToken)?;
        let password = self.hasher.hash(command.password).await.map_err(Failure::from)?;
        let user = self
            .tokens_by_mail
            .redeem_reset(hash, &password, self.clock.now())
            .await
            .map_err(Failure::from)?;
        user.map(|_| ()).ok_or(ResetPasswordError::InvalidToken)
    }
}
