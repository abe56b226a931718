use super::refresh_token::RefreshToken;
use super::{AccessLifetime, AccountService, Grant};
use crate::Failure;
use sha2::{Digest, Sha256};
use tertulia_domain::repository::{RotateRefresh, Rotation};
use thiserror::Error;

/// Why a refresh token gave nothing.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// Not a token of a live session.
    #[error("the refresh token is invalid")]
    Invalid,
    /// It had been used before: its session has ended now, for the thief and for the owner.
    #[error("the refresh token was used before; the session has ended")]
    Reused,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Exchanges a refresh token for new credentials. Each works once.
    pub async fn refresh(&self, token: &str) -> Result<Grant, RefreshError> {
        let presented = RefreshToken::parse(token).ok_or(RefreshError::Invalid)?;
        let next = RefreshToken {
            secret: self.secrets.bytes(),
            ..presented
        };
        let at = self.clock.now();
        let rotation = RotateRefresh {
            session_id: presented.session_id,
            presented: presented.hashes(),
            next_secret: Sha256::digest(next.secret).into(),
            at,
            expires_at: at.plus(self.policy.idle),
        };
        match self.sessions.rotate(rotation).await.map_err(Failure::from)? {
            Rotation::Rotated { session, user } => Ok(self.grant(*user, session, &next, AccessLifetime::Short)?),
            Rotation::Reused => {
                tracing::warn!(session = %presented.session_id, "an old refresh token was used; its session was ended");
                Err(RefreshError::Reused)
            }
            Rotation::Unknown => Err(RefreshError::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CLAIMED, NOW, PHONE, POLICY, World, access_token, assert_matches, passes_on, repository_errors, secret,
        session, token_errors, user,
    };
    use mockall::predicate::eq;

    /// The token that Ana's client holds.
    fn held() -> RefreshToken {
        RefreshToken {
            session_id: PHONE,
            family: [70; 32],
            secret: [71; 32],
        }
    }

    fn rotated() -> Rotation {
        Rotation::Rotated {
            session: session(),
            user: Box::new(user(ANA)),
        }
    }

    fn rotating(outcome: Rotation) -> World {
        let mut world = World::default();
        world.sessions.expect_rotate().once().return_once(|_| Ok(outcome));
        world
    }

    #[tokio::test]
    async fn exchanges_hashes_and_shows_the_next_token() {
        let mut world = World::default();
        world.sessions.expect_rotate().once().returning(|rotation| {
            let RotateRefresh {
                session_id,
                presented,
                next_secret,
                at,
                expires_at,
            } = rotation;
            assert_eq!(session_id, PHONE);
            assert_eq!(presented.family, <[u8; 32]>::from(Sha256::digest([70; 32])));
            assert_eq!(presented.secret, <[u8; 32]>::from(Sha256::digest([71; 32])));
            assert_eq!(next_secret, <[u8; 32]>::from(Sha256::digest(secret(1))));
            assert_eq!((at, expires_at), (NOW, NOW.plus(POLICY.idle)));
            Ok(rotated())
        });
        let issued = world.tokens.expect_issue().with(eq(CLAIMED), eq(NOW)).once();
        issued.returning(|_, _| Ok(access_token("access")));
        let services = world.services();
        let grant = services.accounts.refresh(&held().show()).await.unwrap();
        assert_eq!((grant.user, grant.session), (user(ANA), session()));
        assert_eq!(grant.access, access_token("access"));
        let next = RefreshToken {
            secret: secret(1),
            ..held()
        };
        assert_eq!(grant.refresh_token, next.show());
        assert!(services.presence.is_online(&user(ANA)));
    }

    #[tokio::test]
    async fn what_is_no_token_asks_nothing() {
        let mut world = World::default();
        world.sessions.expect_rotate().never();
        let services = world.services();
        for text in ["", "token", &held().show()[1..]] {
            assert_matches!(services.accounts.refresh(text).await, Err(RefreshError::Invalid));
        }
    }

    #[tokio::test]
    async fn a_refused_token_gives_nothing() {
        let refused = async |outcome| {
            let mut world = rotating(outcome);
            world.tokens.expect_issue().never();
            let services = world.services();
            let error = services.accounts.refresh(&held().show()).await.unwrap_err();
            assert!(!services.presence.is_online(&user(ANA)));
            error
        };
        assert_matches!(refused(Rotation::Reused).await, RefreshError::Reused);
        assert_matches!(refused(Rotation::Unknown).await, RefreshError::Invalid);
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.sessions.expect_rotate().return_once(|_| Err(cause));
            world.services().accounts.refresh(&held().show()).await
        })
        .await;
        passes_on(token_errors, async |cause| {
            let mut world = rotating(rotated());
            world.tokens.expect_issue().return_once(|_, _| Err(cause));
            world.services().accounts.refresh(&held().show()).await
        })
        .await;
    }
}
