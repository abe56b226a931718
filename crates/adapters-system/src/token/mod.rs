//! Access tokens.

mod claims;
mod issuer;
mod key_ring;
mod signing_key;
#[cfg(test)]
mod tests;

pub use issuer::Ed25519TokenIssuer;
pub use signing_key::{SigningKey, SigningKeyError};
