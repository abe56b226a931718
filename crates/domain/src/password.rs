//! Passwords and their stored form.

use std::fmt;
use thiserror::Error;

/// A password that somebody chose; never shown, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// How many characters a new password must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordPolicy {
    /// 8 to 128 characters: the native API.
    Standard,
    /// 6 to 128 characters: the contracts of existing clients.
    Lenient,
}

impl PasswordPolicy {
    /// Characters at the least.
    pub const fn min_chars(self) -> usize {
        match self {
            Self::Standard => 8,
            Self::Lenient => 6,
        }
    }
}

/// Why a text can't be a new password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have {min} to {max} characters", max = Password::MAX_CHARS)]
pub struct PasswordError {
    /// The least that the policy asks for.
    pub min: usize,
}

impl Password {
    /// Characters at the most, so that hashing has a bounded cost.
    pub const MAX_CHARS: usize = 128;

    /// Checks a new password against a policy.
    pub fn new(text: String, policy: PasswordPolicy) -> Result<Self, PasswordError> {
        let min = policy.min_chars();
        // No character has more than four bytes: longer texts need no counting.
        if text.len() > Self::MAX_CHARS * 4 || !(min..=Self::MAX_CHARS).contains(&text.chars().count()) {
            return Err(PasswordError { min });
        }
        Ok(Self(text))
    }

    /// A password that is offered at log-in: whatever could ever have been accepted. `None` for a text that is nobody's.
    pub fn offered(text: String) -> Option<Self> {
        Self::new(text, PasswordPolicy::Lenient).ok()
    }

    /// The characters, for the hasher alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What is stored of a password: a hash in PHC string form, with its algorithm, parameters and salt.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps what a hasher made or the storage held.
    pub fn from_phc(text: String) -> Self {
        Self(text)
    }

    /// The PHC string.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        let new = |n: usize, policy| Password::new("é".repeat(n), policy).is_ok();
        assert!(!new(7, PasswordPolicy::Standard) && new(8, PasswordPolicy::Standard));
        assert!(!new(5, PasswordPolicy::Lenient) && new(6, PasswordPolicy::Lenient));
        assert!(new(128, PasswordPolicy::Standard) && !new(129, PasswordPolicy::Standard));
    }

    #[test]
    fn debug_output_is_silent() {
        let shown = format!(
            "{:?} {:?}",
            Password::offered("hunter22".into()),
            PasswordHash::from_phc("$argon2id$x".into())
        );
        assert!(!shown.contains("hunter22") && !shown.contains("argon2id"));
    }
}
