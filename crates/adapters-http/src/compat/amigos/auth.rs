//! Accounts and sessions.

use super::wire::{LoggedIn, Named, Registered, User};
use crate::compat::accounts::{client, log_in_by_username, new_password};
use crate::docs::responses::{Conflict, Forbidden, Unauthorized};
use crate::endpoint::Endpoint;
use crate::extract::{Body, Check, Field, Input, Peer, State, by_ref};
use crate::problem::{Kind, Problem};
use crate::respond;
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::{LogIn, Register};
use tertulia_domain::{Profile, Username};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/auth/register")
            .counted_as(AddressClass::Auth)
            .post(register),
        Endpoint::new("/api/auth/login")
            .counted_as(AddressClass::Auth)
            .post(log_in),
    ]
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    /// Letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(value_type = String, required = true, min_length = 3, max_length = 32)]
    #[serde(default)]
    username: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for NewAccount {
    type Output = Register;

    fn parse(self, mut check: Check) -> Result<Register, Problem> {
        let username = check.required("username", self.username, by_ref(Username::new));
        let password = check.required("password", self.password, new_password);
        check.finish(username.zip(password).map(|(username, password)| Register {
            username: Some(username),
            email: None,
            display_name: None,
            profile: Profile::default(),
            password,
            client: client(),
        }))
    }
}

/// Make an account
///
/// The answer is a session on it.
#[utoipa::path(
    post,
    path = "/api/auth/register",
    tag = "auth",
    operation_id = "register",
    security(()),
    request_body = NewAccount,
    responses((status = 201, description = "A session", body = Registered), Conflict)
)]
pub(crate) async fn register(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<NewAccount>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.register(command).await?;
    let answer = Registered {
        token: grant.access.token.as_str(),
        user: Named::new(&grant.user),
    };
    Ok(respond::json(StatusCode::CREATED, &answer))
}

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    username: Field<String>,
    #[schema(value_type = String, required = true, format = Password)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for Credentials {
    type Output = LogIn;

    fn parse(self, check: Check) -> Result<LogIn, Problem> {
        log_in_by_username(check, "username", self.username, self.password)
    }
}

/// Log in
///
/// After some wrong passwords for one account from one address, each further attempt has to wait longer.
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "auth",
    operation_id = "log_in",
    security(()),
    request_body = Credentials,
    responses((status = 200, description = "A session", body = LoggedIn), Unauthorized, Forbidden)
)]
pub(crate) async fn log_in(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await.map_err(|error| {
        let problem = Problem::from(error);
        match problem.kind() {
            Kind::Forbidden => problem.worded("La cuenta está suspendida"),
            _ => problem,
        }
    })?;
    let answer = LoggedIn {
        token: grant.access.token.as_str(),
        user: User::new(&grant.user),
    };
    Ok(respond::json(StatusCode::OK, &answer))
}
