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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, NOW, World, assert_matches, email, fresh, passes_on, repository_errors, secret, user,
    };
    use mockall::predicate::eq;

    fn token() -> SecretToken {
        SecretToken::new([7; 32])
    }

    fn with_email(verified: bool) -> User {
        User {
            email: Some(email("ana@example.org")),
            email_verified: verified,
            ..user(ANA)
        }
    }

    async fn redeem(outcome: Result<User, repository::VerifyEmailError>) -> Result<User, VerifyEmailError> {
        let mut world = World::default();
        let asked = world.account_tokens.expect_redeem_verification();
        asked.with(eq(token().hash()), eq(NOW)).once();
        asked.return_once(|_, _| outcome);
        world.services().accounts.verify_email(&token().show()).await
    }

    /// A world in which Ana is so.
    fn finding(found: Option<User>) -> World {
        let mut world = World::default();
        let asked = world.users.expect_find().with(eq(ANA)).once();
        asked.return_once(|_| Ok(found));
        world
    }

    async fn request(mut world: World, issued: bool) -> Result<(), RequestVerificationError> {
        if issued {
            let asked = world.account_tokens.expect_issue_verification().once();
            asked.return_once(|user, address, token| {
                let drawn = SecretToken::new(secret(1));
                assert_eq!((user, address), (ANA, &email("ana@example.org")));
                assert_eq!((token.hash, token.at), (drawn.hash(), NOW));
                assert_eq!(token.expires_at, NOW.plus(Duration::from_hours(24)));
                assert_eq!(*token.mail.id.as_uuid(), fresh(1));
                let link = format!("https://chat.example/verify-email#token={}\n", drawn.show());
                assert!(token.mail.text.contains(&link), "{}", token.mail.text);
                Ok(true)
            });
        } else {
            world.account_tokens.expect_issue_verification().never();
        }
        world.services().accounts.request_verification(CALLER).await
    }

    #[tokio::test]
    async fn a_good_token_verifies_its_address() {
        assert_eq!(redeem(Ok(with_email(true))).await.unwrap(), with_email(true));
    }

    #[tokio::test]
    async fn a_bad_token_verifies_nothing() {
        let unknown = redeem(Err(repository::VerifyEmailError::NotFound)).await;
        assert_matches!(unknown, Err(VerifyEmailError::InvalidToken));
        let taken = redeem(Err(repository::VerifyEmailError::EmailTaken)).await;
        assert_matches!(taken, Err(VerifyEmailError::EmailTaken));
        let mut world = World::default();
        world.account_tokens.expect_redeem_verification().never();
        let malformed = world.services().accounts.verify_email("no token").await;
        assert_matches!(malformed, Err(VerifyEmailError::InvalidToken));
    }

    #[tokio::test]
    async fn another_token_goes_to_ones_own_address() {
        assert_matches!(request(finding(Some(with_email(false))), true).await, Ok(()));
    }

    #[tokio::test]
    async fn there_may_be_nothing_to_verify() {
        let verified = request(finding(Some(with_email(true))), false).await;
        assert_matches!(verified, Err(RequestVerificationError::AlreadyVerified));
        let without = request(finding(Some(user(ANA))), false).await;
        assert_matches!(without, Err(RequestVerificationError::NoEmail));
        let gone = request(finding(None), false).await;
        assert_matches!(gone, Err(RequestVerificationError::NotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| redeem(Err(cause.into())).await).await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find().return_once(|_| Err(cause));
            request(world, false).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = finding(Some(with_email(false)));
            let asked = world.account_tokens.expect_issue_verification();
            asked.return_once(|_, _, _| Err(cause));
            world.services().accounts.request_verification(CALLER).await
        })
        .await;
    }
}
