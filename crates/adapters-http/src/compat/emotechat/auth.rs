//! Sessions.

use super::wire::{LoggedIn, Message, MessageAndUser, User};
use crate::compat::accounts::{bear, log_in_by_email, new_password};
use crate::endpoint::Endpoint;
use crate::extract::{Account, Authenticated, Body, Check, Field, Input, Peer, Read, State, by_ref};
use crate::problem::Problem;
use crate::respond;
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::{LogIn, LogInError, OpenAccount};
use tertulia_domain::{DisplayName, Email, Profile};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/auth/register")
            .counted_as(AddressClass::Auth)
            .post(register),
        Endpoint::new("/api/auth/login")
            .counted_as(AddressClass::Auth)
            .post(log_in),
        Endpoint::new("/api/auth/logout").post(log_out),
        Endpoint::new("/api/auth/validate").get(validate),
    ]
}

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    /// Free text on one line.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    name: Field<String>,
    /// Unique without regard to case.
    #[schema(value_type = String, required = true, format = Email, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for NewAccount {
    type Output = OpenAccount;

    fn parse(self, mut check: Check) -> Result<OpenAccount, Problem> {
        let name = check.required("name", self.name, by_ref(DisplayName::new));
        let email = check.required("email", self.email, by_ref(Email::new));
        let password = check.required("password", self.password, new_password);
        let made = name.zip(email).zip(password);
        check.finish(made.map(|((name, email), password)| OpenAccount {
            username: None,
            email: Some(email),
            display_name: Some(name),
            profile: Profile::default(),
            password: Some(password),
        }))
    }
}

/// Register
#[utoipa::path(
    post,
    path = "/api/auth/register",
    tag = "auth",
    operation_id = "register",
    security(()),
    request_body = NewAccount,
    responses(
        (status = 200, description = "The user", body = MessageAndUser),
        (status = 409, description = "Somebody has that e-mail", body = Message)
    )
)]
pub(crate) async fn register(state: State, Body(command): Body<NewAccount>) -> Result<HttpResponse, Problem> {
    let opened = state.services.accounts.open_account(command).await?;
    let answer = MessageAndUser {
        message: "Registered",
        user: User::new(&opened.user),
    };
    Ok(respond::json(StatusCode::OK, &answer))
}

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    email: Field<String>,
    #[schema(value_type = String, required = true, format = Password)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for Credentials {
    type Output = LogIn;

    fn parse(self, check: Check) -> Result<LogIn, Problem> {
        log_in_by_email(check, self.email, self.password)
    }
}

/// Log in
#[utoipa::path(
    post,
    path = "/api/auth/login",
    tag = "auth",
    operation_id = "log_in",
    security(()),
    request_body = Credentials,
    responses(
        (
            status = 200,
            description = "A session",
            body = LoggedIn,
            headers(("Authorization" = String, description = "`Bearer` and the token"))
        ),
        (status = 401, description = "Wrong e-mail or password, or the account is suspended", body = Message)
    )
)]
pub(crate) async fn log_in(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await.map_err(refused)?;
    let mut answer = respond::json(
        StatusCode::OK,
        &LoggedIn {
            message: "Logged in",
            user: User::new(&grant.user),
            token: &grant.access.token,
        },
    );
    bear(&mut answer, &grant)?;
    Ok(answer)
}

fn refused(error: LogInError) -> Problem {
    let wrong = matches!(error, LogInError::InvalidCredentials);
    let problem = Problem::from(error);
    if wrong {
        problem.worded("wrong e-mail or password")
    } else {
        problem
    }
}

/// Log out
///
/// The token is refused from now on.
#[utoipa::path(
    post,
    path = "/api/auth/logout",
    tag = "auth",
    operation_id = "log_out",
    responses((status = 200, description = "The session has ended", body = Message))
)]
pub(crate) async fn log_out(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.log_out(caller).await?;
    Ok(respond::json(StatusCode::OK, &Message::new("Logged out")))
}

/// Is the token good?
#[utoipa::path(
    get,
    path = "/api/auth/validate",
    tag = "auth",
    operation_id = "validate",
    responses((status = 200, description = "It is", body = MessageAndUser))
)]
pub(crate) async fn validate(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
) -> Result<HttpResponse, Problem> {
    let user = state.services.accounts.user(caller.user_id).await?;
    let answer = MessageAndUser {
        message: "The token is valid",
        user: User::new(&user),
    };
    Ok(respond::json(StatusCode::OK, &answer))
}
