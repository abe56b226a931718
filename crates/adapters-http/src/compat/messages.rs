//! What is said, as contracts show and send it.

use crate::HttpState;
use tertulia_application::messaging::{SendMessage, SendMessageError};
use tertulia_domain::repository::Appended;
use tertulia_domain::{Caller, ChatId, Message, MessageBody, MessageDraft, UserId};

/// A message's text; empty if it is nothing but files.
pub(crate) fn text(message: &Message) -> &str {
    message.body().map(MessageBody::as_str).unwrap_or_default()
}

/// Sends a message, which answers none and can't be repeated.
pub(crate) async fn send(
    state: &HttpState,
    caller: Caller,
    chat_id: ChatId,
    draft: MessageDraft,
    addressee: Option<UserId>,
) -> Result<Appended, SendMessageError> {
    let command = SendMessage {
        chat_id,
        draft,
        reply_to: None,
        addressee,
        request: None,
    };
    state.services.messaging.send(caller.session(), command).await
}
