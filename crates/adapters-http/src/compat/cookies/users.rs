//! Users.

use super::here::Here;
use super::session::Session;
use super::wire::{Done, Error, UserInformation, done};
use crate::HttpState;
use crate::compat::accounts::{client, new_password};
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{Account, Attempt, Check, Field, Form, Input, Path, Peer, Query, Read, SameSite, State, by_ref};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::Register;
use tertulia_domain::repository::UserChanges;
use tertulia_domain::{Caller, Email, Profile, UserId, Username};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/user").get(show_by_name).post(register),
        Endpoint::new("/api/user/{user_id}")
            .get(show)
            .post(register_anywhere)
            .put(update)
            .delete(delete),
    ]
}

/// Whom to show.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// The username.
    #[param(value_type = String, required = true)]
    name: Option<String>,
}

/// Get a user by name
#[utoipa::path(
    get,
    path = "/api/user",
    tag = "users",
    operation_id = "show_user_by_name",
    params(UserQuery),
    responses(
        (status = 200, description = "The user", body = UserInformation),
        (status = 404, description = "No such user", body = Error)
    )
)]
pub(crate) async fn show_by_name(
    state: State,
    _: Session<Read>,
    Query(query): Query<UserQuery>,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(Kind::Invalid, "").on("name", FieldCode::Required, "must be given");
    let name = query.name.ok_or_else(missing)?;
    // A text that can be nobody's name is just that.
    let name = Username::new(name.trim()).map_err(|_| Problem::new(Kind::NotFound, "no such user"))?;
    let user = state.services.accounts.user_by_name(&name).await?;
    Ok(respond::json(StatusCode::OK, &UserInformation::new(&user)))
}

/// Get a user
#[utoipa::path(
    get,
    path = "/api/user/{user_id}",
    tag = "users",
    operation_id = "show_user",
    params(("user_id" = Id, Path, description = "The user")),
    responses((status = 200, description = "The user", body = UserInformation))
)]
pub(crate) async fn show(state: State, _: Session<Read>, Path(id): Path<UserId>) -> Result<HttpResponse, Problem> {
    let user = state.services.accounts.user(id).await?;
    Ok(respond::json(StatusCode::OK, &UserInformation::new(&user)))
}

/// A user to be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewUser {
    /// The username: letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(value_type = String, required = true, min_length = 3, max_length = 32)]
    #[serde(default)]
    name: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 6, max_length = 128)]
    #[serde(default)]
    password: Field<String>,
    /// Unique without regard to case.
    #[schema(value_type = String, required = true, format = Email, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
}

impl Input for NewUser {
    type Output = Register;

    fn parse(self, mut check: Check) -> Result<Register, Problem> {
        let name = check.required("name", self.name, by_ref(Username::new));
        let password = check.required("password", self.password, new_password);
        let email = check.required("email", self.email, by_ref(Email::new));
        check.finish(password.map(|password| Register {
            username: name,
            email,
            display_name: None,
            profile: Profile::default(),
            password,
            client: client(),
        }))
    }
}

/// Create a user
///
/// And log in.
#[utoipa::path(
    post,
    path = "/api/user",
    tag = "users",
    operation_id = "register",
    security(()),
    request_body(content = NewUser, content_type = "application/x-www-form-urlencoded"),
    responses(
        (
            status = 201,
            description = "A session of the new user",
            body = Done,
            headers(
                ("Location" = String, description = "The chats"),
                ("Set-Cookie" = String, description = "`user_id` and `token`, a header each")
            )
        ),
        (status = 403, description = "The request comes from another site", body = Error)
    )
)]
pub(crate) async fn register(
    state: State,
    _: SameSite,
    _: Attempt,
    here: Here,
    Peer(ip): Peer,
    Form(mut command): Form<NewUser>,
) -> Result<HttpResponse, Problem> {
    command.client.ip = ip;
    let grant = state.services.accounts.register(command).await?;
    let mut answer = done(StatusCode::CREATED);
    here.locate(&mut answer, "/api/chats")?;
    here.remember(&mut answer, &grant)?;
    Ok(answer)
}

/// Create a user, at the path of any
///
/// And log in.
#[utoipa::path(
    post,
    path = "/api/user/{user_id}",
    tag = "users",
    operation_id = "register_anywhere",
    security(()),
    params(("user_id" = String, Path, description = "Whatever stands here is taken")),
    request_body(content = NewUser, content_type = "application/x-www-form-urlencoded"),
    responses(
        (
            status = 201,
            description = "A session of the new user",
            body = Done,
            headers(
                ("Location" = String, description = "The chats"),
                ("Set-Cookie" = String, description = "`user_id` and `token`, a header each")
            )
        ),
        (status = 403, description = "The request comes from another site", body = Error)
    )
)]
pub(crate) async fn register_anywhere(
    state: State,
    same_site: SameSite,
    attempt: Attempt,
    here: Here,
    peer: Peer,
    form: Form<NewUser>,
) -> Result<HttpResponse, Problem> {
    register(state, same_site, attempt, here, peer, form).await
}

/// What a user is to be called from now on, and where to be reached; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(min_properties = 1)]
pub(crate) struct UserChange {
    /// The username, as at first.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32)]
    #[serde(default)]
    name: Field<String>,
    /// Where addresses are verified, it becomes the user's once they have followed the mail that goes there.
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
}

impl Input for UserChange {
    type Output = UserChanges;

    fn parse(self, mut check: Check) -> Result<UserChanges, Problem> {
        if self.name.is_absent() && self.email.is_absent() {
            for field in ["name", "email"] {
                check.refuse(field, FieldCode::Required, "or another field must be given");
            }
        }
        let username = check.optional("name", self.name, by_ref(Username::new));
        let email = check.optional("email", self.email, by_ref(Email::new));
        check.finish(Some(UserChanges {
            username: username.map(Some),
            email: email.map(Some),
            ..UserChanges::default()
        }))
    }
}

/// Change oneself
#[utoipa::path(
    put,
    path = "/api/user/{user_id}",
    tag = "users",
    operation_id = "update_user",
    params(("user_id" = Id, Path, description = "The caller")),
    request_body(content = UserChange, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is so", body = Done))
)]
pub(crate) async fn update(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Account>,
    Path(id): Path<UserId>,
    Form(changes): Form<UserChange>,
) -> Result<HttpResponse, Problem> {
    is_oneself(&state, caller, id).await?;
    state.services.accounts.update_profile(caller, changes).await?;
    Ok(done(StatusCode::OK))
}

/// Delete oneself
///
/// Every session ends. Messages stay, under a user without a name.
#[utoipa::path(
    delete,
    path = "/api/user/{user_id}",
    tag = "users",
    operation_id = "delete_user",
    params(("user_id" = Id, Path, description = "The caller")),
    responses((
        status = 200,
        description = "The user is gone",
        body = Done,
        headers(("Set-Cookie" = String, description = "`user_id` and `token`, a header each, both empty and in the past"))
    ))
)]
pub(crate) async fn delete(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Account>,
    here: Here,
    Path(id): Path<UserId>,
) -> Result<HttpResponse, Problem> {
    is_oneself(&state, caller, id).await?;
    state.services.accounts.delete_account(caller, false).await?;
    let mut answer = done(StatusCode::OK);
    here.forget(&mut answer)?;
    Ok(answer)
}

/// Whoever is there, but somebody else, is nobody's to change.
async fn is_oneself(state: &HttpState, caller: Caller, id: UserId) -> Result<(), Problem> {
    if id == caller.user_id {
        return Ok(());
    }
    state.services.accounts.user(id).await?;
    Err(Problem::new(Kind::Forbidden, "this is another user"))
}
