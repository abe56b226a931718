//! The machine's side of the application's ports: the time, identifiers, secrets, password hashing and access tokens.

mod clock;
mod ids;
mod password;
mod token;

pub use clock::SystemClock;
pub use ids::{OsSecretGenerator, UuidV7Generator};
pub use password::{Argon2PasswordHasher, HasherOptions};
pub use token::{Ed25519TokenIssuer, SigningKey, SigningKeyError};
