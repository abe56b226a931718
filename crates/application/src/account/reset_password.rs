use super::AccountService;
use super::secret_token::SecretToken;
use crate::Failure;
use crate::mail::texts;
use std::fmt;
use std::time::Duration;
use tertulia_domain::repository::NewAccountToken;
use tertulia_domain::{Email, MailId, Password};
use thiserror::Error;

/// How long a token that resets a password is good for.
const GOOD_FOR: Duration = Duration::from_hours(1);

/// Somebody has a token from a mail and wants another password.
#[derive(Clone)]
pub struct ResetPassword {
    /// What stood in the mail.
    pub token: String,
    /// The password from now on.
    pub password: Password,
}

impl fmt::Debug for ResetPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResetPassword").finish_non_exhaustive()
    }
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
        let user = user.ok_or(ResetPasswordError::InvalidToken)?;
        self.hub.sessions_ended(user, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, NOW, World, assert_matches, email, explain, fresh, hash, hash_errors, passes_on, password,
        repository_errors, secret,
    };
    use mockall::predicate::eq;
    use tertulia_domain::UserId;

    fn token() -> SecretToken {
        SecretToken::new([7; 32])
    }

    fn command() -> ResetPassword {
        ResetPassword {
            token: token().show(),
            password: password("87654321"),
        }
    }

    /// A world in which the token is, or isn't, good before the password is hashed.
    fn finding(found: Option<UserId>) -> World {
        let mut world = World::default();
        let asked = world.account_tokens.expect_find_reset();
        asked.with(eq(token().hash()), eq(NOW)).once();
        asked.returning(move |_, _| Ok(found));
        world
    }

    fn redeeming(redeemed: Option<UserId>) -> World {
        let mut world = finding(Some(ANA));
        world.hashes("87654321");
        let asked = world.account_tokens.expect_redeem_reset();
        asked.with(eq(token().hash()), eq(hash("87654321")), eq(NOW)).once();
        asked.returning(move |_, _, _| Ok(redeemed));
        world
    }

    async fn reset(world: World, command: ResetPassword) -> Result<(), ResetPasswordError> {
        world.services().accounts.reset_password(command).await
    }

    /// Whether there is anybody of that address is not even known here.
    #[tokio::test]
    async fn mails_a_token_of_which_only_the_hash_is_stored() {
        let mut world = World::default();
        let asked = world.account_tokens.expect_issue_reset().once();
        asked.return_once(|key, token| {
            let NewAccountToken {
                hash,
                expires_at,
                mail,
                at,
            } = token;
            let drawn = SecretToken::new(secret(1));
            assert_eq!((key, hash), ("ana@example.org", drawn.hash()));
            assert_eq!((at, expires_at), (NOW, NOW.plus(Duration::from_hours(1))));
            assert_eq!(
                (*mail.id.as_uuid(), mail.subject.as_str()),
                (fresh(1), "Reset your password")
            );
            let link = format!("https://chat.example/reset-password#token={}\n", drawn.show());
            assert!(mail.text.contains(&link), "{}", mail.text);
            Ok(())
        });
        let services = world.services();
        let requested = services
            .accounts
            .request_password_reset(&email("Ana@Example.ORG"))
            .await;
        assert_matches!(requested, Ok(()));
    }

    #[tokio::test]
    async fn a_good_token_changes_the_password() {
        assert_matches!(reset(redeeming(Some(ANA)), command()).await, Ok(()));
    }

    /// Or anybody could keep the hasher busy.
    #[tokio::test]
    async fn a_token_that_opens_nothing_hashes_nothing() {
        let mut unknown = finding(None);
        unknown.hasher.expect_hash().never();
        unknown.account_tokens.expect_redeem_reset().never();
        assert_matches!(reset(unknown, command()).await, Err(ResetPasswordError::InvalidToken));
        for text in ["", "no token", &"!".repeat(43)] {
            let mut world = World::default();
            world.account_tokens.expect_find_reset().never();
            world.hasher.expect_hash().never();
            let command = ResetPassword {
                token: text.to_owned(),
                ..command()
            };
            assert_matches!(reset(world, command).await, Err(ResetPasswordError::InvalidToken));
        }
    }

    #[tokio::test]
    async fn a_token_that_is_used_meanwhile_changes_nothing() {
        assert_matches!(
            reset(redeeming(None), command()).await,
            Err(ResetPasswordError::InvalidToken)
        );
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.account_tokens.expect_find_reset().return_once(|_, _| Err(cause));
            reset(world, command()).await
        })
        .await;
        passes_on(hash_errors, async |cause| {
            let mut world = finding(Some(ANA));
            world.hasher.expect_hash().return_once(|_| Err(cause));
            world.account_tokens.expect_redeem_reset().never();
            reset(world, command()).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = finding(Some(ANA));
            world.hashes("87654321");
            let asked = world.account_tokens.expect_redeem_reset();
            asked.return_once(|_, _, _| Err(cause));
            reset(world, command()).await
        })
        .await;
        for (cause, same) in repository_errors().into_iter().zip(repository_errors()) {
            let mut world = World::default();
            world.account_tokens.expect_issue_reset().return_once(|_, _| Err(cause));
            let services = world.services();
            let failed = services
                .accounts
                .request_password_reset(&email("ana@example.org"))
                .await;
            assert_eq!(explain(&failed.unwrap_err()), explain(&Failure::from(same)));
        }
    }
}
