//! Messages.

use super::path::OfChat;
use super::wire::{Asked, Enveloped, Failure, Message, MessagePage, PageQuery, answer, ok};
use super::words::{self, worded};
use crate::HttpState;
use crate::compat::messages;
use crate::dto::Id;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Body, Check, Field, Input, Query, Read, State, Write};
use crate::problem::{Kind, Problem};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::chats::AccessError;
use tertulia_application::messaging::SendMessageError;
use tertulia_domain::repository::VisibleMessages;
use tertulia_domain::{self as domain, Caller, ChatId, ChatOverview, MessageBody, MessageDraft, UserId};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/api/messages").post(send),
        Endpoint::new("/api/messages/{chatId}").get(list),
    ]
}

/// Items of a page unless something else is asked for.
const PAGE: u16 = 20;

/// A message to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewMessage {
    #[schema(value_type = Id, required = true)]
    #[serde(default)]
    chat_id: Field<String>,
    /// One of the chat's participants.
    #[schema(value_type = Id, required = true)]
    #[serde(default)]
    receiver_id: Field<String>,
    /// Trailing white space is trimmed; no control characters but newline and tab.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    content: Field<String>,
}

/// What was made of it; an id of the wrong form is nobody's.
pub(crate) struct Addressed {
    chat: Option<ChatId>,
    receiver: Option<UserId>,
    body: MessageBody,
}

impl Input for NewMessage {
    type Output = Addressed;

    fn parse(self, mut check: Check) -> Result<Addressed, Problem> {
        let missing = |field: &Field<String>| match field {
            Field::Given(text) => text.trim_end().is_empty(),
            other => other.is_absent(),
        };
        if [&self.chat_id, &self.receiver_id, &self.content]
            .into_iter()
            .any(missing)
        {
            return Err(Problem::new(Kind::Invalid, "").worded(words::MESSAGE_FIELDS_MISSING));
        }
        let chat = check.required("chatId", self.chat_id, |text| Ok::<_, &str>(ChatId::parse(&text)));
        let receiver = check.required("receiverId", self.receiver_id, |text| {
            Ok::<_, &str>(UserId::parse(&text))
        });
        let body = check.required("content", self.content, MessageBody::new);
        check.finish(
            chat.zip(receiver)
                .zip(body)
                .map(|((chat, receiver), body)| Addressed { chat, receiver, body }),
        )
    }
}

/// Send a message
#[utoipa::path(
    post,
    path = "/api/messages",
    tag = "messages",
    operation_id = "send_message",
    request_body = NewMessage,
    responses(
        (status = 201, description = "The message, stored for good", body = Enveloped<Message>),
        (status = 404, description = "There is no such chat", body = Failure)
    )
)]
pub(crate) async fn send(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    Body(sent): Body<NewMessage>,
) -> Result<HttpResponse, Problem> {
    let (message, chat) = store(&state, caller, sent).await?;
    Ok(answer(StatusCode::CREATED, None, Message::new(&message, &chat)))
}

/// Sends a message, and gives it with its chat.
pub(super) async fn store(
    state: &HttpState,
    caller: Caller,
    sent: Addressed,
) -> Result<(domain::Message, ChatOverview), Problem> {
    let chat_id = sent.chat.ok_or_else(chat_not_found)?;
    let chat = chat(state, caller, chat_id, words::NOT_IN_CHAT).await?;
    let addressee = sent.receiver.ok_or_else(|| hidden(words::NOT_IN_CHAT))?;
    let draft = MessageDraft::text(sent.body);
    let sent = messages::send(state, caller, chat_id, draft, Some(addressee)).await;
    Ok((sent.map_err(not_sent)?.message, chat))
}

fn not_sent(error: SendMessageError) -> Problem {
    match error {
        // The chat was there a moment ago.
        SendMessageError::ChatNotFound | SendMessageError::AddresseeNotFound => hidden(words::NOT_IN_CHAT),
        SendMessageError::Blocked => worded(error, Some(words::BLOCKED)),
        other => other.into(),
    }
}

/// List a chat's messages
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/api/messages/{chatId}",
    tag = "messages",
    operation_id = "list_messages",
    params(
        ("chatId" = Id, Path, description = "The chat"),
        ("page" = Option<u32>, Query, minimum = 1, description = "The page, from 1 [default: 1]"),
        ("limit" = Option<u16>, Query, minimum = 1, description = "Items of a page, 100 at the most [default: 20]")
    ),
    responses((status = 200, description = "A page of messages", body = Enveloped<MessagePage>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    OfChat(id): OfChat,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::new(&page, PAGE);
    let chat = chat(&state, caller, id, words::MESSAGES_HIDDEN).await?;
    let messages = VisibleMessages::Newest(asked.window());
    let list = state.services.chats.visible_messages(caller, id, messages).await;
    let list = list.map_err(|error| match error {
        AccessError::ChatNotFound => chat_not_found(),
        other => other.into(),
    })?;
    Ok(ok(MessagePage {
        messages: list.items.iter().map(|message| Message::new(message, &chat)).collect(),
        pagination: asked.of(&list),
    }))
}

/// The chat with its members. Whoever is not one of them is told so in these words.
pub(super) async fn chat(
    state: &HttpState,
    caller: Caller,
    id: ChatId,
    to_outsiders: &'static str,
) -> Result<ChatOverview, Problem> {
    let chats = &state.services.chats;
    match chats.overview(caller, id).await {
        Err(AccessError::ChatNotFound) if chats.exists(caller, id).await? => Err(hidden(to_outsiders)),
        Err(AccessError::ChatNotFound) => Err(chat_not_found()),
        other => Ok(other?),
    }
}

fn chat_not_found() -> Problem {
    Problem::new(Kind::NotFound, "").worded(words::CHAT_NOT_FOUND)
}

fn hidden(words: &'static str) -> Problem {
    Problem::new(Kind::Forbidden, "").worded(words)
}
