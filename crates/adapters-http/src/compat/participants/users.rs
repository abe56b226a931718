//! Accounts and sessions.

use super::chats::user_not_found;
use super::path::OfUser;
use super::wire::{Asked, Enveloped, Failure, PageQuery, Session, User, UserPage, done, ok};
use super::words::{self, worded};
use crate::compat::accounts::{client, log_in_by_email, new_password};
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Body, Check, Field, Input, Peer, Query, Read, State, by_ref};
use crate::problem::{FieldCode, Problem};
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::{LogIn, Register, RegisterError};
use tertulia_domain::{DisplayName, Email, Profile, ProfileError, ProfileValue, Username};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/users/register")
            .counted_as(AddressClass::Auth)
            .post(register),
        Endpoint::new("/api/users/login")
            .counted_as(AddressClass::Auth)
            .post(log_in),
        Endpoint::new("/api/users").get(list),
        Endpoint::new("/api/users/{id}").get(show),
    ]
}

/// Items of a page unless something else is asked for.
const PAGE: u16 = 10;

/// An account to be made. An empty text is like none.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewAccount {
    /// Free text on one line.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 256)]
    #[serde(default)]
    full_name: Field<String>,
    /// Unique without regard to case.
    #[schema(value_type = String, required = true, format = Email, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
    /// Letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32)]
    #[serde(default)]
    username: Field<String>,
    #[schema(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    phone: Field<String>,
    #[schema(value_type = Option<String>, max_length = 1000)]
    #[serde(default)]
    document_number: Field<String>,
    #[schema(value_type = Option<i64>)]
    #[serde(default)]
    age: Field<i64>,
}

/// Forms of clients send what nobody filled in as an empty text.
fn filled_in(field: Field<String>) -> Field<String> {
    match field {
        Field::Given(text) if text.is_empty() => Field::Missing,
        other => other,
    }
}

impl Input for NewAccount {
    type Output = Register;

    fn parse(self, mut check: Check) -> Result<Register, Problem> {
        let [full_name, email, password, username, phone, document_number] = [
            self.full_name,
            self.email,
            self.password,
            self.username,
            self.phone,
            self.document_number,
        ]
        .map(filled_in);
        let lacking = [&full_name, &email, &password].into_iter().any(Field::is_absent);
        let display_name = check.required("fullName", full_name, by_ref(DisplayName::new));
        let email = check.required("email", email, by_ref(Email::new));
        let password = check.required("password", password, new_password);
        let username = check.optional("username", username, by_ref(Username::new));
        let phone = check.optional("phone", phone, Ok::<_, &str>).map(ProfileValue::Text);
        let document = check.optional("documentNumber", document_number, Ok::<_, &str>);
        let document = document.map(ProfileValue::Text);
        let age = check
            .optional("age", self.age, Ok::<_, &str>)
            .map(ProfileValue::Integer);
        let profile = profile(
            &mut check,
            [("phone", phone), ("documentNumber", document), ("age", age)],
        );
        let command = email.zip(password).map(|(email, password)| Register {
            username,
            email: Some(email),
            display_name,
            profile,
            password,
            client: client(),
        });
        check.finish(command).map_err(|problem| {
            if lacking {
                problem.worded(words::FIELDS_MISSING)
            } else {
                problem
            }
        })
    }
}

fn profile(check: &mut Check, fields: [(&str, Option<ProfileValue>); 3]) -> Profile {
    let given = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Profile::new(given).unwrap_or_else(|error| {
        let message = error.to_string();
        if let ProfileError::Text(field) = error {
            check.refuse(field, FieldCode::Invalid, message);
        }
        Profile::default()
    })
}

/// Make an account
///
/// And log in to it.
#[utoipa::path(
    post,
    path = "/api/users/register",
    tag = "users",
    operation_id = "register",
    security(()),
    request_body = NewAccount,
    responses(
        (status = 201, description = "A session", body = Enveloped<Session>),
        (status = 409, description = "Somebody has the e-mail or the username", body = Failure)
    )
)]
pub(crate) async fn register(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<NewAccount>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.register(command).await.map_err(|error| {
        let words = matches!(error, RegisterError::EmailTaken).then_some(words::EMAIL_TAKEN);
        worded(error, words)
    })?;
    let session = Session {
        user: User::own(&grant.user),
        token: &grant.access.token,
    };
    Ok(done(StatusCode::CREATED, "Usuario creado correctamente", session))
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
    path = "/api/users/login",
    tag = "users",
    operation_id = "log_in",
    security(()),
    request_body = Credentials,
    responses(
        (status = 200, description = "A session", body = Enveloped<Session>),
        (status = 401, description = "Wrong e-mail or password", body = Failure),
        (status = 403, description = "The account is suspended", body = Failure)
    )
)]
pub(crate) async fn log_in(
    state: State,
    Peer(ip): Peer,
    Body(mut command): Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.log_in(command).await?;
    Ok(ok(Session {
        user: User::own(&grant.user),
        token: &grant.access.token,
    }))
}

/// List all users
///
/// In the order in which they registered.
#[utoipa::path(
    get,
    path = "/api/users",
    tag = "users",
    operation_id = "list_users",
    params(PageQuery),
    responses((status = 200, description = "A page of users", body = Enveloped<UserPage>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::new(&page, PAGE);
    let list = state.services.accounts.users_by_page(asked.window()).await?;
    let users = list.items.iter().map(|user| User::seen(user, caller.user_id));
    Ok(ok(UserPage {
        users: users.collect(),
        pagination: asked.of(&list),
    }))
}

/// Get a user
#[utoipa::path(
    get,
    path = "/api/users/{id}",
    tag = "users",
    operation_id = "get_user",
    params(("id" = Id, Path, description = "The user")),
    responses((status = 200, description = "The user", body = Enveloped<User>))
)]
pub(crate) async fn show(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    OfUser(id): OfUser,
) -> Result<HttpResponse, Problem> {
    let user = state.services.accounts.user(id).await.map_err(user_not_found)?;
    Ok(ok(User::seen(&user, caller.user_id)))
}
