//! The caller.

use super::wire::{LoggedIn, User};
use crate::HttpState;
use crate::compat::files::Incoming;
use crate::docs::responses::Conflict;
use crate::endpoint::Endpoint;
use crate::extract::{
    Account, AccountFile, Authenticated, Check, Entry, Extract, Field, Input, JsonOrForm, Parts, Query, State, by_ref,
    has_body, is_form,
};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use tertulia_application::account::SetAvatarError;
use tertulia_domain::repository::UserChanges;
use tertulia_domain::{Caller, File, Username};
use utoipa::openapi::{OpenApi, RefOr, Required};
use utoipa::{IntoParams, Modify, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/api/users/profile").put(update)]
}

/// What to be called.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NameQuery {
    /// The new username; one in the body counts instead.
    #[param(value_type = Option<String>, min_length = 3, max_length = 32)]
    username: Option<String>,
}

/// What to change of oneself.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Change {
    /// Letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(value_type = Option<String>, min_length = 3, max_length = 32)]
    #[serde(default)]
    username: Field<String>,
}

/// What to change of oneself, with a picture.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "for the document alone: it is read part by part")]
pub(crate) struct ChangeForm {
    /// The new username.
    #[schema(max_length = 32)]
    username: Option<String>,
    /// A PNG, JPEG, GIF or WebP image. Also known as `file`.
    #[schema(value_type = Option<String>, content_media_type = "application/octet-stream")]
    profile_pic: Option<Vec<u8>>,
}

impl Input for Change {
    type Output = Option<Username>;

    fn parse(self, mut check: Check) -> Result<Option<Username>, Problem> {
        let username = check.optional("username", self.username, by_ref(Username::new));
        check.finish(Some(username))
    }
}

/// Says in the document that there need not be a body.
pub(super) struct BodyIsOptional;

impl Modify for BodyIsOptional {
    fn modify(&self, document: &mut OpenApi) {
        let item = document.paths.paths.get_mut("/api/users/profile");
        let operation = item.and_then(|item| item.put.as_mut());
        if let Some(RefOr::T(body)) = operation.and_then(|operation| operation.request_body.as_mut()) {
            body.required = Some(Required::False);
        }
    }
}

/// A change as any kind of body holds it, and whose it is.
pub(crate) enum Sent {
    Name(Caller, Option<Username>),
    Form(Caller, Box<Parts>),
}

impl Extract for Sent {
    const ENTRY: Entry = Authenticated::<Account>::ENTRY;

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        if is_form(request) {
            let Authenticated(caller, _) = Authenticated::<AccountFile>::extract(request, payload).await?;
            let parts = Parts::extract(request, payload).await?;
            return Ok(Self::Form(caller, Box::new(parts)));
        }
        let Authenticated(caller, _) = Authenticated::<Account>::extract(request, payload).await?;
        let username = if has_body(request) {
            JsonOrForm::<Change>::extract(request, payload).await?.0
        } else {
            None
        };
        Ok(Self::Name(caller, username))
    }
}

/// Change oneself
///
/// The username, the picture, or both. The token in the answer is another one for the same session; the old one stays good
/// as well.
#[utoipa::path(
    put,
    path = "/api/users/profile",
    tag = "users",
    operation_id = "update_profile",
    params(NameQuery),
    request_body(content(
        (Change = "application/json"),
        (Change = "application/x-www-form-urlencoded"),
        (ChangeForm = "multipart/form-data")
    )),
    responses((status = 200, description = "Oneself", body = LoggedIn), Conflict)
)]
pub(crate) async fn update(state: State, sent: Sent, Query(query): Query<NameQuery>) -> Result<HttpResponse, Problem> {
    let (caller, username, picture) = match sent {
        Sent::Name(caller, username) => (caller, name(username, query)?, None),
        Sent::Form(caller, parts) => {
            let (username, picture) = receive(&state, caller, parts, query).await?;
            (caller, username, picture)
        }
    };
    let accounts = &state.services.accounts;
    let mut user = accounts.user(caller.user_id).await?;
    if let Some(username) = username {
        let changes = UserChanges {
            username: Some(Some(username)),
            ..UserChanges::default()
        };
        user = accounts.update_profile(caller, changes).await?.user;
    }
    if let Some(picture) = picture {
        user = accounts.set_avatar(caller, Some(&picture)).await?;
    }
    let access = accounts.reissue(caller).await?;
    let answer = LoggedIn {
        token: access.token.as_str(),
        user: User::new(&user),
    };
    Ok(respond::json(StatusCode::OK, &answer))
}

/// The name of the body, or else of the query.
fn name(of_body: Option<Username>, query: NameQuery) -> Result<Option<Username>, Problem> {
    let of_query = Change {
        username: query.username.map_or(Field::Missing, Field::Given),
    };
    let of_query = of_query.parse(Check::default())?;
    Ok(of_body.or(of_query))
}

/// Takes the parts. The picture is kept once the name is right, and is one: what it is not is told before anything
/// changes.
async fn receive(
    state: &HttpState,
    caller: Caller,
    mut parts: Box<Parts>,
    query: NameQuery,
) -> Result<(Option<Username>, Option<File>), Problem> {
    parts.expect_files(1, &state.services.files)?;
    let mut picture = Incoming::default();
    let read = read(state, caller, &mut parts, &mut picture).await;
    match read.and_then(|of_body| name(of_body, query)) {
        Ok(username) => {
            let picture = picture.finish().await?;
            if picture.as_ref().is_some_and(|picture| !picture.is_image()) {
                return Err(SetAvatarError::NotAnImage.into());
            }
            Ok((username, picture))
        }
        Err(problem) => {
            picture.abort().await;
            Err(problem)
        }
    }
}

async fn read<'a>(
    state: &'a HttpState,
    caller: Caller,
    parts: &mut Parts,
    picture: &mut Incoming<'a>,
) -> Result<Option<Username>, Problem> {
    let mut username = None;
    while let Some(mut part) = parts.next().await? {
        match part.name.as_str() {
            "username" => {
                // A form whose name was left empty says nothing.
                let text = part.text().await?;
                username = match text.as_str() {
                    "" => None,
                    text => Some(Username::new(text).map_err(|error| {
                        Problem::new(Kind::Invalid, "Some fields are invalid; see errors.").on(
                            "username",
                            FieldCode::Invalid,
                            error.to_string(),
                        )
                    })?),
                };
            }
            "profilePic" | "file" => picture.take(&state.services.files, caller, &mut part).await?,
            _ => part.skip().await?,
        }
    }
    Ok(username)
}
