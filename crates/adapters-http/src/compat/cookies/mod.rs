//! `cookies`: forms, a session in two cookies, `Location` headers; failures are `{"error": …}`.

mod chats;
mod here;
mod messages;
mod session;
mod users;
mod wire;

use super::{Contract, english};
use crate::endpoint::Endpoint;
use crate::problem::{Kind, Problem};
use crate::respond;
use actix_web::http::StatusCode;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use wire::{Done, Error};

pub(super) const CONTRACT: Contract = Contract {
    name: "cookies",
    endpoints,
    failure,
    document: Document::openapi,
    failure_schema: "Error",
};

fn endpoints() -> Vec<Endpoint> {
    [
        session::endpoints(),
        chats::endpoints(),
        messages::endpoints(),
        users::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// 400, 403 or 404 for what a client does wrong, as far as one of them says it.
fn failure(problem: &Problem) -> (StatusCode, Vec<u8>) {
    let status = match problem.kind() {
        Kind::Unauthenticated | Kind::TokenExpired => StatusCode::FORBIDDEN,
        Kind::InvalidCredentials
        | Kind::UsernameTaken
        | Kind::EmailTaken
        | Kind::Conflict
        | Kind::PayloadTooLarge
        | Kind::UnsupportedMediaType
        | Kind::RangeNotSatisfiable
        | Kind::Invalid => StatusCode::BAD_REQUEST,
        other => other.face().status,
    };
    let text = match problem.kind() {
        // The field has another name here.
        Kind::UsernameTaken => "name is taken".to_owned(),
        Kind::EmailTaken => "email is taken".to_owned(),
        _ => english::text(problem),
    };
    (status, respond::to_json(&Error::new(&text)))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cookies",
        description = "The contract `cookies`. Requests are forms, the session is the cookies `user_id` and `token`; \
                       failures are `{\"error\": \"…\"}`. What changes something is refused (403) if its `Origin` or \
                       `Sec-Fetch-Site` says that it comes from another site."
    ),
    paths(
        session::log_in,
        session::log_out,
        chats::list,
        chats::create,
        chats::leave,
        chats::rename,
        chats::add_member,
        messages::list,
        messages::send,
        messages::delete,
        users::show_by_name,
        users::show,
        users::register,
        users::register_anywhere,
        users::update,
        users::delete,
    ),
    components(schemas(Done, Error)),
    modifiers(&Credentials),
    tags(
        (name = "session", description = "Logging in and out"),
        (name = "chats", description = "Chats and who is in them"),
        (name = "messages", description = "What is said there"),
        (name = "users", description = "Users"),
    ),
    security(("user_id" = [], "token" = []), ("bearer" = []))
)]
struct Document;

/// The two cookies, or a token of any other contract.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let cookie = |name: &str, text: &str| {
            let value = ApiKeyValue::with_description(name, text);
            SecurityScheme::ApiKey(ApiKey::Cookie(value))
        };
        let components = document.components.get_or_insert_default();
        let owner = "Whose session it is: the owner of the token.";
        components.add_security_scheme("user_id", cookie("user_id", owner));
        let token = "What proves it; `access_token` is a second name for it.";
        components.add_security_scheme("token", cookie("token", token));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
}
