//! Conversations of two, and what is said in them.

use super::pages::{Page, Pagination};
use super::wire::User;
use crate::compat::messages::text;
use crate::dto::{Id, Time};
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Query, Read, State, refused};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tertulia_application::chats::{AccessError, ListOverviews};
use tertulia_domain::repository::{OverviewOrder, VisibleMessages};
use tertulia_domain::{self as domain, Caller, ChatOverview, Counted, UserId};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/api/conversations").get(list)]
}

/// Which conversations to list, or which messages of one.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ConversationQuery {
    /// Which page.
    #[param(value_type = Option<u32>, minimum = 1, default = 1)]
    page: Option<String>,
    /// Items at the most.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100, default = 30)]
    page_size: Option<String>,
    /// The user whose conversation with the caller to show.
    #[param(value_type = Option<i64>)]
    partner_id: Option<String>,
}

impl ConversationQuery {
    fn partner(&self) -> Result<Option<i64>, Problem> {
        let given = self.partner_id.as_deref().filter(|text| !text.is_empty());
        let parse = |text: &str| text.parse().map_err(|_| refused(&["partner_id"], "must be a number"));
        given.map(parse).transpose()
    }
}

/// A conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct Conversation<'a> {
    id: i64,
    /// The other party.
    user: User<'a>,
    /// The newest message; empty if it is nothing but files, null if there is none.
    #[schema(required = true)]
    last_message: Option<&'a str>,
    #[schema(required = true)]
    last_message_time: Option<Time>,
    #[schema(minimum = 0)]
    unread_count: i64,
}

impl<'a> Conversation<'a> {
    fn new(chat: &'a ChatOverview, viewer: UserId) -> Option<Self> {
        let last = chat.last_message.as_ref();
        Some(Self {
            id: chat.chat.number,
            user: User::new(&chat.other(viewer)?.user),
            last_message: last.map(text),
            last_message_time: last.map(|message| message.created_at.into()),
            unread_count: chat.unread(viewer),
        })
    }
}

/// A page of conversations.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConversationPage<'a> {
    conversations: Vec<Conversation<'a>>,
    pagination: Pagination,
    #[schema(minimum = 0)]
    total_pages: i64,
    #[schema(value_type = i64, minimum = 1)]
    current_page: u32,
    #[schema(minimum = 1, maximum = 100)]
    page_size: u16,
}

/// A message of a conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Said<'a> {
    #[serde(rename = "ID")]
    id: Id,
    #[serde(rename = "SenderID")]
    sender_id: i64,
    #[serde(rename = "ReceiverID")]
    receiver_id: i64,
    /// Empty for a message that is nothing but files.
    content: &'a str,
    timestamp: Time,
    sender: User<'a>,
    receiver: User<'a>,
}

/// A page of a conversation's messages.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessagePage<'a> {
    /// The caller and the other party.
    #[schema(value_type = Vec<User>, min_items = 2, max_items = 2)]
    users: [User<'a>; 2],
    conversations: Vec<Said<'a>>,
    #[schema(minimum = 0)]
    total_pages: i64,
    #[schema(value_type = i64, minimum = 1)]
    current_page: u32,
    #[schema(minimum = 1, maximum = 100)]
    page_size: u16,
}

/// What there is.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ConversationsOrMessages<'a> {
    /// Without a partner.
    Listed(ConversationPage<'a>),
    /// With a partner.
    Exchanged(MessagePage<'a>),
}

/// List one's conversations, or the messages of one of them
///
/// The most recently active conversation first. With `partner_id` the messages exchanged with that user, oldest first.
#[utoipa::path(
    get,
    path = "/api/conversations",
    tag = "conversations",
    operation_id = "list_conversations",
    params(ConversationQuery),
    responses(
        (status = 200, description = "A page of conversations, or of messages", body = ConversationsOrMessages),
        (status = 404, description = "There is no such partner", body = super::Message)
    )
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Query(query): Query<ConversationQuery>,
) -> Result<HttpResponse, Problem> {
    let page = Page::new(query.page.as_deref(), query.page_size.as_deref());
    match query.partner()? {
        Some(partner) => exchanged(&state, caller, partner, page).await,
        None => conversations(&state, caller, page).await,
    }
}

async fn conversations(state: &State, caller: Caller, page: Page) -> Result<HttpResponse, Problem> {
    let list = ListOverviews {
        all_to_admins: false,
        with: None,
        direct: true,
        members: false,
        order: OverviewOrder::Activity,
        window: page.window(),
    };
    let chats = state.services.chats.overviews(caller, list).await?;
    let shown = chats.items.iter();
    let pagination = page.of(chats.total);
    let answer = ConversationPage {
        conversations: shown
            .filter_map(|chat| Conversation::new(chat, caller.user_id))
            .collect(),
        pagination,
        total_pages: pagination.total_pages,
        current_page: pagination.current_page,
        page_size: pagination.page_size,
    };
    Ok(respond::json(StatusCode::OK, &ConversationsOrMessages::Listed(answer)))
}

async fn exchanged(state: &State, caller: Caller, partner: i64, page: Page) -> Result<HttpResponse, Problem> {
    let accounts = &state.services.accounts;
    let partner = accounts.user_by_number(partner).await?;
    let oneself = accounts.user(caller.user_id).await?;
    let messages = messages_with(state, caller, partner.id, page).await?;
    let mut others = HashMap::new();
    // Whoever said something when the chat was still a group.
    for message in &messages.items {
        let id = message.sender.id;
        if id != caller.user_id && id != partner.id && !others.contains_key(&id) {
            others.insert(id, accounts.user_ever(id).await?);
        }
    }
    let (own, theirs) = (User::new(&oneself), User::new(&partner));
    let said = messages.items.iter().map(|message| {
        let id = message.sender.id;
        let (sender, receiver) = if id == caller.user_id {
            (own, theirs)
        } else {
            (others.get(&id).map_or(theirs, User::new), own)
        };
        Said {
            id: message.id.into(),
            sender_id: sender.id,
            receiver_id: receiver.id,
            content: text(message),
            timestamp: message.created_at.into(),
            sender,
            receiver,
        }
    });
    let pagination = page.of(messages.total);
    let answer = MessagePage {
        users: [own, theirs],
        conversations: said.collect(),
        total_pages: pagination.total_pages,
        current_page: pagination.current_page,
        page_size: pagination.page_size,
    };
    Ok(respond::json(
        StatusCode::OK,
        &ConversationsOrMessages::Exchanged(answer),
    ))
}

/// The messages exchanged with somebody; none if there is no chat.
async fn messages_with(
    state: &State,
    caller: Caller,
    partner: UserId,
    page: Page,
) -> Result<Counted<domain::Message>, Problem> {
    let chats = &state.services.chats;
    let none = Counted {
        items: Vec::new(),
        total: 0,
    };
    let Some(chat) = chats.direct_with(caller, partner).await? else {
        return Ok(none);
    };
    let which = VisibleMessages::Oldest(page.window());
    match chats.visible_messages(caller, chat, which).await {
        Ok(messages) => Ok(messages),
        // It was deleted meanwhile.
        Err(AccessError::ChatNotFound) => Ok(none),
        Err(error) => Err(error.into()),
    }
}
