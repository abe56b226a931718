//! Chats.

use super::note::{NewLastMessage, note};
use super::path::{OfChat, OfUser};
use super::wire::{Asked, Chat, ChatPage, Enveloped, Failure, PageQuery, done, ok};
use super::words::{self, worded};
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Body, Check, Field, Input, Manage, Query, Read, State, Write, id};
use crate::problem::{FieldCode, Kind, Problem};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use tertulia_application::account::FindUserError;
use tertulia_application::chats::{
    AccessError, CreateByMembers, CreateByMembersError, ListOverviews, ReplaceMembers, ReplaceMembersError,
    SetNoteError,
};
use tertulia_domain::repository::OverviewOrder;
use tertulia_domain::{Caller, Note, UserId};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/chats").get(list).post(create),
        Endpoint::new("/api/chats/user/{userId}").get(list_of_user),
        Endpoint::new("/api/chats/{id}").get(show).put(update).delete(delete),
        Endpoint::new("/api/chats/{id}/last-message").patch(set_last_message),
    ]
}

/// Items of a page unless something else is asked for.
const PAGE: u16 = 10;

/// Which chats to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct UserQuery {
    /// Only those that this user takes part in as well.
    #[serde(rename = "userId")]
    #[param(value_type = Option<Id>)]
    user_id: Option<String>,
}

/// List one's chats
///
/// The last changed first.
#[utoipa::path(
    get,
    path = "/api/chats",
    tag = "chats",
    operation_id = "list_chats",
    params(PageQuery, UserQuery),
    responses((status = 200, description = "A page of chats", body = Enveloped<ChatPage>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Query(page): Query<PageQuery>,
    Query(query): Query<UserQuery>,
) -> Result<HttpResponse, Problem> {
    let given = query.user_id.as_deref().filter(|text| !text.is_empty());
    let with = given.map(id).transpose();
    let with = with.map_err(|message| Problem::new(Kind::Invalid, "").on("userId", FieldCode::Invalid, message))?;
    page_of_chats(&state, caller, with, &page).await
}

/// List the chats that one has together with somebody
///
/// The last changed first; all of one's own by one's own id.
#[utoipa::path(
    get,
    path = "/api/chats/user/{userId}",
    tag = "chats",
    operation_id = "list_chats_of_user",
    params(("userId" = Id, Path, description = "The user"), PageQuery),
    responses((status = 200, description = "A page of chats", body = Enveloped<ChatPage>))
)]
pub(crate) async fn list_of_user(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    OfUser(id): OfUser,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.user(id).await.map_err(user_not_found)?;
    page_of_chats(&state, caller, Some(id), &page).await
}

async fn page_of_chats(
    state: &State,
    caller: Caller,
    with: Option<UserId>,
    page: &PageQuery,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::new(page, PAGE);
    let query = ListOverviews {
        all_to_admins: true,
        with,
        direct: false,
        members: true,
        order: OverviewOrder::Change,
        window: asked.window(),
    };
    let list = state.services.chats.overviews(caller, query).await?;
    Ok(ok(ChatPage {
        chats: list.items.iter().map(Chat::from).collect(),
        pagination: asked.of(&list),
    }))
}

/// Get a chat
#[utoipa::path(
    get,
    path = "/api/chats/{id}",
    tag = "chats",
    operation_id = "get_chat",
    params(("id" = Id, Path, description = "The chat")),
    responses((status = 200, description = "The chat", body = Enveloped<Chat>))
)]
pub(crate) async fn show(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    OfChat(id): OfChat,
) -> Result<HttpResponse, Problem> {
    let overview = state.services.chats.overview(caller, id).await.map_err(no_access)?;
    Ok(ok(Chat::from(&overview)))
}

/// A chat to be had.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewChat {
    /// Users, the caller among them. Repeats and order make no difference.
    #[schema(value_type = Vec<Id>, required = true, min_items = 2)]
    #[serde(default)]
    participants: Field<Vec<Value>>,
    /// Only taken if the chat is made.
    #[schema(value_type = Option<NewLastMessage>)]
    #[serde(default)]
    last_message: Field<Map<String, Value>>,
}

impl Input for NewChat {
    type Output = CreateByMembers;

    fn parse(self, mut check: Check) -> Result<CreateByMembers, Problem> {
        let Field::Given(participants) = self.participants else {
            return Err(invalid(words::NO_PARTICIPANTS));
        };
        let members = members(&participants);
        let note = note(&mut check, self.last_message);
        check.finish(Some(()))?;
        Ok(CreateByMembers {
            members: members?,
            note,
        })
    }
}

/// The users of a list. One that is no id at all is nobody's.
fn members(list: &[Value]) -> Result<Vec<UserId>, Problem> {
    let ids = list.iter().map(|value| UserId::parse(value.as_str()?));
    match ids.collect() {
        Some(ids) => Ok(ids),
        None if list.iter().all(|value| value == &list[0]) => Err(invalid(words::TOO_FEW)),
        None => Err(Problem::new(Kind::NotFound, "").worded(words::UNKNOWN_PARTICIPANT)),
    }
}

/// Get the chat of certain users, making it if there is none
///
/// Of two it is their direct chat, of more a group.
#[utoipa::path(
    post,
    path = "/api/chats",
    tag = "chats",
    operation_id = "create_chat",
    request_body = NewChat,
    responses(
        (status = 201, description = "The chat, which is new", body = Enveloped<Chat>),
        (status = 200, description = "The chat, which was there", body = Enveloped<Chat>),
        (status = 404, description = "A participant does not exist", body = Failure)
    )
)]
pub(crate) async fn create(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Body(command): Body<NewChat>,
) -> Result<HttpResponse, Problem> {
    let made = state.services.chats.create_by_members(caller, command).await;
    let made = made.map_err(not_created)?;
    let (status, message) = if made.created {
        (StatusCode::CREATED, "Chat creado exitosamente")
    } else {
        (StatusCode::OK, "Chat ya existe")
    };
    Ok(done(status, message, Chat::from(&made.overview)))
}

/// What of a chat to change.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChatChange {
    /// Everybody who is to be in it.
    #[schema(value_type = Option<Vec<Id>>, min_items = 2)]
    #[serde(default)]
    participants: Field<Vec<Value>>,
    #[schema(value_type = Option<NewLastMessage>)]
    #[serde(default)]
    last_message: Field<Map<String, Value>>,
}

/// What was made of it: one of them is there.
pub(crate) enum Change {
    Members(Vec<UserId>, Option<Note>),
    Note(Note),
}

impl Input for ChatChange {
    type Output = Change;

    fn parse(self, mut check: Check) -> Result<Change, Problem> {
        let members = match self.participants {
            Field::Given(participants) => Some(members(&participants)),
            Field::WrongType => return Err(invalid(words::NO_PARTICIPANTS)),
            Field::Missing | Field::Null => None,
        };
        let note = note(&mut check, self.last_message);
        check.finish(Some(()))?;
        match (members.transpose()?, note) {
            (Some(members), note) => Ok(Change::Members(members, note)),
            (None, Some(note)) => Ok(Change::Note(note)),
            (None, None) => Err(invalid(words::NOTHING_TO_CHANGE)),
        }
    }
}

/// Replace a chat's participants, its last message, or both
///
/// The participants: either party of a direct chat, or the owner or an admin of a group. The last message alone: any
/// participant. A direct chat that gets a third participant becomes a group.
#[utoipa::path(
    put,
    path = "/api/chats/{id}",
    tag = "chats",
    operation_id = "update_chat",
    params(("id" = Id, Path, description = "The chat")),
    request_body = ChatChange,
    responses(
        (status = 200, description = "The chat", body = Enveloped<Chat>),
        (status = 409, description = "Another chat has these participants", body = Failure)
    )
)]
pub(crate) async fn update(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    OfChat(chat_id): OfChat,
    Body(change): Body<ChatChange>,
) -> Result<HttpResponse, Problem> {
    let chats = &state.services.chats;
    let overview = match change {
        Change::Members(members, note) => {
            let command = ReplaceMembers { chat_id, members, note };
            chats.replace_members(caller, command).await.map_err(not_replaced)?
        }
        Change::Note(note) => chats.set_note(caller, chat_id, note).await.map_err(not_set)?,
    };
    Ok(done(
        StatusCode::OK,
        "Chat actualizado exitosamente",
        Chat::from(&overview),
    ))
}

/// What a chat's last message is to be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LastMessageChange {
    #[schema(value_type = NewLastMessage, required = true)]
    #[serde(default)]
    last_message: Field<Map<String, Value>>,
}

impl Input for LastMessageChange {
    type Output = Note;

    fn parse(self, mut check: Check) -> Result<Note, Problem> {
        if self.last_message.is_absent() {
            return Err(invalid(words::NO_LAST_MESSAGE));
        }
        let note = note(&mut check, self.last_message);
        check.finish(note)
    }
}

/// Set a chat's last message
///
/// Until a message is sent there.
#[utoipa::path(
    patch,
    path = "/api/chats/{id}/last-message",
    tag = "chats",
    operation_id = "set_last_message",
    params(("id" = Id, Path, description = "The chat")),
    request_body = LastMessageChange,
    responses((status = 200, description = "The chat", body = Enveloped<Chat>))
)]
pub(crate) async fn set_last_message(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    OfChat(id): OfChat,
    Body(note): Body<LastMessageChange>,
) -> Result<HttpResponse, Problem> {
    let overview = state.services.chats.set_note(caller, id, note).await.map_err(not_set)?;
    Ok(done(
        StatusCode::OK,
        "Último mensaje actualizado exitosamente",
        Chat::from(&overview),
    ))
}

/// Delete a chat
///
/// With everything in it, for everyone: a group's owner, or either party of a direct chat.
#[utoipa::path(
    delete,
    path = "/api/chats/{id}",
    tag = "chats",
    operation_id = "delete_chat",
    params(("id" = Id, Path, description = "The chat")),
    responses((status = 200, description = "The chat as it was", body = Enveloped<Chat>))
)]
pub(crate) async fn delete(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    OfChat(id): OfChat,
) -> Result<HttpResponse, Problem> {
    let chats = &state.services.chats;
    let overview = chats.overview(caller, id).await.map_err(no_access)?;
    chats.delete(caller, id).await.map_err(no_access)?;
    Ok(done(
        StatusCode::OK,
        "Chat eliminado exitosamente",
        Chat::from(&overview),
    ))
}

fn invalid(words: &'static str) -> Problem {
    Problem::new(Kind::Invalid, "").worded(words)
}

pub(super) fn user_not_found(error: FindUserError) -> Problem {
    let words = matches!(error, FindUserError::NotFound).then_some(words::USER_NOT_FOUND);
    worded(error, words)
}

fn no_access(error: AccessError) -> Problem {
    let words = matches!(error, AccessError::ChatNotFound).then_some(words::CHAT_NOT_FOUND);
    worded(error, words)
}

fn not_created(error: CreateByMembersError) -> Problem {
    use CreateByMembersError as E;
    let words = match &error {
        E::TooFew => Some(words::TOO_FEW),
        E::TooMany => Some(words::TOO_MANY),
        E::UserNotFound => Some(words::UNKNOWN_PARTICIPANT),
        E::NotAmong => Some(words::NOT_AMONG),
        E::SenderNotAmong => Some(words::SENDER_NOT_AMONG),
        E::Blocked => Some(words::BLOCKED),
        E::Failed(_) => None,
    };
    worded(error, words)
}

fn not_replaced(error: ReplaceMembersError) -> Problem {
    use ReplaceMembersError as E;
    let words = match error {
        E::Access(error) => return no_access(error),
        E::TooFew => words::TOO_FEW,
        E::TooMany => words::TOO_MANY,
        E::UserNotFound => words::UNKNOWN_PARTICIPANT,
        E::SenderNotAmong => words::SENDER_NOT_AMONG,
        E::SetTaken => words::SET_TAKEN,
        E::Blocked => words::BLOCKED,
    };
    worded(error, Some(words))
}

fn not_set(error: SetNoteError) -> Problem {
    match error {
        SetNoteError::Access(error) => no_access(error),
        SetNoteError::SenderNotAmong => worded(error, Some(words::SENDER_NOT_AMONG)),
    }
}
