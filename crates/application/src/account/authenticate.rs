use super::AccountService;
use super::api_keys::PREFIX;
use super::secret_token::SecretToken;
use crate::Failure;
use crate::ports::VerifyTokenError;
use tertulia_domain::{Caller, ClaimedSession, Scopes};
use thiserror::Error;

/// Why a request has no caller.
#[derive(Debug, Error)]
pub enum AuthenticateError {
    /// Not a token of this service.
    #[error("the access token is invalid")]
    Invalid,
    /// Genuine, but past its time: the client refreshes.
    #[error("the access token has expired")]
    Expired,
    /// Genuine, but its session has ended.
    #[error("the session has ended")]
    Ended,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Somebody, and what their credentials may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identified<T> {
    /// Who.
    pub who: T,
    /// What for.
    pub scopes: Scopes,
}

impl AccountService {
    /// Checks an access token or an API key, without asking whether its session still lives: for use cases that look at the session in
    /// the statement that does their work.
    pub async fn claim(&self, token: &str) -> Result<Identified<ClaimedSession>, AuthenticateError> {
        if let Some(key) = token.strip_prefix(PREFIX) {
            return self.claim_by_key(key).await;
        }
        let claimed = self
            .tokens
            .verify(token, self.clock.now())
            .await
            .map_err(|error| match error {
                VerifyTokenError::Invalid => AuthenticateError::Invalid,
                VerifyTokenError::Expired => AuthenticateError::Expired,
                VerifyTokenError::Repository(error) => AuthenticateError::Failed(error.into()),
            })?;
        Ok(Identified {
            who: claimed,
            scopes: Scopes::FULL,
        })
    }

    async fn claim_by_key(&self, key: &str) -> Result<Identified<ClaimedSession>, AuthenticateError> {
        let hash = SecretToken::parse(key).ok_or(AuthenticateError::Invalid)?.hash();
        let found = self
            .api_keys
            .find(hash, self.clock.now())
            .await
            .map_err(Failure::from)?;
        let (who, scopes) = found.ok_or(AuthenticateError::Invalid)?;
        Ok(Identified { who, scopes })
    }

    /// Checks an access token and that its session lives.
    pub async fn authenticate(&self, token: &str) -> Result<Identified<Caller>, AuthenticateError> {
        let Identified { who, scopes } = self.claim(token).await?;
        let caller = self
            .sessions
            .find_caller(who, self.clock.now())
            .await
            .map_err(Failure::from)?;
        let caller = caller.ok_or(AuthenticateError::Ended)?;
        self.presence.note(who);
        Ok(Identified { who: caller, scopes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CALLER, CLAIMED, NOW, World, assert_matches, passes_on, repository_errors, user};
    use mockall::predicate::eq;

    fn verifying(answer: Result<ClaimedSession, VerifyTokenError>) -> World {
        let mut world = World::default();
        world
            .tokens
            .expect_verify()
            .with(eq("token"), eq(NOW))
            .once()
            .return_once(|_, _| answer);
        world
    }

    #[tokio::test]
    async fn a_claim_asks_nothing_of_the_database() {
        let mut world = verifying(Ok(CLAIMED));
        world.sessions.expect_find_caller().never();
        let services = world.services();
        let identified = services.accounts.claim("token").await.unwrap();
        assert_eq!((identified.who, identified.scopes), (CLAIMED, Scopes::FULL));
        assert!(!services.presence.is_online(&user(ANA)));
    }

    #[tokio::test]
    async fn a_bad_token_has_no_caller() {
        let invalid = verifying(Err(VerifyTokenError::Invalid)).services();
        assert_matches!(
            invalid.accounts.authenticate("token").await,
            Err(AuthenticateError::Invalid)
        );
        let expired = verifying(Err(VerifyTokenError::Expired)).services();
        assert_matches!(
            expired.accounts.authenticate("token").await,
            Err(AuthenticateError::Expired)
        );
        for services in [invalid, expired] {
            assert!(!services.presence.is_online(&user(ANA)));
        }
    }

    #[tokio::test]
    async fn a_caller_has_a_living_session() {
        let authenticate = async |found| {
            let mut world = verifying(Ok(CLAIMED));
            let asked = world.sessions.expect_find_caller().with(eq(CLAIMED), eq(NOW)).once();
            asked.return_once(move |_, _| Ok(found));
            let services = world.services();
            let outcome = services.accounts.authenticate("token").await;
            (outcome, services.presence.is_online(&user(ANA)))
        };
        let (identified, online) = authenticate(Some(CALLER)).await;
        let identified = identified.unwrap();
        assert_eq!(
            (identified.who, identified.scopes, online),
            (CALLER, Scopes::FULL, true)
        );
        assert_matches!(authenticate(None).await, (Err(AuthenticateError::Ended), false));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let services = verifying(Err(cause.into())).services();
            services.accounts.claim("token").await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = verifying(Ok(CLAIMED));
            world.sessions.expect_find_caller().return_once(|_, _| Err(cause));
            world.services().accounts.authenticate("token").await
        })
        .await;
    }

    /// A world in which a key of that secret is asked for, and nothing of access tokens.
    fn keyed(found: Option<(ClaimedSession, Scopes)>) -> World {
        let mut world = World::default();
        world.tokens.expect_verify().never();
        let hash = SecretToken::new([7; 32]).hash();
        let asked = world.api_keys.expect_find().with(eq(hash), eq(NOW)).once();
        asked.return_once(move |_, _| Ok(found));
        world
    }

    fn key() -> String {
        format!("tt_{}", SecretToken::new([7; 32]).show())
    }

    #[tokio::test]
    async fn a_key_is_good_for_its_scopes() {
        let scopes = Scopes::parse(["read"]).unwrap();
        let services = keyed(Some((CLAIMED, scopes))).services();
        let identified = services.accounts.claim(&key()).await.unwrap();
        assert_eq!((identified.who, identified.scopes), (CLAIMED, scopes));
        let mut world = keyed(Some((CLAIMED, scopes)));
        let asked = world.sessions.expect_find_caller().with(eq(CLAIMED), eq(NOW)).once();
        asked.returning(|_, _| Ok(Some(CALLER)));
        let services = world.services();
        let identified = services.accounts.authenticate(&key()).await.unwrap();
        assert_eq!((identified.who, identified.scopes), (CALLER, scopes));
        assert!(services.presence.is_online(&user(ANA)));
    }

    #[tokio::test]
    async fn a_bad_key_has_no_caller() {
        let unknown = keyed(None).services().accounts.authenticate(&key()).await;
        assert_matches!(unknown, Err(AuthenticateError::Invalid));
        for malformed in ["tt_", "tt_short", &format!("{}x", key())] {
            let mut world = World::default();
            world.tokens.expect_verify().never();
            world.api_keys.expect_find().never();
            let refused = world.services().accounts.claim(malformed).await;
            assert_matches!(refused, Err(AuthenticateError::Invalid));
        }
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.api_keys.expect_find().return_once(|_, _| Err(cause));
            world.services().accounts.claim(&key()).await
        })
        .await;
    }
}
