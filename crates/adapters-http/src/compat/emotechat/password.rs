//! Passwords that were forgotten.

use super::wire::Message;
use crate::compat::accounts::new_password;
use crate::endpoint::Endpoint;
use crate::extract::{Body, Check, Field, Input, JsonOrForm, State, by_ref};
use crate::problem::Problem;
use crate::respond;
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::ResetPassword;
use tertulia_domain::Email;
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/password/reset-request")
            .counted_as(AddressClass::Auth)
            .post(request_reset),
        Endpoint::new("/api/password/reset")
            .counted_as(AddressClass::Auth)
            .post(reset),
    ]
}

/// Whose password to reset.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ResetRequest {
    #[schema(value_type = String, required = true, format = Email)]
    #[serde(default)]
    email: Field<String>,
}

impl Input for ResetRequest {
    type Output = Email;

    fn parse(self, mut check: Check) -> Result<Email, Problem> {
        let email = check.required("email", self.email, by_ref(Email::new));
        check.finish(email)
    }
}

/// Ask for a new password
///
/// A token is mailed there, if anybody has that address; the answer is the same if nobody does.
#[utoipa::path(
    post,
    path = "/api/password/reset-request",
    tag = "password",
    operation_id = "request_reset",
    security(()),
    request_body = ResetRequest,
    responses((status = 200, description = "As far as one is told", body = Message))
)]
pub(crate) async fn request_reset(state: State, Body(email): Body<ResetRequest>) -> Result<HttpResponse, Problem> {
    state.services.accounts.request_password_reset(&email).await?;
    let message = "If somebody has that e-mail, a token was mailed there";
    Ok(respond::json(StatusCode::OK, &Message::new(message)))
}

/// Another password, and what allows to set it.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Reset {
    /// From the mail.
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    token: Field<String>,
    /// Also known as `new_password`.
    #[schema(value_type = String, required = true, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
    #[schema(ignore)]
    #[serde(default)]
    new_password: Field<String>,
}

impl Input for Reset {
    type Output = ResetPassword;

    fn parse(self, mut check: Check) -> Result<ResetPassword, Problem> {
        let token = check.required("token", self.token, Ok::<_, &str>);
        let given = if self.password.is_absent() {
            self.new_password
        } else {
            self.password
        };
        let password = check.required("password", given, new_password);
        let made = token.zip(password);
        check.finish(made.map(|(token, password)| ResetPassword { token, password }))
    }
}

/// Set another password
///
/// By a token from a mail; it works once. Every session of the user ends.
#[utoipa::path(
    post,
    path = "/api/password/reset",
    tag = "password",
    operation_id = "reset",
    security(()),
    request_body(content(
        (Reset = "application/json"),
        (Reset = "application/x-www-form-urlencoded")
    )),
    responses(
        (status = 200, description = "It is set", body = Message),
        (status = 401, description = "The token is unknown, used or expired", body = Message)
    )
)]
pub(crate) async fn reset(state: State, JsonOrForm(command): JsonOrForm<Reset>) -> Result<HttpResponse, Problem> {
    state.services.accounts.reset_password(command).await?;
    Ok(respond::json(StatusCode::OK, &Message::new("The password is set")))
}
