//! Sessions.

use super::wire::{Failure, User, object};
use crate::compat::accounts::{bear, log_in_by_email};
use crate::endpoint::Endpoint;
use crate::extract::{Account, Authenticated, Body, Check, Field, Input, JsonType, Peer, State};
use crate::problem::{Kind, Problem};
use crate::respond;
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tertulia_application::account::{LogIn, LogInError};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/login").counted_as(AddressClass::Auth).post(log_in),
        Endpoint::new("/api/logout").delete(log_out),
    ]
}

/// Somebody logs in.
#[derive(Deserialize, ToSchema)]
pub(crate) struct LogInForm {
    #[schema(value_type = Credentials, required = true)]
    #[serde(default)]
    creds: Field<Credentials>,
}

/// What they log in with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    email: Field<String>,
    #[schema(value_type = String, required = true, format = Password)]
    #[serde(default)]
    password: Field<String>,
}

impl JsonType for Credentials {
    const EXPECTED: &'static str = "must be an object";

    fn of(value: Value) -> Option<Self> {
        object(value)
    }
}

impl Input for LogInForm {
    type Output = LogIn;

    fn parse(self, mut check: Check) -> Result<LogIn, Problem> {
        match check.required("creds", self.creds, Ok::<_, &str>) {
            Some(given) => log_in_by_email(check, given.email, given.password),
            None => check.finish(None),
        }
    }
}

/// Somebody has logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedIn<'a> {
    data: Session<'a>,
}

/// Their session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session<'a> {
    user: User<'a>,
    /// What requests send as `Authorization: Bearer`; it is in that header of the answer, too.
    token: &'a str,
    /// When the token stops being accepted, in Unix seconds.
    expire: i64,
}

/// Log in
#[utoipa::path(
    post,
    path = "/api/login",
    tag = "auth",
    operation_id = "log_in",
    security(()),
    request_body = LogInForm,
    responses(
        (
            status = 200,
            description = "A session",
            body = LoggedIn,
            headers(("Authorization" = String, description = "`Bearer` and the token"))
        ),
        (status = 401, description = "Wrong e-mail or password, or the account is suspended", body = Failure)
    )
)]
pub(crate) async fn log_in(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<LogInForm>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await.map_err(refused)?;
    let session = LoggedIn {
        data: Session {
            user: User::new(&grant.user),
            token: &grant.access.token,
            expire: grant.access.expires_at.as_millis() / 1000,
        },
    };
    let mut answer = respond::json(StatusCode::OK, &session);
    bear(&mut answer, &grant)?;
    Ok(answer)
}

/// The contract knows one way only in which a log-in fails.
fn refused(error: LogInError) -> Problem {
    match error {
        LogInError::Suspended => Problem::new(Kind::InvalidCredentials, error.to_string()),
        other => other.into(),
    }
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedOut {
    data: &'static str,
}

/// Log out
///
/// The token is refused from now on.
#[utoipa::path(
    delete,
    path = "/api/logout",
    tag = "auth",
    operation_id = "log_out",
    responses((status = 200, description = "The session has ended", body = LoggedOut))
)]
pub(crate) async fn log_out(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.log_out(caller).await?;
    let data = "Success logout";
    Ok(respond::json(StatusCode::OK, &LoggedOut { data }))
}
