//! Small facts that clients keep with a user.

use crate::text;
use std::collections::BTreeMap;
use thiserror::Error;

/// Up to 32 named values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Profile(BTreeMap<String, ProfileValue>);

/// One value of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileValue {
    /// Text of at most [`Profile::MAX_TEXT_CHARS`] characters on one line.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
}

/// Why something is no profile.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// More than [`Profile::MAX_FIELDS`] fields.
    #[error("must have at most {} fields", Profile::MAX_FIELDS)]
    TooManyFields,
    /// A field's name is empty, too long, or not made of letters, digits and `_`.
    #[error(
        "field names must have 1 to {} of the characters a-z, A-Z, 0-9 and '_'",
        Profile::MAX_NAME_CHARS
    )]
    Name,
    /// A text is too long or holds control characters.
    #[error("the field {0:?} must have at most {max} characters, none of them control characters", max = Profile::MAX_TEXT_CHARS)]
    Text(String),
}

impl Profile {
    /// Fields at the most.
    pub const MAX_FIELDS: usize = 32;
    /// Characters of a field's name at the most.
    pub const MAX_NAME_CHARS: usize = 64;
    /// Characters of a text value at the most.
    pub const MAX_TEXT_CHARS: usize = 1_000;

    /// Checks names, values and their number.
    pub fn new(fields: impl IntoIterator<Item = (String, ProfileValue)>) -> Result<Self, ProfileError> {
        let mut checked = BTreeMap::new();
        for (name, value) in fields {
            let word = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if name.is_empty() || name.len() > Self::MAX_NAME_CHARS || !word {
                return Err(ProfileError::Name);
            }
            if let ProfileValue::Text(text) = &value
                && (text.chars().count() > Self::MAX_TEXT_CHARS || text.chars().any(text::is_deceptive))
            {
                return Err(ProfileError::Text(name));
            }
            checked.insert(name, value);
            if checked.len() > Self::MAX_FIELDS {
                return Err(ProfileError::TooManyFields);
            }
        }
        Ok(Self(checked))
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&ProfileValue> {
        self.0.get(name)
    }

    /// All fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ProfileValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// True when there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> ProfileValue {
        ProfileValue::Text(value.into())
    }

    #[test]
    fn limits() {
        let many = |n: usize| (0..n).map(|i| (format!("f{i}"), ProfileValue::Integer(1)));
        assert!(Profile::new(many(32)).is_ok());
        assert_eq!(Profile::new(many(33)), Err(ProfileError::TooManyFields));
        for name in ["", "a b", "é", "a.b"] {
            assert_eq!(
                Profile::new([(name.into(), text("x"))]),
                Err(ProfileError::Name),
                "{name}"
            );
        }
        assert_eq!(Profile::new([("a".repeat(65), text("x"))]), Err(ProfileError::Name));
        assert!(Profile::new([("phone".into(), text(&"9".repeat(1_000)))]).is_ok());
        assert!(matches!(
            Profile::new([("phone".into(), text(&"9".repeat(1_001)))]),
            Err(ProfileError::Text(_))
        ));
        assert!(matches!(
            Profile::new([("phone".into(), text("a\0"))]),
            Err(ProfileError::Text(_))
        ));
    }
}
