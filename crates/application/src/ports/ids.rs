use uuid::Uuid;

/// Identifiers.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait IdGenerator: Send + Sync {
    /// A fresh version 7 UUID (RFC 9562).
    fn next(&self) -> Uuid;
}

/// Secrets.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait SecretGenerator: Send + Sync {
    /// 32 bytes from a cryptographic source.
    fn bytes(&self) -> [u8; 32];
}
