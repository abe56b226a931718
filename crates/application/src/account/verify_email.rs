use super::AccountService;
use super::secret_token::SecretToken;
use crate::Failure;
use crate::mail::texts;
use std::time::Duration;
use tertulia_domain::repository::{self, MailDraft, NewAccountToken};
use tertulia_domain::{Caller, Email, MailId, Timestamp, User};
use thiserror::Error;

/// How long a token that verifies an address is good for.
const GOOD_FOR: Duration = Duration::from_hours(24);

/// Why an address was not verified.
#[derive(Debug, Error)]
pub enum VerifyEmailError {
    /// Not a token, or one that was used, replaced, or has expired.
    #[error("the token is unknown, used or expired")]
    InvalidToken,
    /// Somebody else has that address by now.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why no mail was sent.
#[derive(Debug, Error)]
pub enum RequestVerificationError {
    /// The caller has no e-mail address.
    #[error("there is no e-mail address to verify")]
    NoEmail,
    /// It is verified already.
    #[error("the e-mail address is verified already")]
    AlreadyVerified,
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A token for a new address: what is stored of it, and the mail.
pub(super) struct Verification {
    pub(super) hash: [u8; 32],
    pub(super) expires_at: Timestamp,
    pub(super) mail: MailDraft,
}

impl AccountService {
    /// Uses a token from a mail: its address is the user's from then on, and verified.
    pub async fn verify_email(&self, token: &str) -> Result<User, VerifyEmailError> {
        let hash = SecretToken::parse(token).ok_or(VerifyEmailError::InvalidToken)?.hash();
        self.tokens_by_mail
            .redeem_verification(hash, self.clock.now())
            .await
            .map_err(|error| match error {
                repository::VerifyEmailError::NotFound => VerifyEmailError::InvalidToken,
                repository::VerifyEmailError::EmailTaken => VerifyEmailError::EmailTaken,
                repository::VerifyEmailError::Repository(error) => VerifyEmailError::Failed(error.into()),
            })
    }

    /// Mails another token to the caller's own address.
    pub async fn request_verification(&self, caller: Caller) -> Result<(), RequestVerificationError> {
        let user = self.users.find(caller.user_id).await.map_err(Failure::from)?;
        let user = user.ok_or(RequestVerificationError::NotFound)?;
        let email = user.email.ok_or(RequestVerificationError::NoEmail)?;
        if user.email_verified {
            return Err(RequestVerificationError::AlreadyVerified);
        }
        self.send_verification(caller, &email).await?;
        Ok(())
    }

    /// Mails a token to an address that is to be the caller's. False when the account is gone.
    pub(super) async fn send_verification(&self, caller: Caller, email: &Email) -> Result<bool, Failure> {
        let at = self.clock.now();
        let Verification { hash, expires_at, mail } = self.new_verification(at);
        let token = NewAccountToken {
            hash,
            expires_at,
            mail,
            at,
        };
        Ok(self
            .tokens_by_mail
            .issue_verification(caller.user_id, email, token)
            .await?)
    }

    pub(super) fn new_verification(&self, at: Timestamp) -> Verification {
        let token = SecretToken::new(self.secrets.bytes());
        let id = MailId::from_uuid(self.ids.next());
        Verification {
            hash: token.hash(),
            expires_at: at.plus(GOOD_FOR),
            mail: texts::verify_email(id, &self.policy.public_url, &token.show()),
        }
    }
}
