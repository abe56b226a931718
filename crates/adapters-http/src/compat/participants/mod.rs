//! `participants`: bearer tokens, log-in by e-mail, `_id`s, chats known by who is in them; everything comes in
//! `{"success": …}`, in Spanish.

mod chats;
mod messages;
mod note;
mod path;
mod realtime;
mod users;
mod wire;
mod words;

use super::{Contract, spanish};
use crate::endpoint::Endpoint;
use crate::extract::NO_TOKEN;
use crate::problem::{FieldCode, FieldError, Kind, Problem};
use crate::{respond, uploads};
use actix_web::http::StatusCode;
use utoipa::OpenApi;
use wire::Failure;

pub(super) const CONTRACT: Contract = Contract {
    name: "participants",
    endpoints,
    failure,
    document: Document::openapi,
    failure_schema: "Failure",
};

fn endpoints() -> Vec<Endpoint> {
    [
        chats::endpoints(),
        messages::endpoints(),
        realtime::endpoints(),
        users::endpoints(),
        uploads::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// 400, 401, 403, 404 or 409 for what a client does wrong, as far as one of them says it.
fn failure(problem: &Problem) -> (StatusCode, Vec<u8>) {
    let status = match problem.kind() {
        Kind::PayloadTooLarge | Kind::UnsupportedMediaType | Kind::RangeNotSatisfiable | Kind::Invalid => {
            StatusCode::BAD_REQUEST
        }
        other => other.face().status,
    };
    let message = text(problem);
    let body = Failure {
        success: false,
        message: &message,
        missing_fields: missing(problem),
    };
    (status, respond::to_json(&body))
}

/// What went wrong, for people.
fn text(problem: &Problem) -> String {
    match problem.kind() {
        Kind::Unauthenticated if problem.detail() == NO_TOKEN => words::NO_TOKEN.to_owned(),
        Kind::Unauthenticated | Kind::TokenExpired => words::BAD_TOKEN.to_owned(),
        _ => spanish::text(problem),
    }
}

/// The fields that are listed as missing: those that are named although the contract has words for it.
fn missing(problem: &Problem) -> Option<Vec<&str>> {
    let required = |error: &&FieldError| error.code == FieldCode::Required;
    let fields = problem.errors().iter().filter(required);
    let fields: Vec<&str> = fields.map(|error| error.field.as_ref()).collect();
    (problem.wording().is_some() && !fields.is_empty()).then_some(fields)
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Participants",
        description = "The contract `participants`. Success is `{\"success\": true, \"data\": …}`, failure is \
                       `{\"success\": false, \"message\": \"…\"}`, in Spanish. Chats come with their participants."
    ),
    paths(
        chats::list,
        chats::list_of_user,
        chats::show,
        chats::create,
        chats::update,
        chats::set_last_message,
        chats::delete,
        messages::send,
        messages::list,
        realtime::open,
        realtime::push,
        users::register,
        users::log_in,
        users::list,
        users::show,
        uploads::show,
    ),
    components(schemas(Failure)),
    tags(
        (name = "chats", description = "Chats, known by their participants"),
        (name = "messages", description = "What is said there"),
        (name = "realtime", description = "What happens there, as it happens"),
        (name = "users", description = "Accounts and sessions"),
        (name = "files", description = "Pictures of users"),
    ),
    security(("bearer" = []))
)]
struct Document;
