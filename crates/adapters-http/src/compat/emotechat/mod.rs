//! `emotechat`: bearer tokens, log-in by e-mail, users by their number; failures are `{"message": …}`.

mod auth;
mod conversations;
mod pages;
mod password;
mod profile;
mod socket;
mod wire;

use super::{Contract, english};
use crate::endpoint::Endpoint;
use crate::problem::{Kind, Problem};
use crate::respond;
use actix_web::http::StatusCode;
use socket::NewSocketMessage;
use utoipa::OpenApi;
use wire::{Message, SocketFailure, SocketMessage};

pub(super) const CONTRACT: Contract = Contract {
    name: "emotechat",
    endpoints,
    failure,
    document: Document::openapi,
    failure_schema: "Message",
};

fn endpoints() -> Vec<Endpoint> {
    [
        conversations::endpoints(),
        auth::endpoints(),
        profile::endpoints(),
        password::endpoints(),
        socket::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// 400, 401, 404 or 409 for what a client does wrong, as far as one of them says it.
fn failure(problem: &Problem) -> (StatusCode, Vec<u8>) {
    let status = match problem.kind() {
        Kind::PayloadTooLarge | Kind::UnsupportedMediaType | Kind::RangeNotSatisfiable | Kind::Invalid => {
            StatusCode::BAD_REQUEST
        }
        Kind::WrongPassword | Kind::Forbidden => StatusCode::UNAUTHORIZED,
        other => other.face().status,
    };
    (status, respond::to_json(&Message::new(&english::text(problem))))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "EmoteChat",
        description = "The contract `emotechat`. Users are shown by their number; failures are `{\"message\": \"…\"}`."
    ),
    paths(
        auth::register,
        auth::log_in,
        auth::log_out,
        auth::validate,
        profile::list,
        conversations::list,
        password::request_reset,
        password::reset,
        socket::connect,
    ),
    components(schemas(Message, NewSocketMessage, SocketMessage, SocketFailure)),
    tags(
        (name = "auth", description = "Sessions"),
        (name = "profile", description = "Everybody"),
        (name = "conversations", description = "Conversations of two"),
        (name = "password", description = "Passwords that were forgotten"),
    ),
    security(("bearer" = []))
)]
struct Document;
