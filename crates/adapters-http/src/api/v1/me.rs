use super::FileForm;
use crate::docs::responses::{Conflict, Forbidden};
use crate::dto::{self, Erased, OwnUser, Sight};
use crate::endpoint::Endpoint;
use crate::extract::{
    Account, AccountFile, Authenticated, Body, Check, Field, Input, Parts, Query, Read, State, by_ref, flag,
};
use crate::problem::{FieldCode, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use tertulia_application::account::ChangePassword;
use tertulia_domain::repository::UserChanges;
use tertulia_domain::{DisplayName, Email, Password, PasswordPolicy, Profile, ProfileValue, Username};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/me").get(show).patch(update).delete(delete),
        Endpoint::new("/me/password").put(change_password),
        Endpoint::new("/me/avatar").put(set_avatar).delete(delete_avatar),
    ]
}

/// Get oneself
#[utoipa::path(
    get,
    path = "/me",
    tag = "me",
    operation_id = "get_me",
    responses((status = 200, description = "Oneself", body = OwnUser))
)]
pub(crate) async fn show(state: State, Authenticated(caller, _): Authenticated<Read>) -> Result<HttpResponse, Problem> {
    let user = state.services.accounts.user(caller.user_id).await?;
    let sight = Sight::unblocked(&state, user.id);
    Ok(respond::json(StatusCode::OK, &OwnUser::new(&user, &sight)))
}

/// What to change of oneself: a missing field stays, null removes what was there.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MeChange {
    /// Letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32)]
    #[serde(default)]
    username: Field<String>,
    /// Unique without regard to case.
    #[schema(value_type = Option<String>, format = Email, max_length = 254)]
    #[serde(default)]
    email: Field<String>,
    /// Free text on one line.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 256)]
    #[serde(default)]
    display_name: Field<String>,
    /// Up to 32 texts, whole numbers and booleans by name; replaces the whole of what was there.
    #[schema(value_type = Option<dto::Profile>)]
    #[serde(default)]
    profile: Field<Map<String, Value>>,
}

impl Input for MeChange {
    type Output = UserChanges;

    fn parse(self, mut check: Check) -> Result<UserChanges, Problem> {
        let changes = UserChanges {
            username: check.change("username", self.username, by_ref(Username::new)),
            email: check.change("email", self.email, by_ref(Email::new)),
            display_name: check.change("display_name", self.display_name, by_ref(DisplayName::new)),
            profile: profile(&mut check, self.profile),
            role: None,
        };
        check.finish(Some(changes))
    }
}

/// A whole profile; null is an empty one. Values of a wrong type are noted by their name.
fn profile(check: &mut Check, field: Field<Map<String, Value>>) -> Option<Profile> {
    let mut wrong = Vec::new();
    let profile = check.change("profile", field, |fields| {
        let mut typed = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            match profile_value(value) {
                Some(value) => typed.push((name, value)),
                None => wrong.push(name),
            }
        }
        Profile::new(typed)
    });
    for name in wrong {
        let message = "must be a string, a whole number of at most 64 bits, or a boolean";
        check.refuse(format!("profile.{name}"), FieldCode::WrongType, message);
    }
    profile.map(Option::unwrap_or_default)
}

fn profile_value(value: Value) -> Option<ProfileValue> {
    match value {
        Value::String(text) => Some(ProfileValue::Text(text)),
        Value::Bool(flag) => Some(ProfileValue::Boolean(flag)),
        Value::Number(number) => number.as_i64().map(ProfileValue::Integer),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Change oneself
///
/// A username or an e-mail address has to be left to log in with. Where addresses are verified, a new one is mailed a
/// token and becomes the user's once that is used.
#[utoipa::path(
    patch,
    path = "/me",
    tag = "me",
    operation_id = "update_me",
    request_body = MeChange,
    responses((status = 200, description = "Oneself", body = OwnUser), Conflict)
)]
pub(crate) async fn update(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Body(changes): Body<MeChange>,
) -> Result<HttpResponse, Problem> {
    let updated = state.services.accounts.update_profile(caller, changes).await?;
    let sight = Sight::unblocked(&state, caller.user_id);
    let user = OwnUser::new(&updated.user, &sight).awaiting(updated.pending_email.as_ref());
    Ok(respond::json(StatusCode::OK, &user))
}

/// How to delete an account.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeleteQuery {
    /// Whether to delete every message that the user ever sent, too.
    #[param(value_type = Option<bool>, default = false)]
    erase: Option<String>,
}

/// Delete one's account
///
/// Names, e-mail address, profile and sessions go, and the user leaves every group. Messages stay, under a user without a
/// name, unless they are to be erased.
#[utoipa::path(
    delete,
    path = "/me",
    tag = "me",
    operation_id = "delete_me",
    params(DeleteQuery),
    responses(
        (status = 204, description = "Deleted"),
        (status = 200, description = "Deleted and erased: what went", body = Erased)
    )
)]
pub(crate) async fn delete(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Query(query): Query<DeleteQuery>,
) -> Result<HttpResponse, Problem> {
    let erase = flag("erase", query.erase.as_deref())?;
    let erased = state.services.accounts.delete_account(caller, erase).await?;
    Ok(if erase {
        respond::json(StatusCode::OK, &Erased::from(erased))
    } else {
        respond::no_content()
    })
}

/// The password now and from now on.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PasswordChange {
    #[schema(value_type = String, required = true, format = Password)]
    #[serde(default)]
    current_password: Field<String>,
    #[schema(value_type = String, required = true, format = Password, min_length = 8, max_length = 128)]
    #[serde(default)]
    new_password: Field<String>,
}

impl Input for PasswordChange {
    type Output = ChangePassword;

    fn parse(self, mut check: Check) -> Result<ChangePassword, Problem> {
        let offered = |text| Ok::<_, &str>(Password::offered(text));
        let current = check.required("current_password", self.current_password, offered);
        let new = check.required("new_password", self.new_password, |text| {
            Password::new(text, PasswordPolicy::Standard)
        });
        let command = current.zip(new).map(|(current, new)| ChangePassword { current, new });
        check.finish(command)
    }
}

/// Change one's password
///
/// Ends the user's other sessions. A wrong current password is a 403: the session is fine.
#[utoipa::path(
    put,
    path = "/me/password",
    tag = "me",
    operation_id = "change_password",
    request_body = PasswordChange,
    responses((status = 204, description = "Changed"), Forbidden)
)]
pub(crate) async fn change_password(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Body(command): Body<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.change_password(caller, command).await?;
    Ok(respond::no_content())
}

/// Give oneself an avatar
///
/// Everybody may see it.
#[utoipa::path(
    put,
    path = "/me/avatar",
    tag = "me",
    operation_id = "set_avatar",
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "Oneself", body = OwnUser))
)]
pub(crate) async fn set_avatar(
    state: State,
    Authenticated(caller, _): Authenticated<AccountFile>,
    mut parts: Parts,
) -> Result<HttpResponse, Problem> {
    let file = parts.upload(&state.services.files, caller).await?;
    let user = state.services.accounts.set_avatar(caller, Some(&file)).await?;
    let sight = Sight::unblocked(&state, caller.user_id);
    Ok(respond::json(StatusCode::OK, &OwnUser::new(&user, &sight)))
}

/// Take one's avatar away
#[utoipa::path(
    delete,
    path = "/me/avatar",
    tag = "me",
    operation_id = "delete_avatar",
    responses((status = 204, description = "There is none any more"))
)]
pub(crate) async fn delete_avatar(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.set_avatar(caller, None).await?;
    Ok(respond::no_content())
}
