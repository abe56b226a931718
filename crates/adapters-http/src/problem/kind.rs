use actix_web::http::StatusCode;

/// The kinds of failure that a client can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Malformed,
    Unauthenticated,
    TokenExpired,
    InvalidCredentials,
    WrongPassword,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    UsernameTaken,
    EmailTaken,
    Conflict,
    PayloadTooLarge,
    UnsupportedMediaType,
    RangeNotSatisfiable,
    Invalid,
    RateLimited,
    Internal,
    Overloaded,
    Unavailable,
}

/// How a kind of failure is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) status: StatusCode,
    /// The stable word for programs.
    pub(crate) code: &'static str,
    /// The short text for people, the same for every failure of the kind.
    pub(crate) title: &'static str,
    /// Seconds after which to try again, unless the failure itself knows better.
    pub(crate) retry_after: Option<u16>,
}

impl Kind {
    /// Every kind, by status.
    pub(crate) const ALL: [Self; 19] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::TokenExpired,
        Self::InvalidCredentials,
        Self::WrongPassword,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::UsernameTaken,
        Self::EmailTaken,
        Self::Conflict,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::Invalid,
        Self::RateLimited,
        Self::Internal,
        Self::Overloaded,
        Self::Unavailable,
    ];

    /// The table of statuses, codes and titles.
    pub(crate) const fn face(self) -> Face {
        use StatusCode as S;
        let (status, code, title, retry_after) = match self {
            Self::Malformed => (S::BAD_REQUEST, "invalid_input", "Malformed request", None),
            Self::Unauthenticated => (S::UNAUTHORIZED, "unauthenticated", "Authentication required", None),
            Self::TokenExpired => (S::UNAUTHORIZED, "token_expired", "Access token expired", None),
            Self::InvalidCredentials => (S::UNAUTHORIZED, "invalid_credentials", "Wrong credentials", None),
            // Not 401: the caller is known, and a client that gets a 401 throws its tokens away.
            Self::WrongPassword => (S::FORBIDDEN, "invalid_credentials", "Wrong password", None),
            Self::Forbidden => (S::FORBIDDEN, "forbidden", "Not allowed", None),
            Self::NotFound => (S::NOT_FOUND, "not_found", "Not found", None),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "invalid_input", "Method not allowed", None),
            Self::UsernameTaken => (S::CONFLICT, "username_taken", "Username taken", None),
            Self::EmailTaken => (S::CONFLICT, "email_taken", "E-mail address taken", None),
            Self::Conflict => (S::CONFLICT, "conflict", "Conflict", None),
            Self::PayloadTooLarge => (S::PAYLOAD_TOO_LARGE, "payload_too_large", "Body too large", None),
            Self::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Unsupported media type",
                None,
            ),
            Self::RangeNotSatisfiable => (S::RANGE_NOT_SATISFIABLE, "invalid_input", "Range not satisfiable", None),
            Self::Invalid => (S::UNPROCESSABLE_ENTITY, "invalid_input", "Invalid input", None),
            Self::RateLimited => (S::TOO_MANY_REQUESTS, "rate_limited", "Too many requests", Some(1)),
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "Internal error", None),
            Self::Overloaded => (S::SERVICE_UNAVAILABLE, "overloaded", "Overloaded", Some(1)),
            Self::Unavailable => (S::SERVICE_UNAVAILABLE, "unavailable", "Unavailable", Some(5)),
        };
        Face {
            status,
            code,
            title,
            retry_after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_clients_know() {
        for kind in Kind::ALL {
            let face = kind.face();
            let known = match face.status.as_u16() {
                400 | 405 | 416 | 422 => &["invalid_input"][..],
                401 => &["unauthenticated", "token_expired", "invalid_credentials"],
                403 => &["forbidden", "invalid_credentials"],
                404 => &["not_found"],
                409 => &["conflict", "username_taken", "email_taken"],
                413 => &["payload_too_large"],
                415 => &["unsupported_media_type"],
                429 => &["rate_limited"],
                500 => &["internal"],
                503 => &["overloaded", "unavailable"],
                other => panic!("{other} is none of the API's statuses"),
            };
            assert!(known.contains(&face.code), "{kind:?}");
            assert_eq!(
                face.retry_after.is_some(),
                matches!(face.status.as_u16(), 429 | 503),
                "{kind:?}"
            );
        }
    }
}
