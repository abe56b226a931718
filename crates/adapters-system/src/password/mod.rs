//! Password hashing.

mod argon2id;
mod pool;

use argon2id::DUMMY;
use async_trait::async_trait;
use pool::HashPool;
use std::io;
use std::num::NonZeroUsize;
use std::thread;
use std::time::Instant;
use tertulia_application::ports::{HashError, PasswordHasher};
use tertulia_domain::{Password, PasswordHash};

/// How much hashing may go on at once.
#[derive(Debug, Clone, Copy)]
pub struct HasherOptions {
    /// Threads that hash; each takes 19 MiB of memory once it has hashed.
    pub threads: NonZeroUsize,
    /// Passwords that may wait for a thread; one more is refused with [`HashError::Overloaded`].
    pub queue: NonZeroUsize,
}

impl Default for HasherOptions {
    /// Half of the processors, so that log-ins leave the other half to everybody who is logged in; 256 waiting.
    fn default() -> Self {
        let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            threads: NonZeroUsize::new(processors / 2).unwrap_or(NonZeroUsize::MIN),
            queue: NonZeroUsize::new(256).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Argon2id (RFC 9106) with 19 MiB, two passes and one lane, a minimum of the [OWASP Password Storage Cheat
/// Sheet](https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html). Stored hashes are PHC
/// strings; those with other parameters, or of Argon2i and Argon2d, are still verified.
///
/// Hashing happens on threads of its own. A caller who stops waiting takes the password out of the queue.
#[derive(Debug)]
pub struct Argon2PasswordHasher {
    pool: HashPool,
}

impl Argon2PasswordHasher {
    /// Starts the threads; they end when the hasher is dropped.
    pub fn start(options: HasherOptions) -> io::Result<Self> {
        Ok(Self {
            pool: HashPool::start(options.threads, options.queue)?,
        })
    }
}

#[async_trait]
impl PasswordHasher for Argon2PasswordHasher {
    async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let hashed = self
            .pool
            .run(move |memory| timed(|| argon2id::hash(memory, password.expose())))
            .await?;
        hashed
            .map(PasswordHash::from_phc)
            .map_err(|error| HashError::Failed(error.into()))
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, HashError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| PasswordHash::from_phc(DUMMY.to_owned()));
        let matches = self
            .pool
            .run(move |memory| timed(|| argon2id::verify(memory, password.expose(), hash.as_phc())))
            .await?;
        matches
            .map(|matches| matches && known)
            .map_err(|error| HashError::Failed(error.into()))
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    metrics::histogram!("tertulia_password_hash_seconds").record(start.elapsed());
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher() -> Argon2PasswordHasher {
        Argon2PasswordHasher::start(HasherOptions {
            threads: NonZeroUsize::MIN,
            queue: NonZeroUsize::MIN,
        })
        .unwrap()
    }

    fn password(text: &str) -> Password {
        Password::offered(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_hash_fits_its_own_password_only() {
        let hasher = hasher();
        let hash = hasher.hash(password("correct horse")).await.unwrap();
        let verify = async |text| hasher.verify(password(text), Some(hash.clone())).await.unwrap();
        assert!(verify("correct horse").await);
        assert!(!verify("correct horsf").await);
        assert_ne!(
            hasher.hash(password("correct horse")).await.unwrap(),
            hash,
            "each has its salt"
        );
    }

    #[tokio::test]
    async fn no_hash_fits_nothing() {
        assert!(!hasher().verify(password("correct horse"), None).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_no_hash_is_an_error() {
        let hasher = hasher();
        for bad in [
            "",
            "secret",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$md5$c2FsdHNhbHQ$aGFzaGhhc2g",
        ] {
            let outcome = hasher
                .verify(password("correct horse"), Some(PasswordHash::from_phc(bad.to_owned())))
                .await;
            assert!(matches!(outcome, Err(HashError::Failed(_))), "{bad}");
        }
    }
}
