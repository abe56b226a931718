use super::AccountService;
use crate::Failure;
use tertulia_domain::{Caller, Session, SessionId};
use thiserror::Error;

/// Why a session was not ended.
#[derive(Debug, Error)]
pub enum EndSessionError {
    /// The caller has no session of that id.
    #[error("no such session")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// The caller's sessions, newest first.
    pub async fn sessions(&self, caller: Caller) -> Result<Vec<Session>, Failure> {
        Ok(self.sessions.list(caller.user_id, self.clock.now()).await?)
    }

    /// Ends the caller's session. From the next request on its tokens are refused, by every process.
    pub async fn log_out(&self, caller: Caller) -> Result<(), Failure> {
        // Somebody else may have ended it since the caller was recognised: that is as good.
        self.sessions.end(caller.user_id, caller.session_id).await?;
        self.hub.sessions_ended(caller.user_id, Some(caller.session_id));
        Ok(())
    }

    /// Ends all of the caller's sessions, this one included; gives their number.
    pub async fn log_out_everywhere(&self, caller: Caller) -> Result<u64, Failure> {
        let ended = self.sessions.end_all(caller.user_id).await?;
        self.hub.sessions_ended(caller.user_id, None);
        Ok(ended)
    }

    /// Ends one of the caller's sessions.
    pub async fn end_session(&self, caller: Caller, session: SessionId) -> Result<(), EndSessionError> {
        let ended = self
            .sessions
            .end(caller.user_id, session)
            .await
            .map_err(Failure::from)?;
        if !ended {
            return Err(EndSessionError::NotFound);
        }
        self.hub.sessions_ended(caller.user_id, Some(session));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, LAPTOP, NOW, PHONE, World, assert_matches, passes_on, repository_errors, session,
    };
    use mockall::predicate::eq;

    fn ending(id: SessionId, ended: bool) -> World {
        let mut world = World::default();
        let asked = world.sessions.expect_end().with(eq(ANA), eq(id)).once();
        asked.return_once(move |_, _| Ok(ended));
        world
    }

    #[tokio::test]
    async fn lists_the_living() {
        let mut world = World::default();
        let asked = world.sessions.expect_list().with(eq(ANA), eq(NOW)).once();
        asked.return_once(|_, _| Ok(vec![session()]));
        assert_eq!(world.services().accounts.sessions(CALLER).await.unwrap(), [session()]);
    }

    #[tokio::test]
    async fn logs_out_of_this_session_even_if_it_has_ended() {
        for ended in [true, false] {
            let services = ending(PHONE, ended).services();
            assert_matches!(services.accounts.log_out(CALLER).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn logs_out_everywhere() {
        let mut world = World::default();
        world
            .sessions
            .expect_end_all()
            .with(eq(ANA))
            .once()
            .return_once(|_| Ok(5));
        assert_matches!(world.services().accounts.log_out_everywhere(CALLER).await, Ok(5));
    }

    #[tokio::test]
    async fn ends_another_session() {
        let ended = ending(LAPTOP, true).services();
        assert_matches!(ended.accounts.end_session(CALLER, LAPTOP).await, Ok(()));
        let unknown = ending(LAPTOP, false).services();
        assert_matches!(
            unknown.accounts.end_session(CALLER, LAPTOP).await,
            Err(EndSessionError::NotFound)
        );
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_list().return_once(|_, _| Err(cause));
            world.services().accounts.sessions(CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_end().return_once(|_, _| Err(cause));
            world.services().accounts.log_out(CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_end_all().return_once(|_| Err(cause));
            world.services().accounts.log_out_everywhere(CALLER).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_end().return_once(|_, _| Err(cause));
            world.services().accounts.end_session(CALLER, LAPTOP).await
        })
        .await;
    }
}
