use super::{AccountService, AuthenticateError};
use crate::Failure;
use crate::ports::AccessToken;
use tertulia_domain::{Caller, ClaimedSession};

impl AccountService {
    /// Another access token for the caller's session, good for as long as the session: for clients that expect a new one
    /// when something that it used to say changes.
    pub async fn reissue(&self, caller: Caller) -> Result<AccessToken, AuthenticateError> {
        let at = self.clock.now();
        let sessions = self.sessions.list(caller.user_id, at).await.map_err(Failure::from)?;
        let session = sessions.into_iter().find(|session| session.id == caller.session_id);
        let session = session.ok_or(AuthenticateError::Ended)?;
        let claimed = ClaimedSession {
            session_id: session.id,
            user_id: caller.user_id,
        };
        let issued = self.tokens.issue_until(claimed, at, session.expires_at);
        Ok(issued.map_err(Failure::from)?)
    }
}
