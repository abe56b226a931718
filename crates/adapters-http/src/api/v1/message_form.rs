//! A message whose files come with it.

use super::files::Octets;
use crate::HttpState;
use crate::dto::Id;
use crate::extract::{Authenticated, Extract, Fingerprinting, KeyedBody, Part, Parts, WriteFile, id, is_form};
use crate::problem::{FieldCode, Kind, Problem};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use sha2::{Digest, Sha256};
use std::fmt::Display;
use tertulia_application::files::FileService;
use tertulia_application::messaging::{SendMessage, SendMessageError};
use tertulia_domain::{Caller, ChatId, File, FileId, MessageBody, MessageDraft, MessageDraftError, MessageId};
use utoipa::ToSchema;

/// A message with its files.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the document alone: it is read part by part")]
pub(crate) struct MessageForm {
    /// The text; needed unless there are files.
    #[schema(max_length = 8000)]
    body: Option<String>,
    /// The message of the same chat that this one answers.
    #[schema(value_type = Option<Id>)]
    reply_to: Option<String>,
    /// Up to 10 files, each a part of that name.
    #[schema(max_items = 10)]
    file: Option<Vec<Octets>>,
}

/// A message as either kind of body holds it.
pub(crate) enum SentMessage {
    Json(KeyedBody<super::messages::NewMessage>),
    /// Whoever sends files has to be known before any byte of them is taken.
    Form(Caller, Box<Parts>),
}

impl Extract for SentMessage {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        if !is_form(request) {
            return KeyedBody::extract(request, payload).await.map(Self::Json);
        }
        let Authenticated(caller, _) = Authenticated::<WriteFile>::extract(request, payload).await?;
        let parts = Parts::retryable(request, payload).await?;
        Ok(Self::Form(caller, Box::new(parts)))
    }
}

/// Takes the files, and makes of everything what is to be sent. Files of a message that is not sent then are used by
/// nothing: they go with the others of that kind.
pub(super) async fn receive(
    state: &HttpState,
    caller: Caller,
    chat_id: ChatId,
    mut parts: Box<Parts>,
) -> Result<SendMessage, Problem> {
    let files = &state.services.files;
    parts.expect_files(File::MAX_PER_MESSAGE, files)?;
    let view = state.services.chats.chat(caller, chat_id).await?;
    if view.blocked {
        return Err(SendMessageError::Blocked.into());
    }
    let mut retry = parts.retry.take();
    let mut body = None;
    let mut reply_to: Option<MessageId> = None;
    let mut attachments = Vec::new();
    while let Some(mut part) = parts.next().await? {
        match part.name.as_str() {
            "body" => {
                let text = text(&mut part, &mut retry).await?;
                // What a form sends whose text field was left empty.
                if !text.trim_end().is_empty() {
                    body = Some(MessageBody::new(text).map_err(|error| invalid("body", error))?);
                }
            }
            "reply_to" => {
                let text = text(&mut part, &mut retry).await?;
                if !text.is_empty() {
                    reply_to = Some(id(&text).map_err(|error| invalid("reply_to", error))?);
                }
            }
            "file" if attachments.len() == File::MAX_PER_MESSAGE => {
                return Err(invalid("file", MessageDraftError::TooManyAttachments));
            }
            "file" => attachments.push(take(files, caller, &mut part, &mut retry).await?),
            _ => part.skip().await?,
        }
    }
    let draft = MessageDraft::new(body, attachments).map_err(|error| invalid("body", error))?;
    Ok(SendMessage {
        chat_id,
        draft,
        reply_to,
        addressee: None,
        request: retry.map(Fingerprinting::finish),
    })
}

async fn text(part: &mut Part, retry: &mut Option<Fingerprinting>) -> Result<String, Problem> {
    let text = part.text().await?;
    if let Some(retry) = retry {
        retry.add(&part.name, None, Sha256::digest(&text).into());
    }
    Ok(text)
}

async fn take(
    files: &FileService,
    caller: Caller,
    part: &mut Part,
    retry: &mut Option<Fingerprinting>,
) -> Result<FileId, Problem> {
    let mut hash = retry.is_some().then(Sha256::new);
    let mut upload = files.begin_upload(caller, part.file_name(), false).await?;
    if let Err(problem) = part.write_to(&mut upload, hash.as_mut()).await {
        upload.abort().await;
        return Err(problem);
    }
    if let Some((retry, hash)) = retry.as_mut().zip(hash) {
        retry.add(&part.name, part.filename(), hash.finalize().into());
    }
    Ok(upload.finish().await?.id)
}

fn invalid(field: &'static str, error: impl Display) -> Problem {
    Problem::new(Kind::Invalid, "Some fields are invalid; see errors.").on(field, FieldCode::Invalid, error.to_string())
}
