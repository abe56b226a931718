use aws_lc_rs::rand;
use tertulia_application::ports::{IdGenerator, SecretGenerator};
use uuid::Uuid;

/// Version 7 UUIDs (RFC 9562) by the wall clock. Within one process each is larger than the one before, also when the
/// clock stands still or goes back.
#[derive(Debug, Clone, Copy, Default)]
pub struct UuidV7Generator;

impl IdGenerator for UuidV7Generator {
    #[expect(clippy::disallowed_methods, reason = "this is the IdGenerator port")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Secrets from AWS-LC's generator, which the operating system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsSecretGenerator;

impl SecretGenerator for OsSecretGenerator {
    fn bytes(&self) -> [u8; 32] {
        random()
    }
}

/// Bytes that nobody can guess.
///
/// # Panics
///
/// When there is no randomness to be had: nothing that goes on without it would be safe.
#[expect(clippy::expect_used, reason = "see its panics section")]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_ascend() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| UuidV7Generator.next()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(OsSecretGenerator.bytes(), OsSecretGenerator.bytes());
    }
}
