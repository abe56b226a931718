use super::Extract;
use crate::cursor::{self, Cursor};
use crate::problem::{FieldCode, Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use tertulia_domain::{Limit, Seq};

/// The parameters of a query, all of them texts still: the functions beside this read them. Unknown ones are ignored,
/// one that comes twice is malformed.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> Extract for Query<T> {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        serde_urlencoded::from_str(request.query_string())
            .map(Self)
            .map_err(|error| Problem::new(Kind::Malformed, format!("The query is malformed: {error}.")))
    }
}

/// Items of a page at the most.
const MAX_LIMIT: i64 = 100;

/// The size of a page: 1 to 100, 50 when nothing is said.
pub(crate) fn limit(text: Option<&str>) -> Result<Limit, Problem> {
    let Some(items) = integer("limit", text)? else {
        return Ok(Limit::DEFAULT);
    };
    let limit = (1..=MAX_LIMIT).contains(&items).then_some(items);
    limit
        .and_then(|items| Limit::new(u16::try_from(items).ok()?).ok())
        .ok_or_else(|| refused(&["limit"], "must be 1 to 100"))
}

/// The place where a page begins.
pub(crate) fn cursor<C: Cursor>(text: Option<&str>) -> Result<Option<C>, Problem> {
    let Some(text) = text else { return Ok(None) };
    match cursor::decode(text) {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(malformed("cursor", "must be the next_cursor of a page of this list")),
    }
}

/// The place of a message.
pub(crate) fn seq(name: &'static str, text: Option<&str>) -> Result<Option<Seq>, Problem> {
    let Some(number) = integer(name, text)? else {
        return Ok(None);
    };
    let seq = Seq::new(number).ok_or_else(|| refused(&[name], "must not be negative"))?;
    Ok(Some(seq))
}

/// So many seconds, `most` at the most.
pub(crate) fn seconds(name: &'static str, text: Option<&str>, default: u64, most: u64) -> Result<u64, Problem> {
    let Some(number) = integer(name, text)? else {
        return Ok(default);
    };
    let seconds = u64::try_from(number).ok().filter(|seconds| *seconds <= most);
    seconds.ok_or_else(|| refused(&[name], format!("must be 0 to {most}")))
}

/// `true` or `false`; the latter when nothing is said.
pub(crate) fn flag(name: &'static str, text: Option<&str>) -> Result<bool, Problem> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(malformed(name, "must be true or false")),
    }
}

/// A whole number; one that is too large for 64 bits is the largest or smallest that is not.
fn integer(name: &'static str, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(name, "must be a whole number"));
    }
    let bound = if digits.len() < text.len() { i64::MIN } else { i64::MAX };
    Ok(Some(text.parse().unwrap_or(bound)))
}

fn malformed(name: &'static str, message: &'static str) -> Problem {
    Problem::new(Kind::Malformed, "The query is malformed; see errors.").on(name, FieldCode::Invalid, message)
}

/// Well-formed, but not to be had: a parameter, or several that don't go together.
pub(crate) fn refused(names: &[&'static str], message: impl Into<Cow<'static, str>>) -> Problem {
    let problem = Problem::new(Kind::Invalid, "The query is invalid; see errors.");
    let message = message.into();
    let names = names.iter().copied();
    names.fold(problem, |problem, name| {
        problem.on(name, FieldCode::Invalid, message.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tertulia_domain::UserCursor;

    #[test]
    fn limits() {
        let limit = |text| limit(text).map(Limit::get).map_err(|problem| problem.kind());
        assert_eq!(limit(None), Ok(50));
        assert_eq!(limit(Some("1")), Ok(1));
        assert_eq!(limit(Some("100")), Ok(100));
        for refused in [
            "0",
            "101",
            "-1",
            "65537",
            "99999999999999999999",
            "-99999999999999999999",
        ] {
            assert_eq!(limit(Some(refused)), Err(Kind::Invalid), "{refused}");
        }
        for malformed in ["", "x", "1.5", "1e2", " 1", "+1", "-", "--1", "0x10"] {
            assert_eq!(limit(Some(malformed)), Err(Kind::Malformed), "{malformed}");
        }
    }

    #[test]
    fn places() {
        let seq = |text| seq("before", text).map_err(|problem| problem.kind());
        assert_eq!(seq(None), Ok(None));
        assert_eq!(seq(Some("7")), Ok(Seq::new(7)));
        assert_eq!(seq(Some("-7")), Err(Kind::Invalid));
        assert_eq!(seq(Some("seven")), Err(Kind::Malformed));
    }

    #[test]
    fn flags() {
        let flag = |text| flag("all", text).map_err(|problem| problem.kind());
        assert_eq!(
            (flag(None), flag(Some("false")), flag(Some("true"))),
            (Ok(false), Ok(false), Ok(true))
        );
        for malformed in ["", "1", "True"] {
            assert_eq!(flag(Some(malformed)), Err(Kind::Malformed), "{malformed}");
        }
    }

    #[test]
    fn cursors() {
        let cursor = |text: Option<&str>| cursor::<UserCursor>(text).map_err(|problem| problem.kind());
        assert_eq!(cursor(None), Ok(None));
        let seven = crate::cursor::encode(&UserCursor(7));
        assert_eq!(cursor(Some(&seven)), Ok(Some(UserCursor(7))));
        for malformed in ["", "x", "AAAA"] {
            assert_eq!(cursor(Some(malformed)), Err(Kind::Malformed), "{malformed}");
        }
    }
}
