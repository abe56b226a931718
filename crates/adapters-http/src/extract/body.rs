use super::payload::{JSON, malformed, read};
use super::{Check, Extract};
use crate::problem::{Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::de::{DeserializeOwned, IgnoredAny};

/// A body, JSON or a form, with fields of a known kind.
pub(crate) trait Input: DeserializeOwned {
    /// What is made of it.
    type Output;

    /// Checks all fields.
    fn parse(self, check: Check) -> Result<Self::Output, Problem>;
}

/// What was made of a JSON body.
pub(crate) struct Body<T: Input>(pub(crate) T::Output);

impl<T: Input> Extract for Body<T> {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        parse::<T>(&read(request, payload, JSON).await?).map(Self)
    }
}

/// Reads the fields of a JSON object and makes the input's output of them.
pub(crate) fn parse<T: Input>(body: &[u8]) -> Result<T::Output, Problem> {
    let body = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8."))?;
    // Asked here, since serde would take an array for the fields in their order.
    if !body.trim_ascii_start().starts_with('{') {
        serde_json::from_str::<IgnoredAny>(body).map_err(|error| not_json(&error))?;
        return Err(Problem::new(Kind::Invalid, "The body must be a JSON object."));
    }
    let input: T = serde_json::from_str(body).map_err(|error| not_json(&error))?;
    input.parse(Check::default())
}

fn not_json(error: &serde_json::Error) -> Problem {
    malformed(format!("The body is not valid JSON: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::Field;
    use serde::Deserialize;

    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sent {
        text: Field<String>,
    }

    impl Input for Sent {
        type Output = String;

        fn parse(self, mut check: Check) -> Result<String, Problem> {
            let text = check.required("text", self.text, Ok::<_, &str>);
            check.finish(text)
        }
    }

    fn kind(body: &[u8]) -> Result<String, Kind> {
        parse::<Sent>(body).map_err(|problem| problem.kind())
    }

    #[test]
    fn reads_an_object() {
        assert_eq!(kind(br#" {"text":"a","more":[1]} "#), Ok("a".into()));
        assert_eq!(kind("{\"text\":\"\\ud83d\\ude00\"}".as_bytes()), Ok("😀".into()));
    }

    #[test]
    fn malformed_is_not_invalid() {
        let deep = format!(r#"{{"text":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
        let malformed: [&[u8]; 10] = [
            b"",
            b"{",
            b"{\"text\":}",
            b"{\"text\":\"a\"} x",
            b"{\"text\":\"\xff\"}",
            b"{\"text\":\"\\ud800\"}",
            b"{\"text\":\"a\nb\"}",
            b"{\"text\":\"a\",\"text\":\"b\"}",
            b"[1,",
            deep.as_bytes(),
        ];
        for body in malformed {
            assert_eq!(kind(body), Err(Kind::Malformed), "{}", String::from_utf8_lossy(body));
        }
        let invalid: [&[u8]; 7] = [b"[]", b"[\"a\"]", b"null", b"\"a\"", b"1", b"{}", b"{\"text\":1}"];
        for body in invalid {
            assert_eq!(kind(body), Err(Kind::Invalid), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_deep_body_of_the_wrong_type_is_no_danger() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(kind(deep.as_bytes()), Err(Kind::Invalid));
    }
}
