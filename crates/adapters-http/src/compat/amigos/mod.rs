//! `amigos`: bearer tokens, log-in by username, groups with unread counters; failures are `{"message": …}`, in Spanish.

mod auth;
mod chats;
mod messages;
mod profile;
mod realtime;
mod sending;
mod wire;

use super::{Contract, spanish};
use crate::endpoint::Endpoint;
use crate::problem::{Kind, Problem};
use crate::{respond, uploads};
use actix_web::http::StatusCode;
use profile::BodyIsOptional;
use utoipa::OpenApi;

pub(super) const CONTRACT: Contract = Contract {
    name: "amigos",
    endpoints,
    failure,
    document: Document::openapi,
    failure_schema: "Failure",
};

fn endpoints() -> Vec<Endpoint> {
    let own = [
        auth::endpoints(),
        chats::endpoints(),
        messages::endpoints(),
        profile::endpoints(),
        realtime::endpoints(),
        uploads::endpoints(),
    ];
    own.into_iter().flatten().collect()
}

/// 400, 401, 403, 404, 409, 413 or 415 for what a client does wrong.
fn failure(problem: &Problem) -> (StatusCode, Vec<u8>) {
    let status = match problem.kind() {
        Kind::RangeNotSatisfiable | Kind::Invalid => StatusCode::BAD_REQUEST,
        other => other.face().status,
    };
    let message = spanish::text(problem);
    (status, respond::to_json(&wire::Failure { message: &message }))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Amigos",
        description = "The contract `amigos`. Failures are `{\"message\": \"…\"}`, in Spanish."
    ),
    paths(
        auth::register,
        auth::log_in,
        chats::list,
        chats::create,
        chats::rename,
        messages::list,
        messages::send,
        profile::update,
        realtime::open,
        realtime::push,
        uploads::show,
    ),
    components(schemas(wire::Failure)),
    modifiers(&BodyIsOptional),
    tags(
        (name = "auth", description = "Accounts and sessions"),
        (name = "chats", description = "Chats, direct and group"),
        (name = "messages", description = "What is said there"),
        (name = "realtime", description = "What happens there, as it happens"),
        (name = "users", description = "The caller"),
        (name = "files", description = "What hangs on messages and users"),
    ),
    security(("bearer" = []))
)]
struct Document;
