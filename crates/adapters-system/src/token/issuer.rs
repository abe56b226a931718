use super::SigningKey;
use super::claims::{Claims, SERVICE, Verified};
use super::key_ring::KeyRing;
use crate::ids::random;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use quick_cache::sync::Cache;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tertulia_application::ports::{AccessToken, TokenError, TokenIssuer, VerifyTokenError};
use tertulia_domain::repository::{RepositoryError, VerificationKeyRepository};
use tertulia_domain::{ClaimedSession, Timestamp};

/// The type of an access token in form of a JWT (RFC 9068, section 2.1).
const ACCESS_TOKEN: &str = "at+jwt";

/// Tokens that are remembered as verified, at about 150 bytes each.
const REMEMBERED: usize = 65_536;

/// Longer than any token of ours, with room for claims of a later version: refused before it costs anything.
const MAX_TOKEN_BYTES: usize = 2_048;

/// Access tokens as JWT (RFC 7519), signed with Ed25519 (RFC 8037).
///
/// Each process signs with a key of its own. It publishes the public half to the repository, so that all processes which
/// share a database accept each other's tokens.
///
/// A signature is checked once per token and process; what was found is remembered, by the token's SHA-256, for as many
/// tokens as fit.
pub struct Ed25519TokenIssuer {
    key: SigningKey,
    ring: KeyRing,
    verified: Cache<[u8; 32], Verified>,
    validation: Validation,
    life: Duration,
}

impl fmt::Debug for Ed25519TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519TokenIssuer")
            .field("kid", &self.key.kid())
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl Ed25519TokenIssuer {
    /// Signs with `key` tokens that are good for `life`, in whole seconds.
    pub fn new(key: SigningKey, keys: Arc<dyn VerificationKeyRepository>, life: Duration) -> Self {
        // The algorithm is ours to choose, never the token's. Everything else we check ourselves, against the time that we
        // are told: the library would ask the system's clock.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            ring: KeyRing::new(keys, key.kid().to_owned(), key.public()),
            verified: Cache::new(REMEMBERED),
            validation,
            life: Duration::from_secs(life.as_secs()),
            key,
        }
    }

    /// Makes the public key known to the other processes: to be done before the first token is handed out.
    pub async fn publish(&self, at: Timestamp) -> Result<(), RepositoryError> {
        self.ring.publish(self.key.verification_key(at)).await
    }

    /// Checks all but the time.
    pub(super) async fn check(&self, token: &str) -> Result<Verified, VerifyTokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| VerifyTokenError::Invalid)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(ACCESS_TOKEN) {
            return Err(VerifyTokenError::Invalid);
        }
        let kid = header.kid.ok_or(VerifyTokenError::Invalid)?;
        let key = self.ring.find(&kid).await?.ok_or(VerifyTokenError::Invalid)?;
        self.decode(token, &key).ok_or(VerifyTokenError::Invalid)
    }

    fn decode(&self, token: &str, key: &DecodingKey) -> Option<Verified> {
        let decoded = jsonwebtoken::decode::<Claims>(token, key, &self.validation).ok()?;
        decoded.claims.verified()
    }
}

#[async_trait]
impl TokenIssuer for Ed25519TokenIssuer {
    fn issue(&self, session: ClaimedSession, at: Timestamp) -> Result<AccessToken, TokenError> {
        self.issue_until(session, at, at.plus(self.life))
    }

    fn issue_until(
        &self,
        session: ClaimedSession,
        at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<AccessToken, TokenError> {
        let issued = at.as_millis().div_euclid(1000);
        // Begun seconds count for the client: the token is good for no less than it is told.
        let expires = expires_at.plus(Duration::from_millis(999)).as_millis().div_euclid(1000);
        let claims = Claims {
            iss: SERVICE.to_owned(),
            aud: SERVICE.to_owned(),
            sub: session.user_id.to_string(),
            sid: session.session_id.to_string(),
            jti: URL_SAFE_NO_PAD.encode(random::<12>()),
            iat: issued,
            exp: expires,
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(ACCESS_TOKEN.to_owned());
        header.kid = Some(self.key.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims, self.key.encoding_key())
            .map_err(|error| TokenError(error.into()))?;
        if let Some(verified) = claims.verified() {
            self.verified.insert(fingerprint(&token), verified);
        }
        Ok(AccessToken {
            token,
            expires_at: Timestamp::from_millis(expires * 1000),
            expires_in: Duration::from_secs(expires_at.since(at).as_secs()),
        })
    }

    async fn verify(&self, token: &str, at: Timestamp) -> Result<ClaimedSession, VerifyTokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(VerifyTokenError::Invalid);
        }
        let fingerprint = fingerprint(token);
        if let Some(verified) = self.verified.get(&fingerprint) {
            return verified.at(at);
        }
        let verified = self.check(token).await?;
        let session = verified.at(at)?;
        self.verified.insert(fingerprint, verified);
        Ok(session)
    }
}

/// A token is remembered by its hash: nobody can make another with the same, and none lies about in memory.
fn fingerprint(token: &str) -> [u8; 32] {
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    fingerprint
}
