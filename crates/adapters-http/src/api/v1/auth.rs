use crate::docs::responses::{Conflict, Unauthorized};
use crate::dto::{Id, List, Session, SessionInfo};
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Body, Check, Field, Input, Path, Peer, Query, State, by_ref, flag};
use crate::problem::{FieldCode, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::{Client, LogIn, Register};
use tertulia_domain::{
    DeviceName, DisplayName, Email, LoginName, Password, PasswordPolicy, Profile, SessionId, Username,
};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/auth/register").post(register),
        Endpoint::new("/auth/login").post(log_in),
        Endpoint::new("/auth/refresh").post(refresh),
        Endpoint::new("/auth/logout").post(log_out),
        Endpoint::new("/auth/sessions").get(list_sessions),
        Endpoint::new("/auth/sessions/{id}").delete(end_session),
    ]
}

/// An account to be made: a username or an e-mail address is needed.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewAccount {
    /// Letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32)]
    #[serde(default)]
    username: Field<String>,
    /// Unique without regard to case.
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 8, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
    /// Free text on one line.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    #[serde(default)]
    display_name: Field<String>,
    /// What the client calls itself.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default)]
    device: Field<String>,
}

impl Input for NewAccount {
    type Output = Register;

    fn parse(self, mut check: Check) -> Result<Register, Problem> {
        if self.username.is_absent() && self.email.is_absent() {
            for field in ["username", "email"] {
                check.refuse(field, FieldCode::Required, "a username or an e-mail address is needed");
            }
        }
        let username = check.optional("username", self.username, by_ref(Username::new));
        let email = check.optional("email", self.email, by_ref(Email::new));
        let password = check.required("password", self.password, |text| {
            Password::new(text, PasswordPolicy::Standard)
        });
        let display_name = check.optional("display_name", self.display_name, by_ref(DisplayName::new));
        let device = check.optional("device", self.device, by_ref(DeviceName::new));
        check.finish(password.map(|password| Register {
            username,
            email,
            display_name,
            profile: Profile::default(),
            password,
            client: Client { device, ip: None },
        }))
    }
}

/// Make an account
///
/// The answer is a session on it.
#[utoipa::path(
    post,
    path = "/auth/register",
    tag = "auth",
    operation_id = "register",
    security(()),
    request_body = NewAccount,
    responses((status = 201, description = "A session", body = Session), Conflict)
)]
pub(crate) async fn register(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<NewAccount>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.register(command).await?;
    Ok(respond::json(
        StatusCode::CREATED,
        &Session::new(&grant, &state.services.presence),
    ))
}

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Credentials {
    /// The username or the e-mail address.
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    login: Field<String>,
    #[schema(value_type = String, required = true, format = Password)]
    #[serde(default)]
    password: Field<String>,
    /// What the client calls itself.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[serde(default)]
    device: Field<String>,
}

impl Input for Credentials {
    type Output = LogIn;

    fn parse(self, mut check: Check) -> Result<LogIn, Problem> {
        // A text that can be nobody's name or password is not invalid, just wrong.
        let login = check.required("login", self.login, |text: String| {
            Ok::<_, &str>(LoginName::parse(&text))
        });
        let password = check.required("password", self.password, |text| Ok::<_, &str>(Password::offered(text)));
        let device = check.optional("device", self.device, by_ref(DeviceName::new));
        check.finish(login.zip(password).map(|(login, password)| LogIn {
            login,
            password,
            client: Client { device, ip: None },
        }))
    }
}

/// Log in
#[utoipa::path(
    post,
    path = "/auth/login",
    tag = "auth",
    operation_id = "log_in",
    security(()),
    request_body = Credentials,
    responses((status = 200, description = "A session", body = Session), Unauthorized)
)]
pub(crate) async fn log_in(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await?;
    Ok(respond::json(
        StatusCode::OK,
        &Session::new(&grant, &state.services.presence),
    ))
}

/// What a session goes on with.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Refresh {
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    refresh_token: Field<String>,
}

impl Input for Refresh {
    type Output = String;

    fn parse(self, mut check: Check) -> Result<String, Problem> {
        let token = check.required("refresh_token", self.refresh_token, Ok::<_, &str>);
        check.finish(token)
    }
}

/// Exchange a refresh token
///
/// For new tokens of the same session. A refresh token works once: a second use ends the session.
#[utoipa::path(
    post,
    path = "/auth/refresh",
    tag = "auth",
    operation_id = "refresh",
    security(()),
    request_body = Refresh,
    responses((status = 200, description = "The session", body = Session), Unauthorized)
)]
pub(crate) async fn refresh(state: State, Body(token): Body<Refresh>) -> Result<HttpResponse, Problem> {
    let grant = state.services.accounts.refresh(&token).await?;
    Ok(respond::json(
        StatusCode::OK,
        &Session::new(&grant, &state.services.presence),
    ))
}

/// Which sessions to end.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogOutQuery {
    /// Whether to end all of the user's sessions.
    #[param(value_type = Option<bool>, default = false)]
    all: Option<String>,
}

/// Log out
///
/// Ends this session, or all of the user's: from the next request on their tokens are refused.
#[utoipa::path(
    post,
    path = "/auth/logout",
    tag = "auth",
    operation_id = "log_out",
    params(LogOutQuery),
    responses((status = 204, description = "Logged out"))
)]
pub(crate) async fn log_out(
    state: State,
    Authenticated(caller): Authenticated,
    Query(query): Query<LogOutQuery>,
) -> Result<HttpResponse, Problem> {
    if flag("all", query.all.as_deref())? {
        state.services.accounts.log_out_everywhere(caller).await?;
    } else {
        state.services.accounts.log_out(caller).await?;
    }
    Ok(respond::no_content())
}

/// List one's sessions
///
/// All of them at once, newest first.
#[utoipa::path(
    get,
    path = "/auth/sessions",
    tag = "auth",
    operation_id = "list_sessions",
    responses((status = 200, description = "The sessions", body = List<SessionInfo>))
)]
pub(crate) async fn list_sessions(state: State, Authenticated(caller): Authenticated) -> Result<HttpResponse, Problem> {
    let sessions = state.services.accounts.sessions(caller).await?;
    let items = sessions
        .iter()
        .map(|session| SessionInfo::new(session, caller.session_id));
    let list = List {
        items: items.collect(),
        next_cursor: None,
    };
    Ok(respond::json(StatusCode::OK, &list))
}

/// End one of one's sessions
#[utoipa::path(
    delete,
    path = "/auth/sessions/{id}",
    tag = "auth",
    operation_id = "end_session",
    params(("id" = Id, Path, description = "The session")),
    responses((status = 204, description = "Ended"))
)]
pub(crate) async fn end_session(
    state: State,
    Authenticated(caller): Authenticated,
    Path(id): Path<SessionId>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.end_session(caller, id).await?;
    Ok(respond::no_content())
}
