use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use tertulia_application::ports::IdGenerator;

/// What one request is called in answers and in the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Characters that are taken over from a client at the most.
    const MAX_CHARS: usize = 128;

    /// The client's own name for the request if it sent a sane one, else a fresh one.
    pub(crate) fn of(headers: &HeaderMap, ids: &dyn IdGenerator) -> Self {
        match headers.get(Self::HEADER) {
            Some(own) if is_sane(own) => Self(own.clone()),
            _ => Self::fresh(ids),
        }
    }

    fn fresh(ids: &dyn IdGenerator) -> Self {
        // A UUID is fit for a header.
        let id = HeaderValue::try_from(ids.next().to_string());
        Self(id.unwrap_or_else(|_| HeaderValue::from_static("none")))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) fn into_value(self) -> HeaderValue {
        self.0
    }
}

fn is_sane(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=RequestId::MAX_CHARS).contains(&id.len()) && id.iter().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tertulia_application::ports::MockIdGenerator;
    use uuid::Uuid;

    fn id_for(sent: Option<&[u8]>) -> String {
        let mut ids = MockIdGenerator::new();
        ids.expect_next().return_const(Uuid::from_u128(7));
        let mut headers = HeaderMap::new();
        if let Some(sent) = sent {
            headers.insert(RequestId::HEADER, HeaderValue::from_bytes(sent).unwrap());
        }
        RequestId::of(&headers, &ids).as_str().to_owned()
    }

    #[test]
    fn keeps_a_sane_one() {
        for sane in ["a", "0190-AB_c.9", &"x".repeat(128)] {
            assert_eq!(id_for(Some(sane.as_bytes())), sane);
        }
    }

    #[test]
    fn replaces_any_other() {
        let fresh = "00000000-0000-0000-0000-000000000007";
        assert_eq!(id_for(None), fresh);
        for insane in ["", "a b", "a/b", "a\"b", "é", "a,b", &"x".repeat(129)] {
            assert_eq!(id_for(Some(insane.as_bytes())), fresh, "{insane:?}");
        }
    }
}
