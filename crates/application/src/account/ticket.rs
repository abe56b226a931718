use super::secret_token::SecretToken;
use super::{AccountService, AuthenticateError};
use crate::Failure;
use std::fmt;
use std::time::Duration;
use tertulia_domain::Caller;

/// How long a ticket is good for.
const GOOD_FOR: Duration = Duration::from_secs(30);

/// What opens one connection in place of a token, where a token could be read by others: in an address.
#[derive(Clone)]
pub struct Ticket {
    /// What the client shows, once.
    pub text: String,
    /// How long it is good for.
    pub expires_in: Duration,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl AccountService {
    /// A ticket for the caller's session.
    pub async fn issue_ticket(&self, caller: Caller) -> Result<Ticket, Failure> {
        let token = SecretToken::new(self.secrets.bytes());
        let expires_at = self.clock.now().plus(GOOD_FOR);
        self.events
            .insert_ticket(token.hash(), caller.session(), expires_at)
            .await?;
        Ok(Ticket {
            text: token.show(),
            expires_in: GOOD_FOR,
        })
    }

    /// Who shows a ticket; from then on it is void.
    pub async fn redeem_ticket(&self, text: &str) -> Result<Caller, AuthenticateError> {
        let hash = SecretToken::parse(text).ok_or(AuthenticateError::Invalid)?.hash();
        let at = self.clock.now();
        let session = self.events.redeem_ticket(hash, at).await.map_err(Failure::from)?;
        let session = session.ok_or(AuthenticateError::Invalid)?;
        let caller = self.sessions.find_caller(session, at).await.map_err(Failure::from)?;
        caller.ok_or(AuthenticateError::Ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CALLER, CLAIMED, NOW, World, assert_matches, passes_on, repository_errors, secret};
    use mockall::predicate::eq;

    fn hash() -> [u8; 32] {
        SecretToken::new(secret(1)).hash()
    }

    #[tokio::test]
    async fn is_stored_as_its_hash_and_opens_its_session_once() {
        let mut world = World::default();
        let stored = world.events.expect_insert_ticket().once();
        stored
            .with(eq(hash()), eq(CLAIMED), eq(NOW.plus(GOOD_FOR)))
            .returning(|_, _, _| Ok(()));
        let mut left = Some(CLAIMED);
        let redeemed = world.events.expect_redeem_ticket().with(eq(hash()), eq(NOW)).times(2);
        redeemed.returning(move |_, _| Ok(left.take()));
        let found = world.sessions.expect_find_caller().with(eq(CLAIMED), eq(NOW)).once();
        found.returning(|_, _| Ok(Some(CALLER)));
        let accounts = world.services().accounts;
        let ticket = accounts.issue_ticket(CALLER).await.unwrap();
        assert_eq!(ticket.expires_in, Duration::from_secs(30));
        assert!(!format!("{ticket:?}").contains(&ticket.text));
        assert_eq!(accounts.redeem_ticket(&ticket.text).await.unwrap(), CALLER);
        let again = accounts.redeem_ticket(&ticket.text).await;
        assert_matches!(again, Err(AuthenticateError::Invalid));
    }

    #[tokio::test]
    async fn opens_nothing_after_its_session() {
        let mut world = World::default();
        world.events.expect_redeem_ticket().returning(|_, _| Ok(Some(CLAIMED)));
        world.sessions.expect_find_caller().returning(|_, _| Ok(None));
        let accounts = world.services().accounts;
        let text = SecretToken::new(secret(1)).show();
        assert_matches!(accounts.redeem_ticket(&text).await, Err(AuthenticateError::Ended));
        assert_matches!(accounts.redeem_ticket("x").await, Err(AuthenticateError::Invalid));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.events.expect_insert_ticket().return_once(|_, _, _| Err(cause));
            world.services().accounts.issue_ticket(CALLER).await
        })
        .await;
    }
}
