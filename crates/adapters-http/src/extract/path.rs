use super::Extract;
use crate::problem::{Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use tertulia_domain::{ChatId, FileId, MessageId, PublicKey, ReportId, SessionId, UserId};

/// The variable segments of the path, in their order. One that is no id of anything names nothing: 404.
pub(crate) struct Path<T>(pub(crate) T);

/// A type that a segment can have.
pub(crate) trait Segment: Sized {
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! segments {
    ($($id:ty)+) => {$(
        impl Segment for $id {
            fn parse(text: &str) -> Option<Self> {
                <$id>::parse(text)
            }
        }
    )+};
}

impl Segment for PublicKey {
    fn parse(text: &str) -> Option<Self> {
        Self::new(text).ok()
    }
}

/// Whatever it is.
impl Segment for String {
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// The number of something: above 0.
impl Segment for i64 {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| digits && *number > 0)
    }
}

segments!(ChatId FileId MessageId ReportId SessionId UserId);

impl<A: Segment> Extract for Path<A> {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let mut segments = request.match_info().iter();
        Ok(Self(next(&mut segments)?))
    }
}

impl<A: Segment, B: Segment> Extract for Path<(A, B)> {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let mut segments = request.match_info().iter();
        Ok(Self((next(&mut segments)?, next(&mut segments)?)))
    }
}

fn next<'a, T: Segment>(segments: &mut impl Iterator<Item = (&'a str, &'a str)>) -> Result<T, Problem> {
    segments.next().and_then(|(_, text)| T::parse(text)).ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "The path names nothing: an id in it has the wrong form.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, number) in [
            ("1", Some(1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("0", None),
            ("-1", None),
            ("+1", None),
            ("1.0", None),
            (" 1", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(<i64 as Segment>::parse(text), number, "{text}");
        }
    }
}
