//! What operations have in common, for the document alone: how they fail, and the header that makes retries harmless.

use crate::compat::Contract;
use crate::problem::{Kind, MEDIA_TYPE, Problem, ProblemBody};
use actix_web::http::StatusCode;
use std::collections::BTreeMap;
use tertulia_domain::IdempotencyKey;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{IntoParams, IntoResponses, ToSchema};

/// Every way to fail, by status: its name in the document.
pub(super) const FAILURES: [(StatusCode, &str); 13] = [
    (StatusCode::BAD_REQUEST, "Malformed"),
    (StatusCode::UNAUTHORIZED, "Unauthorized"),
    (StatusCode::FORBIDDEN, "Forbidden"),
    (StatusCode::NOT_FOUND, "NotFound"),
    (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    (StatusCode::CONFLICT, "Conflict"),
    (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
    (StatusCode::RANGE_NOT_SATISFIABLE, "RangeNotSatisfiable"),
    (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
    (StatusCode::TOO_MANY_REQUESTS, "RateLimited"),
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal"),
    (StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
];

/// The failure with that status: its codes, and the schema that all failures have.
pub(super) fn failure(status: StatusCode) -> Response {
    let kinds = Kind::ALL
        .map(Kind::face)
        .into_iter()
        .filter(|face| face.status == status);
    let lines: Vec<String> = kinds.map(|face| format!("{} (`{}`)", face.title, face.code)).collect();
    let schema = Ref::from_schema_name(ProblemBody::name());
    ResponseBuilder::new()
        .description(lines.join(", "))
        .content(MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

/// What a contract's operation that fails in one of these ways says, by status.
pub(super) fn contract_failures(
    contract: &Contract,
    statuses: &[StatusCode],
) -> impl Iterator<Item = (String, RefOr<Response>)> + use<> {
    let mut titles = BTreeMap::<u16, Vec<&str>>::new();
    for kind in Kind::ALL {
        let face = kind.face();
        if statuses.contains(&face.status) {
            let (shown, _) = (contract.failure)(&Problem::new(kind, ""));
            titles.entry(shown.as_u16()).or_default().push(face.title);
        }
    }
    let schema = Ref::from_schema_name(contract.failure_schema);
    titles.into_iter().map(move |(status, titles)| {
        let response = ResponseBuilder::new().description(titles.join(", ")).content(
            "application/json",
            ContentBuilder::new().schema(Some(schema.clone())).build(),
        );
        (status.to_string(), response.build().into())
    })
}

/// A reference to the failure with that status.
pub(super) fn failure_ref(status: StatusCode) -> Option<(String, RefOr<Response>)> {
    let (_, name) = FAILURES.iter().find(|(known, _)| *known == status)?;
    Some((status.as_str().to_owned(), Ref::from_response_name(*name).into()))
}

macro_rules! failures {
    ($($name:ident = $status:ident)+) => {$(
        #[doc = concat!("The operation can fail with `", stringify!($status), "`.")]
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                failure_ref(StatusCode::$status).into_iter().collect()
            }
        }
    )+};
}

failures! {
    Unauthorized = UNAUTHORIZED
    Forbidden = FORBIDDEN
    NotFound = NOT_FOUND
    Conflict = CONFLICT
    RangeNotSatisfiable = RANGE_NOT_SATISFIABLE
    Invalid = UNPROCESSABLE_ENTITY
    Unavailable = SERVICE_UNAVAILABLE
}

/// The operation takes an `Idempotency-Key`.
pub(crate) struct Retryable;

impl IntoParams for Retryable {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(IdempotencyKey::MAX_CHARS));
        let header = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .schema(Some(key))
            .description(Some(
                "Makes a retry harmless for 24 hours: it gets the first answer again, with \
                 `Idempotency-Replayed: true`. The same key with another request is refused.",
            ));
        vec![header.build()]
    }
}
