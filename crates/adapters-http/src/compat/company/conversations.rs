//! Conversations of two.

use super::pages::Pages;
use super::users::nobody;
use super::wire::Conversation;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Base, Body, Check, Field, Input, Manage, Query, Read, State};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::account::FindUserError;
use tertulia_application::chats::{CreateDirect, ListOverviews};
use tertulia_domain::Recorded;
use tertulia_domain::repository::OverviewOrder;
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/api/conversations").post(create).get(list)]
}

/// A conversation that is wanted.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewConversation {
    /// The user to talk to. Also known as `recipient_id`.
    #[schema(value_type = i64, required = true)]
    #[serde(default)]
    recipient: Field<i64>,
    #[schema(ignore)]
    #[serde(default)]
    recipient_id: Field<i64>,
}

impl Input for NewConversation {
    type Output = i64;

    fn parse(self, mut check: Check) -> Result<i64, Problem> {
        let given = if self.recipient.is_absent() {
            self.recipient_id
        } else {
            self.recipient
        };
        let recipient = check.required("recipient", given, Ok::<_, &str>);
        check.finish(recipient)
    }
}

/// Begin a conversation
///
/// There is one between any two users, whoever of them began it.
#[utoipa::path(
    post,
    path = "/api/conversations",
    tag = "conversations",
    operation_id = "create_conversation",
    request_body = NewConversation,
    responses(
        (status = 201, description = "The conversation", body = Conversation),
        (status = 200, description = "The conversation that was there already", body = Conversation)
    )
)]
pub(crate) async fn create(
    state: State,
    Authenticated(caller, _): Authenticated<Manage>,
    Body(recipient): Body<NewConversation>,
) -> Result<HttpResponse, Problem> {
    let other = state.services.accounts.user_by_number(recipient).await;
    let other = other.map_err(|error| match error {
        FindUserError::NotFound => nobody("recipient"),
        failed @ FindUserError::Failed(_) => failed.into(),
    })?;
    let command = CreateDirect {
        other: other.id,
        keyed: None,
    };
    let Recorded::Fresh(chat) = state.services.chats.create_direct(caller, command).await? else {
        return Err(Problem::internal("an answer was replayed that nobody asked for"));
    };
    let status = if chat.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(respond::json(
        status,
        &Conversation::new(&chat.view.chat, chat.view.blocked),
    ))
}

/// Which conversations to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConversationQuery {
    /// Which page.
    #[param(value_type = Option<u32>, minimum = 1, default = 1)]
    page: Option<String>,
    /// Conversations at the most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<String>,
}

/// List one's conversations
///
/// The most recently active first.
#[utoipa::path(
    get,
    path = "/api/conversations",
    tag = "conversations",
    operation_id = "list_conversations",
    params(ConversationQuery),
    responses((
        status = 200,
        description = "Conversations",
        body = Vec<Conversation>,
        headers(("Link" = String, description = "With `rel=\"next\"`: where the list goes on, if it does"))
    ))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Base(base): Base,
    Query(query): Query<ConversationQuery>,
) -> Result<HttpResponse, Problem> {
    let pages = Pages::new(query.page.as_deref(), query.limit.as_deref());
    let list = ListOverviews {
        all_to_admins: false,
        with: None,
        direct: true,
        members: false,
        order: OverviewOrder::Activity,
        window: pages.window(),
    };
    let chats = state.services.chats.overviews(caller, list).await?;
    let shown = chats.items.iter();
    let shown: Vec<Conversation> = shown.map(|item| Conversation::new(&item.chat, item.blocked)).collect();
    pages.answer(&shown, chats.total, &format!("{base}/api/conversations?"))
}
