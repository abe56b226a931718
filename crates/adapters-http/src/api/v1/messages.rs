use super::message_form::{MessageForm, SentMessage, receive};
use crate::creation::replayed;
use crate::docs::responses::{Conflict, Forbidden, NotFound, Retryable};
use crate::dto::{Id, List, Message};
use crate::endpoint::Endpoint;
use crate::extract::{
    Authenticated, Body, Check, Claimed, Field, Input, KeyedBody, Path, Query, Read, State, Write, by_ref, cursor, id,
    ids, limit, refused, seq,
};
use crate::problem::{FieldCode, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tertulia_application::messaging::{EditMessage, ListMessages, SendMessage};
use tertulia_domain::{ChatId, Limit, MessageBody, MessageDraft, MessageDraftError, MessageId, MessageRange};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/chats/{id}/messages").post(send).get(list),
        Endpoint::new("/chats/{id}/messages/{message_id}")
            .get(show)
            .patch(edit)
            .delete(delete),
    ]
}

/// A message to be sent: a text, files, or both.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewMessage {
    /// The text: trailing white space is trimmed, and no control characters but newline and tab are taken. Needed unless
    /// there are attachments.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 8000)]
    #[serde(default)]
    body: Field<String>,
    /// The message of the same chat that this one answers.
    #[schema(value_type = Option<Id>)]
    #[serde(default)]
    reply_to: Field<String>,
    /// Files that were uploaded before, or that the sender may read.
    #[schema(value_type = Option<Vec<Id>>, max_items = 10)]
    #[serde(default)]
    attachments: Field<Vec<Value>>,
}

impl Input for NewMessage {
    type Output = (MessageDraft, Option<MessageId>);

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        // A field that is there and wrong is told as such, and not as missing.
        let said_something = !self.body.is_absent() || !self.attachments.is_absent();
        let body = check.optional("body", self.body, MessageBody::new);
        let reply_to = check.optional("reply_to", self.reply_to, by_ref(id));
        let files = ids(&mut check, "attachments", self.attachments);
        let draft = match MessageDraft::new(body, files) {
            Ok(draft) => Some(draft),
            Err(error @ MessageDraftError::TooManyAttachments) => {
                check.refuse("attachments", FieldCode::Invalid, error.to_string());
                None
            }
            Err(MessageDraftError::Empty) if said_something && check.has_refused() => None,
            Err(error @ MessageDraftError::Empty) => {
                check.refuse("body", FieldCode::Required, error.to_string());
                None
            }
        };
        check.finish(draft.map(|draft| (draft, reply_to)))
    }
}

/// Send a message
///
/// The answer is a promise: the message is stored for good. Everything before it counts as read by the sender. Files are
/// uploaded before, or come with it as parts of a form.
#[utoipa::path(
    post,
    path = "/chats/{id}/messages",
    tag = "messages",
    operation_id = "send_message",
    params(("id" = Id, Path, description = "The chat"), Retryable),
    request_body(content((NewMessage = "application/json"), (MessageForm = "multipart/form-data"))),
    responses((status = 201, description = "The message", body = Message), NotFound)
)]
pub(crate) async fn send(
    state: State,
    Claimed(session, _): Claimed<Write>,
    Path(chat_id): Path<ChatId>,
    sent: SentMessage,
) -> Result<HttpResponse, Problem> {
    let command = match sent {
        SentMessage::Json(KeyedBody { input, key }) => {
            let (draft, reply_to) = input;
            SendMessage {
                chat_id,
                draft,
                reply_to,
                addressee: None,
                request: key,
            }
        }
        SentMessage::Form(caller, parts) => receive(&state, caller, chat_id, parts).await?,
    };
    let sent = state.services.messaging.send(session, command).await?;
    let answer = respond::json(StatusCode::CREATED, &Message::from(&sent.message));
    Ok(if sent.replayed { replayed(answer) } else { answer })
}

/// Which messages to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// Messages at the most.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before; goes on in its direction. Not together with `before` or `after`.
    cursor: Option<String>,
    /// Those with a smaller `seq`, newest first. Not together with `cursor` or `after`.
    #[param(value_type = Option<i64>, minimum = 0)]
    before: Option<String>,
    /// Those with a larger `seq`, oldest first. Not together with `cursor` or `before`.
    #[param(value_type = Option<i64>, minimum = 0)]
    after: Option<String>,
}

impl MessageQuery {
    fn parse(&self) -> Result<(MessageRange, Limit), Problem> {
        let limit = limit(self.limit.as_deref())?;
        let before = seq("before", self.before.as_deref())?.map(MessageRange::Before);
        let after = seq("after", self.after.as_deref())?.map(MessageRange::After);
        let cursor = cursor::<MessageRange>(self.cursor.as_deref())?;
        let given = [("cursor", cursor), ("before", before), ("after", after)];
        let given: Vec<_> = given
            .into_iter()
            .filter_map(|(name, range)| Some((name, range?)))
            .collect();
        match given.as_slice() {
            [] => Ok((MessageRange::Newest, limit)),
            [(_, range)] => Ok((*range, limit)),
            several => {
                let names: Vec<_> = several.iter().map(|(name, _)| *name).collect();
                Err(refused(&names, "at most one of cursor, before and after may be given"))
            }
        }
    }
}

/// List a chat's messages
///
/// Newest first; with `after` oldest first. Deleted messages are among them, with nothing in them.
#[utoipa::path(
    get,
    path = "/chats/{id}/messages",
    tag = "messages",
    operation_id = "list_messages",
    params(("id" = Id, Path, description = "The chat"), MessageQuery),
    responses((status = 200, description = "A page of messages", body = List<Message>))
)]
pub(crate) async fn list(
    state: State,
    Claimed(session, _): Claimed<Read>,
    Path(chat_id): Path<ChatId>,
    Query(query): Query<MessageQuery>,
) -> Result<HttpResponse, Problem> {
    let (range, limit) = query.parse()?;
    let query = ListMessages { chat_id, range, limit };
    let page = state.services.messaging.list(session, query).await?;
    Ok(respond::json(StatusCode::OK, &List::of(&page, Message::from)))
}

/// Get a message
#[utoipa::path(
    get,
    path = "/chats/{id}/messages/{message_id}",
    tag = "messages",
    operation_id = "get_message",
    params(
        ("id" = Id, Path, description = "The chat"),
        ("message_id" = Id, Path, description = "The message")
    ),
    responses((status = 200, description = "The message", body = Message))
)]
pub(crate) async fn show(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Path((chat, id)): Path<(ChatId, MessageId)>,
) -> Result<HttpResponse, Problem> {
    let message = state.services.messaging.message(caller, chat, id).await?;
    Ok(respond::json(StatusCode::OK, &Message::from(&message)))
}

/// What a message is to say.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageChange {
    /// The text, as when it is sent.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    body: Field<String>,
}

impl Input for MessageChange {
    type Output = MessageBody;

    fn parse(self, mut check: Check) -> Result<MessageBody, Problem> {
        let body = check.required("body", self.body, MessageBody::new);
        check.finish(body)
    }
}

/// Edit a message
///
/// Only its sender may. A deleted message can't be edited.
#[utoipa::path(
    patch,
    path = "/chats/{id}/messages/{message_id}",
    tag = "messages",
    operation_id = "edit_message",
    params(
        ("id" = Id, Path, description = "The chat"),
        ("message_id" = Id, Path, description = "The message")
    ),
    request_body = MessageChange,
    responses((status = 200, description = "The message", body = Message), Forbidden, Conflict)
)]
pub(crate) async fn edit(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    Path((chat_id, message_id)): Path<(ChatId, MessageId)>,
    Body(body): Body<MessageChange>,
) -> Result<HttpResponse, Problem> {
    let command = EditMessage {
        chat_id,
        message_id,
        body,
    };
    let message = state.services.messaging.edit(caller, command).await?;
    Ok(respond::json(StatusCode::OK, &Message::from(&message)))
}

/// Delete a message
///
/// Its sender may, and the chat's owner and admins. It keeps its place, with nothing in it. To delete it again changes
/// nothing.
#[utoipa::path(
    delete,
    path = "/chats/{id}/messages/{message_id}",
    tag = "messages",
    operation_id = "delete_message",
    params(
        ("id" = Id, Path, description = "The chat"),
        ("message_id" = Id, Path, description = "The message")
    ),
    responses((status = 204, description = "Deleted"), Forbidden)
)]
pub(crate) async fn delete(
    state: State,
    Authenticated(caller, _): Authenticated<Write>,
    Path((chat, id)): Path<(ChatId, MessageId)>,
) -> Result<HttpResponse, Problem> {
    state.services.messaging.delete(caller, chat, id).await?;
    Ok(respond::no_content())
}
