//! Chats.

use super::wire::{Chat, CreatedChat, Renamed};
use crate::HttpState;
use crate::creation::{Creation, stored};
use crate::docs::responses::NotFound;
use crate::dto::{Id, Sight};
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Body, Check, Field, Input, Manage, Path, Read, State, by_ref, ids};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;
use tertulia_application::chats::{CreateDirect, CreateDirectError, CreateGroup, CreateGroupError, ListOverviews};
use tertulia_domain::repository::{self, OverviewOrder};
use tertulia_domain::{Caller, ChatId, ChatTitle, UserId, Window};
use utoipa::ToSchema;

/// Chats that are listed at the most: the contract knows no pages of them.
const MOST: u16 = 500;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/chats").get(list).post(create),
        Endpoint::new("/api/chats/{chatId}").put(rename),
    ]
}

/// Says of a failure whose chat it is that the caller can't get at: somebody else's, or nobody's.
pub(super) async fn out_of_reach(state: &HttpState, caller: Caller, id: ChatId, problem: Problem) -> Problem {
    if problem.kind() != Kind::NotFound {
        return problem;
    }
    match state.services.chats.exists(caller, id).await {
        Ok(true) => Problem::new(Kind::Forbidden, "not in the chat").worded("No eres miembro de este chat"),
        Ok(false) => problem.worded("Chat no encontrado"),
        Err(failure) => failure.into(),
    }
}

/// List one's chats
///
/// Most recently active first, the first 500 of them.
#[utoipa::path(
    get,
    path = "/api/chats",
    tag = "chats",
    operation_id = "list_chats",
    responses((status = 200, description = "The chats", body = Vec<Chat>))
)]
pub(crate) async fn list(state: State, Authenticated(caller, _): Authenticated<Read>) -> Result<HttpResponse, Problem> {
    let query = ListOverviews {
        all_to_admins: false,
        with: None,
        direct: false,
        members: true,
        order: OverviewOrder::Activity,
        window: Window::page(1, MOST),
    };
    let chats = state.services.chats.overviews(caller, query).await?;
    let sight = Sight::of(&state, caller).await?;
    let shown: Vec<Chat<'_>> = chats.items.iter().map(|chat| Chat::new(chat, &sight)).collect();
    Ok(respond::json(StatusCode::OK, &shown))
}

/// A chat to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewChat {
    #[schema(value_type = bool, required = true)]
    #[serde(default)]
    is_group: Field<bool>,
    /// What the group is called; needed for a group, and of no meaning else.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[serde(default)]
    name: Field<String>,
    /// Who is in it; the caller is anyway, and repeats do not matter. For a direct chat, one other user.
    #[schema(value_type = Vec<Id>, required = true)]
    #[serde(default)]
    user_ids: Field<Vec<Value>>,
}

/// What a chat to be made is to be.
pub(crate) enum Wanted {
    Direct(Vec<UserId>),
    Group(ChatTitle, Vec<UserId>),
}

impl Input for NewChat {
    type Output = Wanted;

    fn parse(self, mut check: Check) -> Result<Wanted, Problem> {
        let group = check.required("isGroup", self.is_group, Ok::<_, &str>);
        let title = match group {
            Some(true) => check.required("name", self.name, by_ref(ChatTitle::new)),
            _ => None,
        };
        if self.user_ids.is_absent() {
            check.refuse("userIds", FieldCode::Required, "must be given");
        }
        let users = ids(&mut check, "userIds", self.user_ids);
        check.finish(match group {
            Some(true) => title.map(|title| Wanted::Group(title, users)),
            Some(false) => Some(Wanted::Direct(users)),
            None => None,
        })
    }
}

/// Start a chat
///
/// Of a direct chat there is never more than one between the same two: if it is there, it is the answer.
#[utoipa::path(
    post,
    path = "/api/chats",
    tag = "chats",
    operation_id = "create_chat",
    request_body = NewChat,
    responses(
        (status = 201, description = "The new chat", body = CreatedChat),
        (status = 200, description = "The direct chat, which was there", body = CreatedChat),
        NotFound
    )
)]
pub(crate) async fn create(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Body(wanted): Body<NewChat>,
) -> Result<HttpResponse, Problem> {
    let chats = &state.services.chats;
    let created = match wanted {
        Wanted::Direct(users) => {
            let other = other(caller, users)?;
            let command = CreateDirect { other, keyed: None };
            chats.create_direct(caller, command).await.map_err(no_direct)?
        }
        Wanted::Group(title, members) => {
            let command = CreateGroup {
                title,
                members,
                keyed: None,
            };
            chats.create_group(caller, command).await.map_err(no_group)?
        }
    };
    let creation = Creation::answered_by(|made: &repository::CreatedChat| {
        let status = if made.created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        stored(status, &CreatedChat::new(&made.view.chat))
    });
    creation.answer(created)
}

/// The one whom a direct chat is to be with.
fn other(caller: Caller, users: Vec<UserId>) -> Result<UserId, Problem> {
    let mut others: HashSet<UserId> = users.into_iter().collect();
    others.remove(&caller.user_id);
    let mut others = others.into_iter();
    match (others.next(), others.next()) {
        (Some(other), None) => Ok(other),
        _ => Err(Problem::new(Kind::Invalid, "a direct chat needs one other user")
            .worded("Un chat directo necesita exactamente otro usuario")),
    }
}

fn no_direct(error: CreateDirectError) -> Problem {
    let words = match &error {
        CreateDirectError::UserNotFound => Some("Usuario no encontrado"),
        CreateDirectError::Blocked => Some("No puedes chatear con este usuario"),
        _ => None,
    };
    said(error, words)
}

fn no_group(error: CreateGroupError) -> Problem {
    let words = match &error {
        CreateGroupError::UserNotFound(_) => Some("Usuario no encontrado"),
        CreateGroupError::TooManyMembers => Some("El grupo tiene demasiados miembros"),
        _ => None,
    };
    said(error, words)
}

fn said(error: impl Into<Problem>, words: Option<&'static str>) -> Problem {
    let problem = error.into();
    match words {
        Some(words) => problem.worded(words),
        None => problem,
    }
}

/// What a group is to be called.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewName {
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[serde(default)]
    name: Field<String>,
}

impl Input for NewName {
    type Output = ChatTitle;

    fn parse(self, mut check: Check) -> Result<ChatTitle, Problem> {
        let title = check.required("name", self.name, by_ref(ChatTitle::new));
        check.finish(title)
    }
}

/// Rename a group
///
/// Any member may. A direct chat has no name.
#[utoipa::path(
    put,
    path = "/api/chats/{chatId}",
    tag = "chats",
    operation_id = "rename_chat",
    params(("chatId" = Id, Path, description = "The chat")),
    request_body = NewName,
    responses((status = 200, description = "The name", body = Renamed))
)]
pub(crate) async fn rename(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Path(id): Path<ChatId>,
    Body(title): Body<NewName>,
) -> Result<HttpResponse, Problem> {
    match state.services.chats.rename(caller, id, title).await {
        Ok(view) => Ok(respond::json(StatusCode::OK, &Renamed::new(&view.chat))),
        Err(error) => {
            let problem = Problem::from(error);
            if problem.kind() == Kind::Invalid {
                return Err(problem.worded("Un chat directo no tiene nombre"));
            }
            Err(out_of_reach(&state, caller, id, problem).await)
        }
    }
}
