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
            Ok(())
        } else {
            Err(RevokeApiKeyError::NotFound)
        }
    }
}
