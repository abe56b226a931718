//! What is said in a conversation.

use super::pages::Pages;
use super::wire::Message;
use crate::compat::messages;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Base, Body, Check, Field, Input, Query, Read, State, Write, refused};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use tertulia_application::chats::AccessError;
use tertulia_application::messaging::SendMessageError;
use tertulia_domain::repository::VisibleMessages;
use tertulia_domain::{self as domain, Caller, ChatView, MessageBody, MessageDraft, UserId};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/api/messages").post(send).get(list)]
}

/// Which messages to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// The conversation. Also known as `conv_id`.
    #[param(value_type = i64, required = true)]
    conv: Option<String>,
    #[param(ignore)]
    conv_id: Option<String>,
    /// Which page; the first one has the newest messages.
    #[param(value_type = Option<u32>, minimum = 1, default = 1)]
    page: Option<String>,
    /// Messages at the most.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<String>,
}

impl MessageQuery {
    fn conversation(&self) -> Result<i64, Problem> {
        let Some(text) = self.conv.as_deref().or(self.conv_id.as_deref()) else {
            return Err(Problem::new(Kind::Invalid, "").on("conv", FieldCode::Required, ""));
        };
        text.parse()
            .map_err(|_| refused(&["conv"], "must be a whole number of at most 64 bits"))
    }
}

/// List a conversation's messages
///
/// The newest ones, oldest first. There are none where one has no conversation.
#[utoipa::path(
    get,
    path = "/api/messages",
    tag = "messages",
    operation_id = "list_messages",
    params(MessageQuery),
    responses((
        status = 200,
        description = "Messages",
        body = Vec<Message>,
        headers(("Link" = String, description = "With `rel=\"next\"`: where older messages are, if there are any"))
    ))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Base(base): Base,
    Query(query): Query<MessageQuery>,
) -> Result<HttpResponse, Problem> {
    let number = query.conversation()?;
    let pages = Pages::new(query.page.as_deref(), query.limit.as_deref());
    let address = format!("{base}/api/messages?conv={number}&");
    let none: [Message; 0] = [];
    let nothing = || pages.answer(&none, 0, &address);
    let Some(view) = conversation(&state, caller, number).await? else {
        return nothing();
    };
    let which = VisibleMessages::Newest(pages.window());
    let found = state.services.chats.visible_messages(caller, view.chat.id, which).await;
    let messages = match found {
        Ok(messages) => messages,
        Err(AccessError::ChatNotFound) => return nothing(),
        Err(error) => return Err(error.into()),
    };
    let senders = senders(&state, &view, &messages.items).await?;
    let shown = messages.items.iter().rev().filter_map(|message| {
        let sender = senders.get(&message.sender.id)?;
        Some(Message::new(message, number, *sender))
    });
    pages.answer(&shown.collect::<Vec<_>>(), messages.total, &address)
}

/// The direct chat of that number, if the caller may see it.
async fn conversation(state: &State, caller: Caller, number: i64) -> Result<Option<ChatView>, Problem> {
    let chats = &state.services.chats;
    let Some(id) = chats.chat_of_number(number).await? else {
        return Ok(None);
    };
    match chats.chat(caller, id).await {
        Ok(view) => Ok(Some(view).filter(|view| !view.chat.kind.is_group())),
        Err(AccessError::ChatNotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The numbers of those who sent these messages: the two, and whoever was there when the chat was still a group.
async fn senders(
    state: &State,
    view: &ChatView,
    messages: &[domain::Message],
) -> Result<HashMap<UserId, i64>, Problem> {
    let members = view.members.iter();
    let mut numbers: HashMap<UserId, i64> = members.map(|member| (member.user.id, member.user.number)).collect();
    for message in messages {
        if let Entry::Vacant(missing) = numbers.entry(message.sender.id) {
            let sender = state.services.accounts.user_ever(message.sender.id).await?;
            missing.insert(sender.number);
        }
    }
    Ok(numbers)
}

/// A message to be sent.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewMessage {
    /// The conversation. Also known as `conv_id`.
    #[schema(value_type = i64, required = true)]
    #[serde(default)]
    conv: Field<i64>,
    #[schema(ignore)]
    #[serde(default)]
    conv_id: Field<i64>,
    /// The text: trailing white space is trimmed, and no control characters but newline and tab are taken.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    content: Field<String>,
}

impl Input for NewMessage {
    type Output = (i64, MessageBody);

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        let given = if self.conv.is_absent() { self.conv_id } else { self.conv };
        let conversation = check.required("conv", given, Ok::<_, &str>);
        let content = check.required("content", self.content, MessageBody::new);
        check.finish(conversation.zip(content))
    }
}

/// Send a message
#[utoipa::path(
    post,
    path = "/api/messages",
    tag = "messages",
    operation_id = "send_message",
    request_body = NewMessage,
    responses((status = 201, description = "The message", body = Message))
)]
pub(crate) async fn send(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    Body((number, content)): Body<NewMessage>,
) -> Result<HttpResponse, Problem> {
    let view = conversation(&state, caller, number)
        .await?
        .ok_or_else(no_conversation)?;
    let sent = messages::send(&state, caller, view.chat.id, MessageDraft::text(content), None).await;
    let sent = sent.map_err(|error| match error {
        SendMessageError::ChatNotFound => no_conversation(),
        other => other.into(),
    })?;
    let senders = senders(&state, &view, std::slice::from_ref(&sent.message)).await?;
    let sender = senders.get(&caller.user_id).copied().unwrap_or_default();
    Ok(respond::json(
        StatusCode::CREATED,
        &Message::new(&sent.message, number, sender),
    ))
}

fn no_conversation() -> Problem {
    let text = "no such conversation";
    Problem::new(Kind::Invalid, text).on("conv", FieldCode::NotFound, text)
}
