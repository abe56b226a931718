use super::field::{Field, JsonType};
use super::path::Segment;
use crate::problem::{FieldCode, FieldError, Problem};
use chrono::DateTime;
use serde_json::Value;
use std::borrow::Cow;
use std::fmt::Display;
use tertulia_domain::Timestamp;

/// Turns the fields of a body into values of the domain, and collects everything that is wrong with them.
#[derive(Default)]
pub(crate) struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    /// A field that has to be there. `None`, and noted, when it is not or its value is refused.
    pub(crate) fn required<T: JsonType, U, E: Display>(
        &mut self,
        name: &'static str,
        field: Field<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        if field.is_absent() {
            self.refuse(name, FieldCode::Required, "must be given");
        }
        self.optional(name, field, parse)
    }

    /// A field that may be missing or null. `None`, and noted, also when its value is refused.
    pub(crate) fn optional<T: JsonType, U, E: Display>(
        &mut self,
        name: &'static str,
        field: Field<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        self.change(name, field, parse).flatten()
    }

    /// A field that changes something: missing it is to stay, null it is to go.
    #[expect(
        clippy::option_option,
        reason = "what the repositories take: whether to change, and to what"
    )]
    pub(crate) fn change<T: JsonType, U, E: Display>(
        &mut self,
        name: &'static str,
        field: Field<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<Option<U>> {
        match field {
            Field::Missing => None,
            Field::Null => Some(None),
            Field::WrongType => {
                self.refuse(name, FieldCode::WrongType, T::EXPECTED);
                None
            }
            Field::Given(value) => match parse(value) {
                Ok(value) => Some(Some(value)),
                Err(error) => {
                    self.refuse(name, FieldCode::Invalid, error.to_string());
                    None
                }
            },
        }
    }

    /// Whether anything was wrong so far.
    pub(crate) fn has_refused(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Notes that a field is wrong.
    pub(crate) fn refuse(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        code: FieldCode,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.errors.push(FieldError::new(field, code, message));
    }

    /// What was made of the fields, if nothing was wrong with any. `None` stands for a required field that was refused.
    pub(crate) fn finish<T>(self, made: Option<T>) -> Result<T, Problem> {
        match made {
            Some(made) if self.errors.is_empty() => Ok(made),
            _ => Err(Problem::invalid(self.errors)),
        }
    }
}

/// The ids of a list, each that is none noted by its place.
pub(crate) fn ids<T: Segment>(check: &mut Check, name: &'static str, list: Field<Vec<Value>>) -> Vec<T> {
    let list = check.optional(name, list, Ok::<_, &str>).unwrap_or_default();
    let mut ids = Vec::with_capacity(list.len());
    for (place, value) in list.iter().enumerate() {
        match value.as_str().map(id) {
            Some(Ok(id)) => ids.push(id),
            Some(Err(message)) => check.refuse(format!("{name}[{place}]"), FieldCode::Invalid, message),
            None => check.refuse(format!("{name}[{place}]"), FieldCode::WrongType, "must be a string"),
        }
    }
    ids
}

/// For constructors that only look at a text.
pub(crate) fn by_ref<U, E>(parse: impl FnOnce(&str) -> Result<U, E>) -> impl FnOnce(String) -> Result<U, E> {
    move |text| parse(&text)
}

/// Reads an id in a body.
pub(crate) fn id<T: Segment>(text: &str) -> Result<T, &'static str> {
    T::parse(text).ok_or("must be a UUID")
}

/// Reads a time (RFC 3339), to the millisecond.
pub(crate) fn time(text: &str) -> Result<Timestamp, &'static str> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| "must be a time like 2024-03-08T19:30:00Z")?;
    let millis = time.timestamp_millis();
    let at = Timestamp::from_millis(millis);
    if at.as_millis() == millis {
        Ok(at)
    } else {
        Err("must be a time of the years 1970 to 9999")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tertulia_domain::{DisplayName, Username};

    fn codes(problem: &Problem) -> Vec<(&str, FieldCode)> {
        let errors = problem.errors().iter();
        errors.map(|error| (error.field.as_ref(), error.code)).collect()
    }

    #[test]
    fn gives_what_is_valid() {
        let mut check = Check::default();
        let required = check.required("a", Field::Given("ana".into()), by_ref(Username::new));
        assert_eq!(
            check.optional("b", Field::<String>::Missing, by_ref(Username::new)),
            None
        );
        assert_eq!(check.optional("c", Field::<String>::Null, by_ref(Username::new)), None);
        assert_eq!(check.change("d", Field::<String>::Missing, by_ref(Username::new)), None);
        assert_eq!(
            check.change("e", Field::<String>::Null, by_ref(Username::new)),
            Some(None)
        );
        let changed = check.change("f", Field::Given("ana".into()), by_ref(Username::new));
        assert_eq!(changed, Some(required.clone()));
        assert_eq!(check.finish(required).unwrap().as_str(), "ana");
    }

    #[test]
    fn times() {
        let millis = |text| time(text).map(Timestamp::as_millis).ok();
        assert_eq!(millis("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(millis("1970-01-01T01:00:01.2349+01:00"), Some(1_234));
        assert_eq!(millis("9999-12-31T23:59:59.999Z"), Some(253_402_300_799_999));
        for refused in [
            "",
            "tomorrow",
            "1970-01-01",
            "1969-12-31T23:59:59.999Z",
            "9999-12-31T23:59:59-01:00",
        ] {
            assert_eq!(millis(refused), None, "{refused}");
        }
    }

    #[test]
    fn collects_all_that_is_wrong() {
        let mut check = Check::default();
        let missing = check.required("missing", Field::<String>::Missing, by_ref(Username::new));
        check.required("null", Field::<String>::Null, by_ref(Username::new));
        check.required("type", Field::<String>::WrongType, by_ref(Username::new));
        check.optional("length", Field::Given("x".to_owned()), by_ref(Username::new));
        check.change("character", Field::Given("a\0".to_owned()), by_ref(DisplayName::new));
        check.optional("fine", Field::Given("ana".to_owned()), by_ref(Username::new));
        let problem = check.finish(missing).unwrap_err();
        assert_eq!(problem.kind(), crate::problem::Kind::Invalid);
        assert_eq!(
            codes(&problem),
            [
                ("missing", FieldCode::Required),
                ("null", FieldCode::Required),
                ("type", FieldCode::WrongType),
                ("length", FieldCode::Invalid),
                ("character", FieldCode::Invalid),
            ]
        );
    }
}
