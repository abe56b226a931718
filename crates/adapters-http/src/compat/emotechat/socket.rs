//! What is said, as it is said.

use super::wire::{Message, SocketFailure, SocketMessage};
use crate::compat::english;
use crate::compat::pairs::{Pairs, Said};
use crate::endpoint::Endpoint;
use crate::extract::{Check, Field, Input, Path, State, parse_json, refused};
use crate::live::{End, Guest, Line, Turn, Upgrade};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, rt};
use serde::Deserialize;
use std::convert::Infallible;
use tertulia_application::realtime::{Delivery, LiveEvent};
use tertulia_domain::MessageBody;
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/ws/{id}").get(connect)]
}

/// How to connect.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what the entrance reads")]
pub(crate) struct SocketQuery {
    /// The token, unless it is in the header.
    token: Option<String>,
}

/// Talk by WebSocket
///
/// Frames are JSON texts. The client's, `NewSocketMessage`, sends a message to a user; if the two have no conversation, it
/// begins one. The server's, `SocketMessage`, is a message of one's conversations, whoever of the two sent it and however. A
/// frame that can't be handled is answered by a `SocketFailure`, and the connection stays.
#[utoipa::path(
    get,
    path = "/ws/{id}",
    tag = "conversations",
    operation_id = "open_websocket",
    params(("id" = i64, Path, description = "One's own number"), SocketQuery),
    responses(
        (status = 101, description = "The connection is a WebSocket"),
        (status = 403, description = "The number is somebody else's", body = Message)
    )
)]
pub(crate) async fn connect(
    state: State,
    Guest { caller, scopes }: Guest,
    Path(id): Path<i64>,
    upgrade: Upgrade,
) -> Result<HttpResponse, Problem> {
    let pairs = Pairs::of(state.clone(), caller, scopes).await?;
    if id != pairs.own() {
        let message = Message::new("The number must be your own.");
        return Ok(respond::json(StatusCode::FORBIDDEN, &message));
    }
    let (answer, mut line) = Line::open(state, caller.session(), upgrade).await?;
    line.listener().stay_live();
    rt::spawn(Socket { line, pairs }.run());
    Ok(answer)
}

/// What the client says: to whom, and what.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewSocketMessage {
    /// The text: trailing white space is trimmed, and no control characters but newline and tab are taken.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    message: Field<String>,
    /// The number of the user whom it is for.
    #[schema(value_type = i64, required = true)]
    #[serde(default)]
    receiver: Field<i64>,
    /// One's own number; need not be said.
    #[schema(value_type = Option<i64>)]
    #[serde(default)]
    sender: Field<i64>,
    #[schema(ignore)]
    #[serde(default)]
    time: Field<String>,
    #[schema(ignore)]
    #[serde(default)]
    id: Field<String>,
}

/// The same, looked at.
pub(crate) struct Sending {
    message: MessageBody,
    receiver: i64,
    sender: Option<i64>,
}

impl Input for NewSocketMessage {
    type Output = Sending;

    fn parse(self, mut check: Check) -> Result<Sending, Problem> {
        for (name, absent) in [("time", self.time.is_absent()), ("id", self.id.is_absent())] {
            if !absent {
                check.refuse(name, FieldCode::Invalid, "is for the server to say");
            }
        }
        let message = check.required("message", self.message, MessageBody::new);
        let receiver = check.required("receiver", self.receiver, Ok::<_, &str>);
        let sender = check.optional("sender", self.sender, Ok::<_, &str>);
        check.finish(message.zip(receiver).map(|(message, receiver)| Sending {
            message,
            receiver,
            sender,
        }))
    }
}

/// One connection.
struct Socket {
    line: Line,
    pairs: Pairs,
}

impl Socket {
    async fn run(mut self) {
        let Err(end) = self.talk().await;
        self.line.close(end).await;
    }

    async fn talk(&mut self) -> Result<Infallible, End> {
        loop {
            match self.line.turn().await? {
                Turn::Told(Delivery::Event(event)) => self.tell(&event).await?,
                Turn::Told(_) | Turn::Beat => {}
                Turn::Said(text) => {
                    let done = match self.line.admit()? {
                        Ok(()) => self.send(&text).await,
                        Err(problem) => Err(problem),
                    };
                    if let Err(problem) = done {
                        problem.log();
                        let error = english::text(&problem);
                        self.line.say(&SocketFailure { error: &error }).await?;
                    }
                }
            }
        }
    }

    async fn tell(&mut self, event: &LiveEvent) -> Result<(), End> {
        match self.pairs.said(event).await {
            Ok(Some(said)) => self.line.say(&SocketMessage::from(said)).await,
            Ok(None) => Ok(()),
            Err(problem) => {
                problem.log();
                Err(End::for_now())
            }
        }
    }

    /// Sends a message, which then comes like all others.
    async fn send(&self, text: &str) -> Result<(), Problem> {
        let sending = parse_json::<NewSocketMessage>(text.as_bytes())?;
        if sending.sender.is_some_and(|sender| sender != self.pairs.own()) {
            return Err(refused(&["sender"], "must be your own number"));
        }
        if sending.receiver == self.pairs.own() {
            return Err(refused(&["receiver"], "must be somebody else"));
        }
        let chat = self.pairs.with(sending.receiver).await?;
        let chat = chat.ok_or_else(|| Problem::new(Kind::NotFound, "no such user"))?;
        self.pairs.say(chat, sending.message).await?;
        Ok(())
    }
}

impl<'a> From<Said<'a>> for SocketMessage<'a> {
    fn from(said: Said<'a>) -> Self {
        Self {
            message: said.text(),
            sender: said.sender,
            receiver: said.receiver,
            time: said.message.created_at.into(),
            id: said.message.id.into(),
        }
    }
}
