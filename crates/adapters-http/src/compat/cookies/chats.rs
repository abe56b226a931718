//! Chats, and who is in them.

use super::here::Here;
use super::session::Session;
use super::wire::{Chat, Chats, Done, Error, done};
use crate::HttpState;
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{Check, Field, Form, Input, Manage, Path, Query, Read, SameSite, State, by_ref, id};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use std::collections::HashSet;
use tertulia_application::chats::{
    AccessError, AddMember, CreateGroup, ListOverviews, RemoveMember, RemoveMemberError,
};
use tertulia_domain::repository::OverviewOrder;
use tertulia_domain::{Caller, ChatId, ChatTitle, MemberRole, Recorded, Username, Window};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/chats").get(list).post(create).delete(leave),
        Endpoint::new("/api/chats/{chat_id}/members").post(add_member),
    ]
}

/// What came of something in a chat: to an outsider 403, where the core says that there is no such chat.
pub(super) async fn told_apart<T, E: Into<Problem>>(
    state: &HttpState,
    caller: Caller,
    chat: ChatId,
    outcome: Result<T, E>,
) -> Result<T, Problem> {
    let problem = match outcome {
        Ok(value) => return Ok(value),
        Err(error) => error.into(),
    };
    if problem.kind() != Kind::NotFound {
        return Err(problem);
    }
    Err(match state.services.chats.chat(caller, chat).await {
        // Something else is not there.
        Ok(_) => problem,
        Err(AccessError::ChatNotFound) => not_a_member(state, caller, chat).await,
        Err(error) => error.into(),
    })
}

async fn not_a_member(state: &HttpState, caller: Caller, chat: ChatId) -> Problem {
    match state.services.chats.exists(caller, chat).await {
        Ok(true) => Problem::new(Kind::Forbidden, "you are not a member of this chat"),
        Ok(false) => Problem::new(Kind::NotFound, "no such chat"),
        Err(failure) => failure.into(),
    }
}

/// Reads an id that a query has to name.
pub(super) fn named<T: crate::extract::Segment>(name: &'static str, text: Option<&str>) -> Result<T, Problem> {
    let invalid = |code, message| Problem::new(Kind::Invalid, "").on(name, code, message);
    let text = text.ok_or_else(|| invalid(FieldCode::Required, "must be given"))?;
    id(text).map_err(|message| invalid(FieldCode::Invalid, message))
}

/// Get the user's chats
#[utoipa::path(
    get,
    path = "/api/chats",
    tag = "chats",
    operation_id = "list_chats",
    responses((status = 200, description = "All of them", body = Chats))
)]
pub(crate) async fn list(state: State, Session(caller, _): Session<Read>) -> Result<HttpResponse, Problem> {
    let mut overviews = Vec::new();
    // A chat that becomes active in between comes twice, or moves another one to the next page.
    let mut known = HashSet::new();
    for number in 1.. {
        let query = ListOverviews {
            all_to_admins: false,
            with: None,
            direct: false,
            members: false,
            order: OverviewOrder::Activity,
            window: Window::page(number, Window::MAX),
        };
        let page = state.services.chats.overviews(caller, query).await?;
        let full = page.items.len() == usize::from(Window::MAX);
        overviews.extend(page.items.into_iter().filter(|overview| known.insert(overview.chat.id)));
        if !full {
            break;
        }
    }
    let chats = overviews.iter().map(|overview| Chat::new(overview, caller.user_id));
    Ok(respond::json(StatusCode::OK, &Chats { chats: chats.collect() }))
}

/// What a chat is to be called.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Title {
    /// Free text on one line.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 200)]
    #[serde(default)]
    title: Field<String>,
}

impl Input for Title {
    type Output = ChatTitle;

    fn parse(self, mut check: Check) -> Result<ChatTitle, Problem> {
        let title = check.required("title", self.title, by_ref(ChatTitle::new));
        check.finish(title)
    }
}

/// Create a chat
///
/// The caller is its only member, and its owner.
#[utoipa::path(
    post,
    path = "/api/chats",
    tag = "chats",
    operation_id = "create_chat",
    request_body(content = Title, content_type = "application/x-www-form-urlencoded"),
    responses((
        status = 201,
        description = "It is there",
        body = Done,
        headers(("Location" = String, description = "The chat"))
    ))
)]
pub(crate) async fn create(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Manage>,
    here: Here,
    Form(title): Form<Title>,
) -> Result<HttpResponse, Problem> {
    let command = CreateGroup {
        title,
        members: Vec::new(),
        keyed: None,
    };
    let Recorded::Fresh(made) = state.services.chats.create_group(caller, command).await? else {
        return Err(Problem::internal("an answer was replayed unasked"));
    };
    let mut answer = done(StatusCode::CREATED);
    here.locate(&mut answer, &format!("/api/chats/{}", made.view.chat.id))?;
    Ok(answer)
}

/// Which chat to leave.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Left {
    /// The chat.
    #[param(value_type = Id, required = true)]
    chat_id: Option<String>,
}

/// Leave a chat
///
/// The last one to leave deletes it. A direct chat can't be left.
#[utoipa::path(
    delete,
    path = "/api/chats",
    tag = "chats",
    operation_id = "leave_chat",
    params(Left),
    responses(
        (status = 200, description = "The caller is out", body = Done),
        (status = 404, description = "No such chat", body = Error)
    )
)]
pub(crate) async fn leave(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Manage>,
    Query(query): Query<Left>,
) -> Result<HttpResponse, Problem> {
    let chat_id = named("chat_id", query.chat_id.as_deref())?;
    let command = RemoveMember {
        chat_id,
        user_id: caller.user_id,
    };
    match state.services.chats.remove_member(caller, command).await {
        Ok(_) => Ok(done(StatusCode::OK)),
        Err(RemoveMemberError::MemberNotFound | RemoveMemberError::Access(AccessError::ChatNotFound)) => {
            Err(not_a_member(&state, caller, chat_id).await)
        }
        Err(error @ RemoveMemberError::Access(AccessError::NotInDirectChats)) => {
            let text = "a direct chat can't be left: it always has the same two members";
            Err(Problem::from(error).worded(text))
        }
        Err(error) => Err(error.into()),
    }
}

/// Change a chat's title
///
/// Any member may. A direct chat has none.
#[utoipa::path(
    put,
    path = "/api/chats/{chat_id}",
    tag = "chats",
    operation_id = "rename_chat",
    params(("chat_id" = Id, Path, description = "The chat")),
    request_body(content = Title, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "It is called so", body = Done))
)]
pub(crate) async fn rename(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Manage>,
    Path(chat): Path<ChatId>,
    Form(title): Form<Title>,
) -> Result<HttpResponse, Problem> {
    let renamed = state.services.chats.rename(caller, chat, title).await;
    told_apart(&state, caller, chat, renamed).await?;
    Ok(done(StatusCode::OK))
}

/// Who is to be in a chat.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewMember {
    /// The username.
    #[schema(value_type = String, required = true)]
    #[serde(default)]
    name: Field<String>,
}

impl Input for NewMember {
    type Output = Option<Username>;

    fn parse(self, mut check: Check) -> Result<Option<Username>, Problem> {
        // A text that can be nobody's name is just that.
        let name = check.required("name", self.name, |text| Ok::<_, &str>(Username::new(text.trim()).ok()));
        check.finish(name)
    }
}

/// Add somebody to a chat
///
/// Its owner and admins may. Who is in it already stays in it.
#[utoipa::path(
    post,
    path = "/api/chats/{chat_id}/members",
    tag = "chats",
    operation_id = "add_member",
    params(("chat_id" = Id, Path, description = "The chat")),
    request_body(content = NewMember, content_type = "application/x-www-form-urlencoded"),
    responses((status = 201, description = "They are in", body = Done))
)]
pub(crate) async fn add_member(
    state: State,
    _: SameSite,
    Session(caller, _): Session<Manage>,
    Path(chat_id): Path<ChatId>,
    Form(name): Form<NewMember>,
) -> Result<HttpResponse, Problem> {
    let added = add(&state, caller, chat_id, name).await;
    told_apart(&state, caller, chat_id, added).await?;
    Ok(done(StatusCode::CREATED))
}

async fn add(state: &HttpState, caller: Caller, chat_id: ChatId, name: Option<Username>) -> Result<(), Problem> {
    let name = name.ok_or_else(|| Problem::new(Kind::NotFound, "no such user"))?;
    let user = state.services.accounts.user_by_name(&name).await?;
    let command = AddMember {
        chat_id,
        user_id: user.id,
        role: MemberRole::Member,
        keyed: None,
    };
    state.services.chats.add_member(caller, command).await?;
    Ok(())
}
