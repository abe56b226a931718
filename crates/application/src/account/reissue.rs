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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, CLAIMED, LAPTOP, NOW, World, access_token, assert_matches, passes_on, repository_errors, session,
        token_errors,
    };
    use mockall::predicate::eq;
    use std::time::Duration;
    use tertulia_domain::Session;

    /// The session on another device, which lives longer.
    fn on_laptop() -> Session {
        Session {
            id: LAPTOP,
            expires_at: NOW.plus(Duration::from_hours(1)),
            ..session()
        }
    }

    fn listing(sessions: Vec<Session>) -> World {
        let mut world = World::default();
        world
            .sessions
            .expect_list()
            .with(eq(ANA), eq(NOW))
            .once()
            .return_once(|_, _| Ok(sessions));
        world
    }

    #[tokio::test]
    async fn is_good_for_as_long_as_the_callers_own_session() {
        let mut world = listing(vec![on_laptop(), session()]);
        world
            .tokens
            .expect_issue_until()
            .with(eq(CLAIMED), eq(NOW), eq(session().expires_at))
            .once()
            .returning(|_, _, _| Ok(access_token("another")));
        let token = world.services().accounts.reissue(CALLER).await;
        assert_eq!(token.unwrap(), access_token("another"));
    }

    #[tokio::test]
    async fn a_session_that_has_ended_gets_none() {
        let mut world = listing(vec![on_laptop()]);
        world.tokens.expect_issue_until().never();
        let refused = world.services().accounts.reissue(CALLER).await;
        assert_matches!(refused, Err(AuthenticateError::Ended));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_list().return_once(|_, _| Err(cause));
            world.services().accounts.reissue(CALLER).await
        })
        .await;
        passes_on(token_errors, async |cause| {
            let mut world = listing(vec![session()]);
            world.tokens.expect_issue_until().return_once(|_, _, _| Err(cause));
            world.services().accounts.reissue(CALLER).await
        })
        .await;
    }
}
