//! `company`: bearer tokens, log-in by e-mail, bodies that are wrapped in a name; users and conversations by their
//! number; failures are `{"errors": …}`.

mod auth;
mod conversations;
mod frames;
mod messages;
mod pages;
mod socket;
mod users;
mod wire;

use super::Contract;
use crate::endpoint::Endpoint;
use crate::problem::{FieldCode, FieldError, Kind, Problem};
use crate::{respond, uploads};
use actix_web::http::StatusCode;
use frames::ReceivedMessage;
use socket::NewChannelMessage;
use std::collections::BTreeMap;
use utoipa::OpenApi;
use wire::Failure;

pub(super) const CONTRACT: Contract = Contract {
    name: "company",
    endpoints,
    failure,
    document: Document::openapi,
    failure_schema: "Failure",
};

fn endpoints() -> Vec<Endpoint> {
    [
        messages::endpoints(),
        conversations::endpoints(),
        users::endpoints(),
        auth::endpoints(),
        uploads::endpoints(),
        socket::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// 401, 403 or 404 where one of them says it; else 422 for what a client does wrong, with what is wrong where.
fn failure(problem: &Problem) -> (StatusCode, Vec<u8>) {
    let (status, failure) = match problem.kind() {
        Kind::InvalidCredentials => {
            let data = "No user with these credentials";
            (StatusCode::UNAUTHORIZED, Failure::LogIn { data })
        }
        Kind::Unauthenticated | Kind::TokenExpired => {
            let message = "unauthenticated";
            (StatusCode::UNAUTHORIZED, Failure::Stranger { message })
        }
        Kind::NotFound if !problem.errors().is_empty() => refused(problem),
        Kind::Malformed
        | Kind::UsernameTaken
        | Kind::EmailTaken
        | Kind::Conflict
        | Kind::PayloadTooLarge
        | Kind::UnsupportedMediaType
        | Kind::RangeNotSatisfiable
        | Kind::Invalid => refused(problem),
        kind => {
            let detail = problem.wording().unwrap_or(problem.detail());
            (kind.face().status, Failure::detail(detail))
        }
    };
    (status, respond::to_json(&failure))
}

fn refused(problem: &Problem) -> (StatusCode, Failure<'_>) {
    let mut errors = BTreeMap::<&str, Vec<&str>>::new();
    for error in problem.errors() {
        errors.entry(field(error)).or_default().push(reason(error));
    }
    if errors.is_empty() {
        let detail = problem.wording().unwrap_or(problem.detail());
        errors.insert("body", vec![detail]);
    }
    (StatusCode::UNPROCESSABLE_ENTITY, Failure::Fields { errors })
}

/// What the contract calls a field.
fn field(error: &FieldError) -> &str {
    match error.field.as_ref() {
        "user_id" => "recipient",
        "file" => "image",
        other => other,
    }
}

fn reason(error: &FieldError) -> &str {
    match error.code {
        FieldCode::Required => wire::BLANK,
        FieldCode::Taken => "has already been taken",
        FieldCode::NotFound => "does not exist",
        FieldCode::WrongType | FieldCode::Invalid | FieldCode::Unavailable => &error.message,
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Company",
        description = "The contract `company`. Users and conversations are shown by their number. What is wrong with a \
                       request is told by field: `{\"errors\": {\"email\": [\"has already been taken\"]}}`."
    ),
    paths(
        auth::log_in,
        auth::log_out,
        users::register,
        users::list,
        users::change_password,
        users::upload,
        conversations::create,
        conversations::list,
        messages::list,
        messages::send,
        uploads::show,
        socket::connect,
    ),
    components(schemas(Failure, NewChannelMessage, ReceivedMessage)),
    tags(
        (name = "auth", description = "Sessions"),
        (name = "users", description = "Accounts and who has them"),
        (name = "conversations", description = "Conversations of two"),
        (name = "messages", description = "What is said there"),
        (name = "files", description = "Pictures"),
    ),
    security(("bearer" = []))
)]
struct Document;
