use super::PageQuery;
use crate::creation::{Creation, stored};
use crate::docs::responses::{Conflict, Forbidden, Invalid, NotFound, Retryable};
use crate::dto::{self, Id, List, Member, Sight};
use crate::endpoint::Endpoint;
use crate::extract::{
    Authenticated, Body, Check, Field, Input, KeyedBody, Manage, Path, Query, Read, State, by_ref, id,
};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::chats::{AddMember, ChangeRole, ListMembers, RemoveMember};
use tertulia_domain::repository;
use tertulia_domain::{ChatId, MemberRole, UserId};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/chats/{id}/members").get(list).post(add),
        Endpoint::new("/chats/{id}/members/{user_id}")
            .patch(change_role)
            .delete(remove),
    ]
}

fn role(text: &str) -> Result<MemberRole, &'static str> {
    MemberRole::parse(text).ok_or("must be owner, admin or member")
}

/// List a chat's members
///
/// Longest-standing first.
#[utoipa::path(
    get,
    path = "/chats/{id}/members",
    tag = "members",
    operation_id = "list_members",
    params(("id" = Id, Path, description = "The chat"), PageQuery),
    responses((status = 200, description = "A page of members", body = List<Member>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Path(chat_id): Path<ChatId>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let query = ListMembers {
        chat_id,
        after: query.cursor()?,
        limit: query.limit()?,
    };
    let page = state.services.chats.members(caller, query).await?;
    let sight = Sight::of_members(&state, caller, &page.items).await?;
    let list = List::of(&page, |member| Member::new(member, &sight));
    Ok(respond::json(StatusCode::OK, &list))
}

/// A user to be added.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewMember {
    /// Who.
    #[schema(value_type = Id, required = true)]
    #[serde(default)]
    user_id: Field<String>,
    /// As what: `member` when nothing is said, or `admin`.
    #[schema(value_type = Option<dto::MemberRole>)]
    #[serde(default)]
    role: Field<String>,
}

impl Input for NewMember {
    type Output = (UserId, MemberRole);

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        let user_id = check.required("user_id", self.user_id, by_ref(id));
        let role = check
            .optional("role", self.role, by_ref(role))
            .unwrap_or(MemberRole::Member);
        check.finish(user_id.map(|user_id| (user_id, role)))
    }
}

/// Add a member to a group
///
/// Its owner and its admins may; only the owner can add an admin. The new member may read the whole history and starts
/// with nothing unread.
#[utoipa::path(
    post,
    path = "/chats/{id}/members",
    tag = "members",
    operation_id = "add_member",
    params(("id" = Id, Path, description = "The chat"), Retryable),
    request_body = NewMember,
    responses(
        (status = 201, description = "The new member", body = Member),
        (status = 200, description = "The member, who was there, unchanged", body = Member),
        Forbidden,
        NotFound,
        Conflict
    )
)]
pub(crate) async fn add(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Path(chat_id): Path<ChatId>,
    KeyedBody { input, key }: KeyedBody<NewMember>,
) -> Result<HttpResponse, Problem> {
    let (user_id, role) = input;
    let creation = creation(Sight::of(&state, caller).await?);
    let command = AddMember {
        chat_id,
        user_id,
        role,
        keyed: creation.keyed(key),
    };
    let added = state.services.chats.add_member(caller, command).await?;
    creation.answer(added)
}

fn creation(sight: Sight) -> Creation<repository::AddMember> {
    Creation::answered_by(move |made: &repository::AddMember| {
        let status = if made.added {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        stored(status, &Member::new(&made.member, &sight))
    })
}

/// What a member is to be.
#[derive(Deserialize, ToSchema)]
pub(crate) struct RoleChange {
    /// To make somebody the owner makes the present owner an admin.
    #[schema(value_type = dto::MemberRole, required = true)]
    #[serde(default)]
    role: Field<String>,
}

impl Input for RoleChange {
    type Output = MemberRole;

    fn parse(self, mut check: Check) -> Result<MemberRole, Problem> {
        let role = check.required("role", self.role, by_ref(role));
        check.finish(role)
    }
}

/// Change a member's role
///
/// The owner may. The owner's own role changes only by making another member the owner.
#[utoipa::path(
    patch,
    path = "/chats/{id}/members/{user_id}",
    tag = "members",
    operation_id = "change_member_role",
    params(
        ("id" = Id, Path, description = "The chat"),
        ("user_id" = Id, Path, description = "The member")
    ),
    request_body = RoleChange,
    responses((status = 200, description = "The member", body = Member), Forbidden, Conflict)
)]
pub(crate) async fn change_role(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Path((chat_id, user_id)): Path<(ChatId, UserId)>,
    Body(role): Body<RoleChange>,
) -> Result<HttpResponse, Problem> {
    let command = ChangeRole { chat_id, user_id, role };
    let member = state.services.chats.change_role(caller, command).await?;
    let sight = Sight::of_members(&state, caller, std::slice::from_ref(&member)).await?;
    Ok(respond::json(StatusCode::OK, &Member::new(&member, &sight)))
}

/// Remove a member from a group, or leave it
///
/// Anybody may leave. Owner and admins may remove others, nobody the owner. An owner who leaves is followed by the
/// longest-standing admin, or else member; the last to leave deletes the chat.
#[utoipa::path(
    delete,
    path = "/chats/{id}/members/{user_id}",
    tag = "members",
    operation_id = "remove_member",
    params(
        ("id" = Id, Path, description = "The chat"),
        ("user_id" = Id, Path, description = "The member")
    ),
    responses((status = 204, description = "Removed"), Forbidden, Invalid)
)]
pub(crate) async fn remove(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Path((chat_id, user_id)): Path<(ChatId, UserId)>,
) -> Result<HttpResponse, Problem> {
    let command = RemoveMember { chat_id, user_id };
    state.services.chats.remove_member(caller, command).await?;
    Ok(respond::no_content())
}
