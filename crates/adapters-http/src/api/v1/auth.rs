use crate::docs::responses::{Conflict, Forbidden, Unauthorized};
use crate::dto::{Id, List, Session, SessionInfo, Sight};
use crate::endpoint::Endpoint;
use crate::extract::{Account, Authenticated, Body, Check, Field, Input, Path, Peer, Query, State, by_ref, flag};
use crate::problem::{FieldCode, Problem};
use crate::respond;
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::{Client, Grant, LogIn, Register, ResetPassword};
use tertulia_domain::{
    DeviceName, DisplayName, Email, LoginName, Password, PasswordPolicy, Profile, SessionId, Username,
};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        tight("/auth/register").post(register),
        tight("/auth/login").post(log_in),
        tight("/auth/refresh").post(refresh),
        tight("/auth/password/reset-request").post(request_reset),
        tight("/auth/password/reset").post(reset_password),
        tight("/auth/email/verify").post(verify_email),
        tight("/auth/email/verification").post(request_verification),
        Endpoint::new("/auth/logout").post(log_out),
        Endpoint::new("/auth/sessions").get(list_sessions),
        Endpoint::new("/auth/sessions/{id}").delete(end_session),
    ]
}

/// A path where credentials are tried or made, or mails are sent.
fn tight(path: &'static str) -> Endpoint {
    Endpoint::new(path).counted_as(AddressClass::Auth)
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
            client: Client {
                device,
                ..Client::default()
            },
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
    Ok(session(&state, StatusCode::CREATED, &grant))
}

fn session(state: &State, status: StatusCode, grant: &Grant) -> HttpResponse {
    let sight = Sight::unblocked(state, grant.user.id);
    respond::json(status, &Session::new(grant, &sight))
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
            client: Client {
                device,
                ..Client::default()
            },
        }))
    }
}

/// Log in
///
/// After some wrong passwords for one account from one address, each further attempt has to wait longer. A suspended
/// account can't be logged in to.
#[utoipa::path(
    post,
    path = "/auth/login",
    tag = "auth",
    operation_id = "log_in",
    security(()),
    request_body = Credentials,
    responses((status = 200, description = "A session", body = Session), Unauthorized, Forbidden)
)]
pub(crate) async fn log_in(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await?;
    Ok(session(&state, StatusCode::OK, &grant))
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
    Ok(session(&state, StatusCode::OK, &grant))
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
    Authenticated(caller, _): Authenticated<Account>,
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
pub(crate) async fn list_sessions(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
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
    Authenticated(caller, _): Authenticated<Account>,
    Path(id): Path<SessionId>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.end_session(caller, id).await?;
    Ok(respond::no_content())
}

/// Whose password to reset.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ResetRequest {
    #[schema(value_type = String, required = true, format = Email, max_length = 254)]
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
/// Mails a token to whoever has that address. The answer is the same, and takes the same time, if nobody does.
#[utoipa::path(
    post,
    path = "/auth/password/reset-request",
    tag = "auth",
    operation_id = "request_password_reset",
    security(()),
    request_body = ResetRequest,
    responses((status = 202, description = "If anybody has that address, a mail is on its way"))
)]
pub(crate) async fn request_reset(state: State, Body(email): Body<ResetRequest>) -> Result<HttpResponse, Problem> {
    state.services.accounts.request_password_reset(&email).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// A new password for whoever got the mail.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordReset {
    /// What stands in the mail; works once, for an hour.
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    token: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 8, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
}

impl Input for PasswordReset {
    type Output = ResetPassword;

    fn parse(self, mut check: Check) -> Result<ResetPassword, Problem> {
        let token = check.required("token", self.token, Ok::<_, &str>);
        let password = check.required("password", self.password, |text| {
            Password::new(text, PasswordPolicy::Standard)
        });
        let command = token.zip(password);
        check.finish(command.map(|(token, password)| ResetPassword { token, password }))
    }
}

/// Set a new password
///
/// By the token from the mail. Ends every session of the user and revokes their API keys.
#[utoipa::path(
    post,
    path = "/auth/password/reset",
    tag = "auth",
    operation_id = "reset_password",
    security(()),
    request_body = PasswordReset,
    responses((status = 204, description = "Set"), Unauthorized)
)]
pub(crate) async fn reset_password(state: State, Body(command): Body<PasswordReset>) -> Result<HttpResponse, Problem> {
    state.services.accounts.reset_password(command).await?;
    Ok(respond::no_content())
}

/// What proves that somebody reads a mailbox.
#[derive(Deserialize, ToSchema)]
pub(crate) struct EmailProof {
    /// What stands in the mail; works once, for a day.
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    token: Field<String>,
}

impl Input for EmailProof {
    type Output = String;

    fn parse(self, mut check: Check) -> Result<String, Problem> {
        let token = check.required("token", self.token, Ok::<_, &str>);
        check.finish(token)
    }
}

/// Verify an e-mail address
///
/// By the token from the mail; from then on the address is the user's.
#[utoipa::path(
    post,
    path = "/auth/email/verify",
    tag = "auth",
    operation_id = "verify_email",
    security(()),
    request_body = EmailProof,
    responses((status = 204, description = "Verified"), Unauthorized, Conflict)
)]
pub(crate) async fn verify_email(state: State, Body(token): Body<EmailProof>) -> Result<HttpResponse, Problem> {
    state.services.accounts.verify_email(&token).await?;
    Ok(respond::no_content())
}

/// Ask for another mail to verify one's address
#[utoipa::path(
    post,
    path = "/auth/email/verification",
    tag = "auth",
    operation_id = "request_verification",
    responses((status = 202, description = "A mail is on its way"), Conflict)
)]
pub(crate) async fn request_verification(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.request_verification(caller).await?;
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}
