//! Profiles as JSON objects.

use serde_json::{Map, Value};
use tertulia_domain::{Profile, ProfileError, ProfileValue};
use thiserror::Error;

/// Why a stored JSON value is no profile.
#[derive(Debug, Error)]
pub enum ProfileJsonError {
    /// It is no object.
    #[error("the profile is no object")]
    NoObject,
    /// A field is neither text nor whole number nor boolean.
    #[error("the profile's field {0:?} is of a kind that profiles don't have")]
    Kind(String),
    /// The domain refuses it.
    #[error(transparent)]
    Refused(#[from] ProfileError),
}

/// The JSON object that stands for a profile.
pub fn profile_to_json(profile: &Profile) -> Value {
    let field = |(name, value): (&str, &ProfileValue)| {
        let value = match value {
            ProfileValue::Text(text) => Value::from(text.as_str()),
            ProfileValue::Integer(number) => Value::from(*number),
            ProfileValue::Boolean(yes) => Value::from(*yes),
        };
        (name.to_owned(), value)
    };
    Value::Object(profile.iter().map(field).collect::<Map<_, _>>())
}

/// The profile that a JSON object stands for.
pub fn profile_from_json(json: Value) -> Result<Profile, ProfileJsonError> {
    let Value::Object(fields) = json else {
        return Err(ProfileJsonError::NoObject);
    };
    let mut read = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        let value = match value {
            Value::String(text) => ProfileValue::Text(text),
            Value::Bool(yes) => ProfileValue::Boolean(yes),
            Value::Number(number) => match number.as_i64() {
                Some(number) => ProfileValue::Integer(number),
                None => return Err(ProfileJsonError::Kind(name)),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => return Err(ProfileJsonError::Kind(name)),
        };
        read.push((name, value));
    }
    Ok(Profile::new(read)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_profile_survives() {
        let profile = Profile::new([
            ("phone".to_owned(), ProfileValue::Text("+34 \"600\"".to_owned())),
            ("age".to_owned(), ProfileValue::Integer(i64::MIN)),
            ("visible".to_owned(), ProfileValue::Boolean(false)),
        ])
        .unwrap();
        assert_eq!(profile_from_json(profile_to_json(&profile)).unwrap(), profile);
        assert_eq!(profile_to_json(&Profile::default()), json!({}));
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        assert!(matches!(profile_from_json(json!([])), Err(ProfileJsonError::NoObject)));
        for value in [json!(null), json!(1.5), json!([]), json!({})] {
            assert!(
                matches!(profile_from_json(json!({ "a": value })), Err(ProfileJsonError::Kind(name)) if name == "a")
            );
        }
        assert!(matches!(
            profile_from_json(json!({ "a b": 1 })),
            Err(ProfileJsonError::Refused(_))
        ));
    }
}
