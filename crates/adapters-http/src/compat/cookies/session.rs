//! Sessions, and who is in one.

use super::here::Here;
use super::wire::{Done, Error, done};
use crate::compat::accounts::log_in_by_username;
use crate::endpoint::Endpoint;
use crate::extract::{
    Access, Account, Authenticated, Check, Entry, Extract, Field, Form, Input, Peer, SameSite, State, bearer_token,
};
use crate::problem::{Kind, Problem};
use crate::traffic::AddressClass;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::COOKIE;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::marker::PhantomData;
use tertulia_application::account::{LogIn, LogInError};
use tertulia_domain::{Caller, UserId};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/login").counted_as(AddressClass::Auth).post(log_in),
        Endpoint::new("/api/logout").get(log_out),
    ]
}

/// Somebody whose cookies belong together, or who has a bearer token, and who may do what `A` says.
pub(crate) struct Session<A: Access>(pub(crate) Caller, pub(crate) PhantomData<A>);

impl<A: Access> Extract for Session<A> {
    const ENTRY: Entry = Authenticated::<A>::ENTRY;

    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        if let Ok(token) = bearer_token(request) {
            let Authenticated(caller, access) = Authenticated::<A>::by_token(request, token).await?;
            return Ok(Self(caller, access));
        }
        let token = cookie(request, "token").or_else(|| cookie(request, "access_token"));
        let (owner, token) = cookie(request, "user_id").zip(token).ok_or_else(|| {
            let text = "Log in first: the cookies user_id and token are needed.";
            Problem::new(Kind::Unauthenticated, text)
        })?;
        let Authenticated(caller, access) = Authenticated::<A>::by_token(request, token).await?;
        if UserId::parse(owner) != Some(caller.user_id) {
            let text = "The cookies user_id and token do not belong together.";
            return Err(Problem::new(Kind::Unauthenticated, text));
        }
        Ok(Self(caller, access))
    }
}

/// The first cookie of that name that is not empty.
fn cookie<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    let lines = request.headers().get_all(COOKIE);
    let cookies = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut values = cookies.filter_map(|cookie| {
        let (found, value) = cookie.split_once('=')?;
        (found.trim() == name).then(|| value.trim().trim_matches('"').trim())
    });
    values.find(|value| !value.is_empty())
}

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    /// The username.
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    name: Field<String>,
    #[schema(value_type = String, required = true, format = Password)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for Credentials {
    type Output = LogIn;

    fn parse(self, check: Check) -> Result<LogIn, Problem> {
        log_in_by_username(check, "name", self.name, self.password)
    }
}

/// Log in
#[utoipa::path(
    post,
    path = "/api/login",
    tag = "session",
    operation_id = "log_in",
    security(()),
    request_body(content = Credentials, content_type = "application/x-www-form-urlencoded"),
    responses(
        (
            status = 200,
            description = "A session",
            body = Done,
            headers(
                ("Location" = String, description = "The chats"),
                ("Set-Cookie" = String, description = "`user_id` and `token`, a header each")
            )
        ),
        (status = 400, description = "Wrong name or password, or no such form", body = Error),
        (status = 403, description = "The account is suspended, or the request comes from another site", body = Error)
    )
)]
pub(crate) async fn log_in(
    state: State,
    _: SameSite,
    here: Here,
    Peer(ip): Peer,
    Form(mut command): Form<Credentials>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await.map_err(refused)?;
    let mut answer = done(StatusCode::OK);
    here.locate(&mut answer, "/api/chats")?;
    here.remember(&mut answer, &grant)?;
    Ok(answer)
}

fn refused(error: LogInError) -> Problem {
    let wrong = matches!(error, LogInError::InvalidCredentials);
    let problem = Problem::from(error);
    if wrong {
        problem.worded("wrong name or password")
    } else {
        problem
    }
}

/// Log out
///
/// The token is refused from now on.
#[utoipa::path(
    get,
    path = "/api/logout",
    tag = "session",
    operation_id = "log_out",
    responses((
        status = 200,
        description = "The session has ended",
        body = Done,
        headers(
            ("Location" = String, description = "Where to log in"),
            ("Set-Cookie" = String, description = "`user_id` and `token`, a header each, both empty and in the past")
        )
    ))
)]
pub(crate) async fn log_out(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Account>,
    here: Here,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.log_out(caller).await?;
    let mut answer = done(StatusCode::OK);
    here.locate(&mut answer, "/api/login")?;
    here.forget(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn reads_cookies() {
        for (lines, token) in [
            (&["token=abc"][..], Some("abc")),
            (&["user_id=1; token=abc; token=def"], Some("abc")),
            (&["user_id=1", "a; token =\"abc\""], Some("abc")),
            (&["token=; token=' '=abc"], Some("' '=abc")),
            (&["token=a=b"], Some("a=b")),
            (&["token"], None),
            (&["Token=abc; xtoken=abc; token= "], None),
            (&[], None),
        ] {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header((COOKIE, *line));
            }
            assert_eq!(cookie(&request.to_http_request(), "token"), token, "{lines:?}");
        }
    }
}
