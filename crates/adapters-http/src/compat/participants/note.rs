//! What clients say a chat's last message is.

use crate::dto::Id;
use crate::extract::{Check, Field, by_ref, id, time};
use crate::problem::FieldCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use tertulia_domain::{Note, NoteText};
use utoipa::ToSchema;

/// A last message as it is set.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewLastMessage {
    /// Kept exactly as given; no control characters but line ends and tabs.
    #[schema(value_type = String, required = true, max_length = 8000)]
    #[serde(default)]
    text: Field<String>,
    /// One of the chat's participants.
    #[schema(value_type = Id, required = true)]
    #[serde(default)]
    sender: Field<String>,
    /// Kept to the millisecond; of the years 1970 to 9999.
    #[schema(value_type = String, required = true, format = DateTime)]
    #[serde(default)]
    timestamp: Field<String>,
}

/// The `lastMessage` of a body. `None`, and noted, also when it is refused.
pub(super) fn note(check: &mut Check, field: Field<Map<String, Value>>) -> Option<Note> {
    let fields = check.optional("lastMessage", field, Ok::<_, &str>)?;
    let Ok(given) = serde_json::from_value::<NewLastMessage>(Value::Object(fields)) else {
        check.refuse(
            "lastMessage",
            FieldCode::WrongType,
            "must have a text, a sender and a timestamp",
        );
        return None;
    };
    let text = check.required("lastMessage.text", given.text, by_ref(NoteText::new));
    let sender = check.required("lastMessage.sender", given.sender, by_ref(id));
    let at = check.required("lastMessage.timestamp", given.timestamp, by_ref(time));
    Some(Note {
        text: text?,
        sender: sender?,
        at: at?,
    })
}
