//! The public keys of all processes.

use jsonwebtoken::DecodingKey;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tertulia_domain::repository::{RepositoryError, VerificationKey, VerificationKeyRepository};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// The least time between two readings of the list, whatever tokens come in.
pub(super) const BETWEEN_READINGS: Duration = Duration::from_millis(200);

/// Characters of a key's name at the most, as [`VerificationKey`] has it.
const MAX_KID_CHARS: usize = 64;

/// The known public keys, and the way to learn of new ones.
pub(super) struct KeyRing {
    repository: Arc<dyn VerificationKeyRepository>,
    known: RwLock<HashMap<String, DecodingKey>>,
    last: Mutex<Option<Reading>>,
}

/// A reading of the list.
#[derive(Clone, Copy)]
struct Reading {
    begun: Instant,
    succeeded: bool,
}

impl KeyRing {
    /// Knows the process's own key from the beginning.
    pub(super) fn new(repository: Arc<dyn VerificationKeyRepository>, kid: String, public: [u8; 32]) -> Self {
        Self {
            repository,
            known: RwLock::new(HashMap::from([(kid, DecodingKey::from_ed_der(&public))])),
            last: Mutex::new(None),
        }
    }

    pub(super) async fn publish(&self, key: VerificationKey) -> Result<(), RepositoryError> {
        self.repository.publish(key).await
    }

    /// The key of that name. When it isn't known here, the answer is as new as the question: the list is read after it was
    /// asked, once for all who ask meanwhile and not before [`BETWEEN_READINGS`] have passed since the last time.
    pub(super) async fn find(&self, kid: &str) -> Result<Option<DecodingKey>, RepositoryError> {
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        if kid.is_empty() || kid.len() > MAX_KID_CHARS {
            return Ok(None);
        }
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some(reading) = *last {
            if reading.begun > asked {
                return self.answer(kid, reading);
            }
            sleep_until(reading.begun + BETWEEN_READINGS).await;
        }
        let begun = Instant::now();
        let outcome = self.read().await;
        *last = Some(Reading {
            begun,
            succeeded: outcome.is_ok(),
        });
        outcome?;
        Ok(self.known(kid))
    }

    /// What somebody else's reading, begun after the question, has to say.
    fn answer(&self, kid: &str, reading: Reading) -> Result<Option<DecodingKey>, RepositoryError> {
        match self.known(kid) {
            None if !reading.succeeded => Err(RepositoryError::Unavailable(
                "the list of verification keys could not be read".into(),
            )),
            key => Ok(key),
        }
    }

    async fn read(&self) -> Result<(), RepositoryError> {
        let listed = self.repository.list().await?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for VerificationKey { kid, public, .. } in listed {
            known.entry(kid).or_insert_with(|| DecodingKey::from_ed_der(&public));
        }
        Ok(())
    }

    fn known(&self, kid: &str) -> Option<DecodingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(kid).cloned()
    }
}
