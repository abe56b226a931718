//! Messages that come in, with their file or without.

use super::chats::out_of_reach;
use crate::HttpState;
use crate::compat::files::Incoming;
use crate::compat::messages;
use crate::dto::Id;
use crate::extract::{
    Authenticated, Body, Check, Entry, Extract, Field, Input, Parts, Write, WriteFile, by_ref, id, is_form,
};
use crate::problem::{Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde::Deserialize;
use tertulia_application::messaging::SendMessageError;
use tertulia_domain::repository::Appended;
use tertulia_domain::{Caller, ChatId, MessageBody, MessageDraft};
use utoipa::ToSchema;

/// A message that is a text.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewMessage {
    /// The chat.
    #[schema(value_type = Id, required = true)]
    #[serde(default)]
    chat_id: Field<String>,
    /// Trailing white space is trimmed, and no control characters but newline and tab are taken.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    content: Field<String>,
}

/// A message with its file.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "for the document alone: it is read part by part")]
pub(crate) struct MessageForm {
    /// The chat.
    #[schema(value_type = Id)]
    chat_id: String,
    /// The text; needed unless there is a file.
    #[schema(max_length = 8000)]
    content: Option<String>,
    /// The file, up to the size that the server takes.
    #[schema(value_type = Option<String>, content_media_type = "application/octet-stream")]
    file: Option<Vec<u8>>,
}

/// A message as either kind of body holds it, and whose it is. Whoever sends a file has to be known before any byte of it
/// is taken.
pub(crate) enum Draft {
    Text(Caller, ChatId, MessageBody),
    Form(Caller, Box<Parts>),
}

impl Extract for Draft {
    const ENTRY: Entry = Authenticated::<Write>::ENTRY;

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        if is_form(request) {
            let Authenticated(caller, _) = Authenticated::<WriteFile>::extract(request, payload).await?;
            let parts = Parts::extract(request, payload).await?;
            return Ok(Self::Form(caller, Box::new(parts)));
        }
        let Authenticated(caller, _) = Authenticated::<Write>::extract(request, payload).await?;
        let Body((chat, body)) = Body::<NewMessage>::extract(request, payload).await?;
        Ok(Self::Text(caller, chat, body))
    }
}

impl Input for NewMessage {
    type Output = (ChatId, MessageBody);

    fn parse(self, mut check: Check) -> Result<Self::Output, Problem> {
        let chat = check.required("chatId", self.chat_id, by_ref(id));
        let body = check.required("content", self.content, MessageBody::new);
        check.finish(chat.zip(body))
    }
}

impl Draft {
    pub(super) async fn send(self, state: &HttpState) -> Result<Appended, Problem> {
        let (caller, chat, draft) = match self {
            Self::Text(caller, chat, body) => (caller, chat, MessageDraft::text(body)),
            Self::Form(caller, parts) => {
                let (chat, draft) = receive(state, caller, parts).await?;
                (caller, chat, draft)
            }
        };
        send(state, caller, chat, draft).await
    }
}

/// Sends a message.
pub(super) async fn send(
    state: &HttpState,
    caller: Caller,
    chat: ChatId,
    draft: MessageDraft,
) -> Result<Appended, Problem> {
    match messages::send(state, caller, chat, draft, None).await {
        Ok(sent) => Ok(sent),
        Err(SendMessageError::Blocked) => Err(blocked()),
        Err(error) => Err(out_of_reach(state, caller, chat, error.into()).await),
    }
}

fn blocked() -> Problem {
    Problem::from(SendMessageError::Blocked).worded("No puedes enviar mensajes a este usuario")
}

/// Takes the parts, and makes of them what is to be sent where. The file is kept once everything else is right.
async fn receive(state: &HttpState, caller: Caller, mut parts: Box<Parts>) -> Result<(ChatId, MessageDraft), Problem> {
    parts.expect_files(1, &state.services.files)?;
    let mut file = Incoming::default();
    match read(state, caller, &mut parts, &mut file).await {
        Ok((chat, body)) => {
            let files = file.finish().await?.map(|file| file.id);
            let draft = MessageDraft::new(body, files.into_iter().collect()).map_err(|error| {
                Problem::new(Kind::Invalid, error.to_string()).worded("El mensaje necesita un texto o un archivo")
            })?;
            Ok((chat, draft))
        }
        Err(problem) => {
            file.abort().await;
            Err(problem)
        }
    }
}

async fn read<'a>(
    state: &'a HttpState,
    caller: Caller,
    parts: &mut Parts,
    file: &mut Incoming<'a>,
) -> Result<(ChatId, Option<MessageBody>), Problem> {
    let (mut chat, mut content) = (Field::Missing, Field::Missing);
    while let Some(mut part) = parts.next().await? {
        match part.name.as_str() {
            "chatId" => chat = Field::Given(part.text().await?),
            // A form whose text was left empty says nothing.
            "content" => match part.text().await?.replace("\r\n", "\n") {
                text if text.trim_end().is_empty() => content = Field::Missing,
                text => content = Field::Given(text),
            },
            "file" => file.take(&state.services.files, caller, &mut part).await?,
            _ => part.skip().await?,
        }
    }
    let mut check = Check::default();
    let chat = check.required("chatId", chat, by_ref(id));
    let body = check.optional("content", content, MessageBody::new);
    let chat = check.finish(chat)?;
    match state.services.chats.chat(caller, chat).await {
        Ok(view) if view.blocked => Err(blocked()),
        Ok(_) => Ok((chat, body)),
        Err(error) => Err(out_of_reach(state, caller, chat, error.into()).await),
    }
}
