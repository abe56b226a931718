use super::{FileForm, PageQuery};
use crate::creation::{Creation, stored};
use crate::docs::responses::{Forbidden, NotFound, Retryable};
use crate::dto::{Chat, ChatKind, Id, List, ReadState, Sight};
use crate::endpoint::Endpoint;
use crate::extract::{
    Authenticated, Body, Check, Claimed, Field, Input, KeyedBody, Manage, ManageFile, Parts, Path, Query, Read, State,
    Write, by_ref, id, ids,
};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tertulia_application::chats::{CreateDirect, CreateGroup};
use tertulia_domain::repository::CreatedChat;
use tertulia_domain::{ChatId, ChatTitle, Seq, UserId};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/chats").get(list).post(create),
        Endpoint::new("/chats/{id}").get(show).patch(rename).delete(delete),
        Endpoint::new("/chats/{id}/read").put(mark_read),
        Endpoint::new("/chats/{id}/avatar").put(set_avatar),
    ]
}

/// A chat to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewChat {
    #[schema(value_type = ChatKind, required = true)]
    #[serde(default)]
    kind: Field<String>,
    /// The other party; needed for a direct chat.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    user_id: Field<String>,
    /// What the group is called; needed for a group.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[serde(default)]
    title: Field<String>,
    /// The first members besides the caller; repeats do not matter.
    #[schema(value_type = Option<Vec<Id>>, max_items = 1000)]
    #[serde(default)]
    user_ids: Field<Vec<Value>>,
}

/// What a chat to be made is to be.
pub(crate) enum Wanted {
    Direct(UserId),
    Group(ChatTitle, Vec<UserId>),
}

impl Input for NewChat {
    type Output = Wanted;

    fn parse(self, mut check: Check) -> Result<Wanted, Problem> {
        let kind = check.required("kind", self.kind, |kind| match kind.as_str() {
            "direct" => Ok(ChatKind::Direct),
            "group" => Ok(ChatKind::Group),
            _ => Err("must be direct or group"),
        });
        let wanted = match kind {
            Some(ChatKind::Direct) => check.required("user_id", self.user_id, by_ref(id)).map(Wanted::Direct),
            Some(ChatKind::Group) => {
                let title = check.required("title", self.title, by_ref(ChatTitle::new));
                let members = ids(&mut check, "user_ids", self.user_ids);
                title.map(|title| Wanted::Group(title, members))
            }
            None => {
                // What is there can be looked at nevertheless.
                check.optional::<_, UserId, _>("user_id", self.user_id, by_ref(id));
                check.optional("title", self.title, by_ref(ChatTitle::new));
                ids::<UserId>(&mut check, "user_ids", self.user_ids);
                None
            }
        };
        check.finish(wanted)
    }
}

/// Start a chat
///
/// A group is made, and owned by the caller. Of a direct chat there is never more than one between the same two: if it is
/// there, it is the answer.
#[utoipa::path(
    post,
    path = "/chats",
    tag = "chats",
    operation_id = "create_chat",
    params(Retryable),
    request_body = NewChat,
    responses(
        (status = 201, description = "The new chat", body = Chat),
        (status = 200, description = "The direct chat, which was there", body = Chat),
        NotFound
    )
)]
pub(crate) async fn create(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    KeyedBody { input, key }: KeyedBody<NewChat>,
) -> Result<HttpResponse, Problem> {
    let chats = &state.services.chats;
    let creation = creation(Sight::of(&state, caller).await?);
    let keyed = creation.keyed(key);
    let created = match input {
        Wanted::Direct(other) => chats.create_direct(caller, CreateDirect { other, keyed }).await?,
        Wanted::Group(title, members) => {
            let command = CreateGroup { title, members, keyed };
            chats.create_group(caller, command).await?
        }
    };
    creation.answer(created)
}

fn creation(sight: Sight) -> Creation<CreatedChat> {
    Creation::answered_by(move |made: &CreatedChat| {
        let status = if made.created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        stored(status, &Chat::single(&made.view, &sight))
    })
}

/// List one's chats
///
/// Most recently active first. A chat that becomes active during a walk may be missed by that walk, and is never
/// repeated.
#[utoipa::path(
    get,
    path = "/chats",
    tag = "chats",
    operation_id = "list_chats",
    params(PageQuery),
    responses((status = 200, description = "A page of chats", body = List<Chat>))
)]
pub(crate) async fn list(
    state: State,
    Claimed(session, _): Claimed<Read>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let after = query.cursor()?;
    let limit = query.limit()?;
    let page = state.services.chats.list(session, after, limit).await?;
    // A list shows no users but the two of direct chats, and says of those itself whether there is a block.
    let sight = Sight::unblocked(&state, session.user_id);
    let list = List::of(&page, |view| Chat::listed(view, &sight));
    Ok(respond::json(StatusCode::OK, &list))
}

/// Get a chat
#[utoipa::path(
    get,
    path = "/chats/{id}",
    tag = "chats",
    operation_id = "get_chat",
    params(("id" = Id, Path, description = "The chat")),
    responses((status = 200, description = "The chat", body = Chat))
)]
pub(crate) async fn show(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Path(id): Path<ChatId>,
) -> Result<HttpResponse, Problem> {
    let view = state.services.chats.chat(caller, id).await?;
    let sight = Sight::of_members(&state, caller, &view.members).await?;
    Ok(respond::json(StatusCode::OK, &Chat::single(&view, &sight)))
}

/// What to change of a chat.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ChatChange {
    /// What the group is called.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200)]
    #[serde(default)]
    title: Field<String>,
}

impl Input for ChatChange {
    type Output = Option<ChatTitle>;

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        let title = match self.title {
            Field::Missing => Some(None),
            sent => check.required("title", sent, by_ref(ChatTitle::new)).map(Some),
        };
        check.finish(title)
    }
}

/// Rename a group
///
/// Any member may. A direct chat has no title.
#[utoipa::path(
    patch,
    path = "/chats/{id}",
    tag = "chats",
    operation_id = "update_chat",
    params(("id" = Id, Path, description = "The chat")),
    request_body = ChatChange,
    responses((status = 200, description = "The chat", body = Chat))
)]
pub(crate) async fn rename(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Path(id): Path<ChatId>,
    Body(title): Body<ChatChange>,
) -> Result<HttpResponse, Problem> {
    let chats = &state.services.chats;
    let view = match title {
        Some(title) => chats.rename(caller, id, title).await?,
        None => chats.chat(caller, id).await?,
    };
    let sight = Sight::of_members(&state, caller, &view.members).await?;
    Ok(respond::json(StatusCode::OK, &Chat::single(&view, &sight)))
}

/// Give a group an avatar
///
/// Any member may. A direct chat has none of its own.
#[utoipa::path(
    put,
    path = "/chats/{id}/avatar",
    tag = "chats",
    operation_id = "set_chat_avatar",
    params(("id" = Id, Path, description = "The chat")),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 200, description = "The chat", body = Chat))
)]
pub(crate) async fn set_avatar(
    state: State,
    Authenticated(caller, _): Authenticated<ManageFile>,
    Path(id): Path<ChatId>,
    mut parts: Parts,
) -> Result<HttpResponse, Problem> {
    let chats = &state.services.chats;
    chats.may_set_avatar(caller, id).await?;
    let file = parts.upload(&state.services.files, caller).await?;
    let view = chats.set_avatar(caller, id, &file).await?;
    let sight = Sight::of_members(&state, caller, &view.members).await?;
    Ok(respond::json(StatusCode::OK, &Chat::single(&view, &sight)))
}

/// Delete a chat
///
/// With everything in it, for everyone. The owner of a group may, and either party of a direct chat.
#[utoipa::path(
    delete,
    path = "/chats/{id}",
    tag = "chats",
    operation_id = "delete_chat",
    params(("id" = Id, Path, description = "The chat")),
    responses((status = 204, description = "Deleted"), Forbidden)
)]
pub(crate) async fn delete(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Path(id): Path<ChatId>,
) -> Result<HttpResponse, Problem> {
    state.services.chats.delete(caller, id).await?;
    Ok(respond::no_content())
}

/// How far the caller has read.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ReadMark {
    /// The `seq` of the last message that was read.
    #[schema(value_type = i64, required = true, minimum = 0)]
    #[serde(default)]
    seq: Field<i64>,
}

impl Input for ReadMark {
    type Output = Seq;

    fn parse(self, mut check: Check) -> Result<Seq, Problem> {
        let seq = check.required("seq", self.seq, |seq| Seq::new(seq).ok_or("must not be negative"));
        check.finish(seq)
    }
}

/// Mark messages as read
///
/// Everything up to `seq`, or to the newest message if that comes first. The mark never moves back.
#[utoipa::path(
    put,
    path = "/chats/{id}/read",
    tag = "chats",
    operation_id = "mark_read",
    params(("id" = Id, Path, description = "The chat")),
    request_body = ReadMark,
    responses((status = 200, description = "How far the caller has read", body = ReadState))
)]
pub(crate) async fn mark_read(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    Path(id): Path<ChatId>,
    Body(seq): Body<ReadMark>,
) -> Result<HttpResponse, Problem> {
    let read = state.services.chats.mark_read(caller, id, seq).await?;
    Ok(respond::json(StatusCode::OK, &ReadState::from(read)))
}
