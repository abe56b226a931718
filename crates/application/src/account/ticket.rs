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
