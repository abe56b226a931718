//! What the use cases need besides repositories. The adapters implement it.

mod clock;
mod ids;
mod password_hasher;
mod token_issuer;

pub use clock::Clock;
pub use ids::{IdGenerator, SecretGenerator};
pub use password_hasher::{HashError, PasswordHasher};
pub use token_issuer::{AccessToken, TokenError, TokenIssuer, VerifyTokenError};

#[cfg(any(test, feature = "mocks"))]
pub use {
    clock::MockClock,
    ids::{MockIdGenerator, MockSecretGenerator},
    password_hasher::MockPasswordHasher,
    token_issuer::MockTokenIssuer,
};
