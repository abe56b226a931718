use std::fmt;
use std::sync::Arc;
use tertulia_domain::{Claim, Fingerprint, IdempotencyKey, Recording, StoredAnswer, Timestamp, UserId};

/// What makes a retry of a creation harmless: the client's key, and what was asked for under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The client's key.
    pub key: IdempotencyKey,
    /// A hash over the request.
    pub fingerprint: Fingerprint,
}

impl RequestKey {
    pub(crate) fn claim(self, user_id: UserId, at: Timestamp) -> Claim {
        Claim {
            user_id,
            key: self.key,
            fingerprint: self.fingerprint,
            at,
        }
    }
}

/// A [`RequestKey`] with the way to write down the answer that a retry shall get.
#[derive(Clone)]
pub struct Keyed<T> {
    /// The key.
    pub request: RequestKey,
    /// From what was created to the answer; pure and quick.
    pub encode: Arc<dyn Fn(&T) -> StoredAnswer + Send + Sync>,
}

impl<T> Keyed<T> {
    pub(crate) fn recording(self, user_id: UserId, at: Timestamp) -> Recording<T> {
        Recording {
            claim: self.request.claim(user_id, at),
            encode: self.encode,
        }
    }
}

impl<T> fmt::Debug for Keyed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{ANA, NOW, answer, claim, keyed, request_key};

    #[test]
    fn a_claim_is_of_one_user_at_one_time() {
        assert_eq!(request_key().claim(ANA, NOW), claim());
    }

    #[test]
    fn a_recording_claims_and_encodes() {
        let recording = keyed::<u8>().recording(ANA, NOW);
        assert_eq!(recording.claim, claim());
        assert_eq!((recording.encode)(&7), answer());
    }
}
