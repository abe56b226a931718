use super::AccountService;
use super::secret_token::SecretToken;
use crate::Failure;
use tertulia_domain::{ApiKey, Caller, DeviceName, Scopes, SessionId, Timestamp};
use thiserror::Error;

/// What every key begins with, so that it can be told from other secrets.
pub(super) const PREFIX: &str = "tt_";

/// Somebody wants a key.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// What they call it.
    pub name: DeviceName,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it stops being accepted, if ever.
    pub expires_at: Option<Timestamp>,
}

/// Why there is no key.
#[derive(Debug, Error)]
pub enum CreateApiKeyError {
    /// It would never have been good.
    #[error("the time of expiry has passed")]
    ExpiresInThePast,
    /// The user has [`ApiKey::MOST`] keys.
    #[error("there can be {} keys at the most", ApiKey::MOST)]
    TooMany,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Why no key was revoked.
#[derive(Debug, Error)]
pub enum RevokeApiKeyError {
    /// The caller has no key of that id.
    #[error("no such key")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A new key with its secret, which is shown this once.
pub struct CreatedApiKey {
    /// The key.
    pub key: ApiKey,
    /// What its holder sends.
    pub secret: String,
}

impl AccountService {
    /// Makes a key that acts as the caller.
    pub async fn create_api_key(
        &self,
        caller: Caller,
        command: CreateApiKey,
    ) -> Result<CreatedApiKey, CreateApiKeyError> {
        let at = self.clock.now();
        if command.expires_at.is_some_and(|expires_at| expires_at <= at) {
            return Err(CreateApiKeyError::ExpiresInThePast);
        }
        let secret = SecretToken::new(self.secrets.bytes());
        let key = ApiKey {
            id: SessionId::from_uuid(self.ids.next()),
            user_id: caller.user_id,
            name: command.name,
            scopes: command.scopes,
            created_at: at,
            last_used_at: at,
            expires_at: command.expires_at,
        };
        let stored = self
            .api_keys
            .insert(key.clone(), secret.hash(), ApiKey::MOST)
            .await
            .map_err(Failure::from)?;
        if !stored {
            return Err(CreateApiKeyError::TooMany);
        }
        Ok(CreatedApiKey {
            key,
            secret: format!("{PREFIX}{}", secret.show()),
        })
    }

    /// The caller's keys, newest first.
    pub async fn api_keys(&self, caller: Caller) -> Result<Vec<ApiKey>, Failure> {
        Ok(self.api_keys.list(caller.user_id).await?)
    }

    /// Revokes a key, at once and everywhere.
    pub async fn revoke_api_key(&self, caller: Caller, id: SessionId) -> Result<(), RevokeApiKeyError> {
        let revoked = self.api_keys.revoke(caller.user_id, id).await.map_err(Failure::from)?;
        if revoked {
            self.hub.sessions_ended(caller.user_id, Some(id));
            Ok(())
        } else {
            Err(RevokeApiKeyError::NotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, LAPTOP, NOW, World, assert_matches, fresh, passes_on, repository_errors, secret,
    };
    use mockall::predicate::eq;
    use std::time::Duration;

    fn command(expires_at: Option<Timestamp>) -> CreateApiKey {
        CreateApiKey {
            name: DeviceName::new("bot").unwrap(),
            scopes: Scopes::parse(["read", "write"]).unwrap(),
            expires_at,
        }
    }

    fn made(expires_at: Option<Timestamp>) -> ApiKey {
        ApiKey {
            id: SessionId::from_uuid(fresh(1)),
            user_id: ANA,
            name: command(None).name,
            scopes: command(None).scopes,
            created_at: NOW,
            last_used_at: NOW,
            expires_at,
        }
    }

    fn storing(expires_at: Option<Timestamp>, stored: bool) -> World {
        let mut world = World::default();
        let hash = SecretToken::new(secret(1)).hash();
        let asked = world.api_keys.expect_insert();
        asked.with(eq(made(expires_at)), eq(hash), eq(100)).once();
        asked.returning(move |_, _, _| Ok(stored));
        world
    }

    #[tokio::test]
    async fn the_secret_is_shown_and_only_its_hash_stored() {
        for expires_at in [None, Some(NOW.plus(Duration::from_millis(1)))] {
            let services = storing(expires_at, true).services();
            let created = services.accounts.create_api_key(CALLER, command(expires_at)).await;
            let CreatedApiKey { key, secret: shown } = created.map_err(|error| error.to_string()).unwrap();
            assert_eq!(key, made(expires_at));
            assert_eq!(shown, format!("tt_{}", SecretToken::new(secret(1)).show()));
        }
    }

    #[tokio::test]
    async fn a_key_that_was_never_good_is_not_made() {
        for expires_at in [NOW, NOW.minus(Duration::from_millis(1))] {
            let mut world = World::default();
            world.api_keys.expect_insert().never();
            let services = world.services();
            let refused = services
                .accounts
                .create_api_key(CALLER, command(Some(expires_at)))
                .await;
            assert_matches!(refused.map(drop), Err(CreateApiKeyError::ExpiresInThePast));
        }
    }

    #[tokio::test]
    async fn there_can_be_too_many() {
        let services = storing(None, false).services();
        let refused = services.accounts.create_api_key(CALLER, command(None)).await;
        assert_matches!(refused.map(drop), Err(CreateApiKeyError::TooMany));
    }

    #[tokio::test]
    async fn lists_ones_own() {
        let mut world = World::default();
        let asked = world.api_keys.expect_list().with(eq(ANA)).once();
        asked.returning(|_| Ok(vec![made(None)]));
        assert_eq!(world.services().accounts.api_keys(CALLER).await.unwrap(), [made(None)]);
    }

    #[tokio::test]
    async fn revokes_ones_own() {
        let revoke = async |revoked| {
            let mut world = World::default();
            let asked = world.api_keys.expect_revoke().with(eq(ANA), eq(LAPTOP)).once();
            asked.returning(move |_, _| Ok(revoked));
            world.services().accounts.revoke_api_key(CALLER, LAPTOP).await
        };
        assert_matches!(revoke(true).await, Ok(()));
        assert_matches!(revoke(false).await, Err(RevokeApiKeyError::NotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.api_keys.expect_insert().return_once(|_, _, _| Err(cause));
            let services = world.services();
            services.accounts.create_api_key(CALLER, command(None)).await.map(drop)
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.api_keys.expect_revoke().return_once(|_, _| Err(cause));
            world.services().accounts.revoke_api_key(CALLER, LAPTOP).await
        })
        .await;
        let mut world = World::default();
        let asked = world.api_keys.expect_list();
        asked.return_once(|_| Err(repository_errors().remove(0)));
        assert_matches!(
            world.services().accounts.api_keys(CALLER).await,
            Err(Failure::Overloaded)
        );
    }
}
