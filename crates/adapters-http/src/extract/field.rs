use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A field of a JSON body as it was sent, be it of the wrong type: so one invalid field keeps nobody from looking at the
/// others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Field<T> {
    /// The body has no such field.
    #[default]
    Missing,
    /// It is null.
    Null,
    /// It has another type.
    WrongType,
    /// It has the right type.
    Given(T),
}

impl<T> Field<T> {
    /// True when nothing was said, or null.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }
}

/// The types that a field can have.
pub(crate) trait JsonType: Sized {
    /// What a value of another type is told.
    const EXPECTED: &'static str;

    /// The value, if it is of this type.
    fn of(value: Value) -> Option<Self>;
}

impl<'de, T: JsonType> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Null,
            value => T::of(value).map_or(Self::WrongType, Self::Given),
        })
    }
}

impl JsonType for String {
    const EXPECTED: &'static str = "must be a string";

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl JsonType for bool {
    const EXPECTED: &'static str = "must be true or false";

    fn of(value: Value) -> Option<Self> {
        value.as_bool()
    }
}

impl JsonType for i64 {
    const EXPECTED: &'static str = "must be a whole number of at most 64 bits";

    fn of(value: Value) -> Option<Self> {
        value.as_i64()
    }
}

impl JsonType for Vec<Value> {
    const EXPECTED: &'static str = "must be an array";

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }
}

impl JsonType for Map<String, Value> {
    const EXPECTED: &'static str = "must be an object";

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sent {
        text: Field<String>,
        number: Field<i64>,
    }

    fn sent(json: &str) -> (Field<String>, Field<i64>) {
        let Sent { text, number } = serde_json::from_str(json).unwrap();
        (text, number)
    }

    #[test]
    fn tells_the_four_cases_apart() {
        assert_eq!(sent("{}"), (Field::Missing, Field::Missing));
        assert_eq!(sent(r#"{"text":null,"number":null}"#), (Field::Null, Field::Null));
        assert_eq!(
            sent(r#"{"text":["a",{"b":[]}],"number":"1"}"#),
            (Field::WrongType, Field::WrongType)
        );
        assert_eq!(
            sent(r#"{"text":"a","number":-1,"other":{}}"#),
            (Field::Given("a".into()), Field::Given(-1))
        );
    }

    #[test]
    fn numbers_are_whole_and_fit() {
        for number in ["1.5", "1.0", "1e3", "9223372036854775808", "true"] {
            assert_eq!(
                sent(&format!(r#"{{"number":{number}}}"#)).1,
                Field::WrongType,
                "{number}"
            );
        }
    }
}
