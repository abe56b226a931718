//! What is said, as it is said: by Phoenix channels.

use super::frames::{Push, ReceivedMessage, Version};
use crate::compat::pairs::Pairs;
use crate::endpoint::Endpoint;
use crate::extract::{Check, Entry, Extract, Field, Input, Query, State, parse_json, refused};
use crate::live::{End, Guest, Line, Turn, Upgrade};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse, rt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use tertulia_application::realtime::{Delivery, LiveEvent};
use tertulia_domain::MessageBody;
use utoipa::{IntoParams, ToSchema};

/// The topic of all that is said.
const ROOM: &str = "room:chat";

/// The topic of the connection itself.
const PHOENIX: &str = "phoenix";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/socket/websocket").get(connect)]
}

/// Somebody who may listen. Phoenix refuses all others by 403.
pub(crate) struct Visitor(Guest);

impl Extract for Visitor {
    const ENTRY: Entry = Guest::ENTRY;

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let guest = Guest::extract(request, payload).await;
        guest.map(Self).map_err(|problem| match problem.kind() {
            Kind::Unauthenticated | Kind::TokenExpired => Problem::new(Kind::Forbidden, "unauthenticated"),
            _ => problem,
        })
    }
}

/// How to connect.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SocketQuery {
    /// The token of the session.
    #[param(value_type = String, required = true)]
    #[serde(rename = "token")]
    _token: Option<String>,
    /// How messages are written: as objects (1.0.0) or as arrays (2.0.0).
    #[param(value_type = Option<String>, default = "1.0.0", example = "2.0.0")]
    vsn: Option<String>,
}

/// Talk by Phoenix channels
///
/// A WebSocket with Phoenix's messages. Whoever has joined `room:chat` sends by `send_msg` with a `NewChannelMessage`, and is
/// told by `phx_reply` what was stored, a `ReceivedMessage`, or what is wrong, a `Failure`. They get `receive_msg` with a
/// `ReceivedMessage` for what others send them in conversations of two, however it was sent.
#[utoipa::path(
    get,
    path = "/socket/websocket",
    tag = "messages",
    operation_id = "open_websocket",
    params(SocketQuery),
    responses((status = 101, description = "The connection is a WebSocket"))
)]
pub(crate) async fn connect(
    state: State,
    Visitor(Guest { caller, scopes }): Visitor,
    Query(query): Query<SocketQuery>,
    upgrade: Upgrade,
) -> Result<HttpResponse, Problem> {
    let version = Version::asked_for(query.vsn.as_deref());
    let version = version.ok_or_else(|| Problem::new(Kind::Forbidden, "The vsn must be 1.0.0 or 2.0.0."))?;
    let pairs = Pairs::of(state.clone(), caller, scopes).await?;
    let (answer, mut line) = Line::open(state, caller.session(), upgrade).await?;
    line.listener().stay_live();
    let socket = Socket {
        line,
        pairs,
        version,
        joined: None,
    };
    rt::spawn(socket.run());
    Ok(answer)
}

/// A message to be sent.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewChannelMessage {
    /// The number of the user whom it is for.
    #[schema(value_type = i64, required = true)]
    #[serde(default)]
    user: Field<i64>,
    /// The conversation with them; need not be said.
    #[schema(value_type = Option<i64>)]
    #[serde(default)]
    conv: Field<i64>,
    /// The text: trailing white space is trimmed, and no control characters but newline and tab are taken.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 8000)]
    #[serde(default)]
    message: Field<String>,
}

/// The same, looked at.
pub(crate) struct Sending {
    user: i64,
    conversation: Option<i64>,
    message: MessageBody,
}

impl Input for NewChannelMessage {
    type Output = Sending;

    fn parse(self, mut check: Check) -> Result<Sending, Problem> {
        let user = check.required("user", self.user, Ok::<_, &str>);
        let conversation = check.optional("conv", self.conv, Ok::<_, &str>);
        let message = check.required("message", self.message, MessageBody::new);
        check.finish(user.zip(message).map(|(user, message)| Sending {
            user,
            conversation,
            message,
        }))
    }
}

/// One connection.
struct Socket {
    line: Line,
    pairs: Pairs,
    version: Version,
    /// What the room was joined by, if it was.
    joined: Option<Value>,
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
                Turn::Said(text) => self.obey(&text).await?,
            }
        }
    }

    async fn tell(&mut self, event: &LiveEvent) -> Result<(), End> {
        let received = match self.pairs.said(event).await {
            Ok(Some(said)) if said.sender != self.pairs.own() => to_value(&ReceivedMessage::from(said)),
            Ok(_) => return Ok(()),
            Err(problem) => {
                problem.log();
                return Err(End::for_now());
            }
        };
        let Some(join_ref) = &self.joined else {
            return Ok(());
        };
        let frame = self
            .version
            .write(join_ref, &Value::Null, ROOM, "receive_msg", &received);
        self.line.say(&frame).await
    }

    async fn obey(&mut self, text: &str) -> Result<(), End> {
        let Some(push) = self.version.read(text) else {
            self.line.admit()?.ok();
            return self.reply(&Push::unreadable(), Err(reason("malformed frame"))).await;
        };
        if let Err(problem) = self.line.admit()? {
            return self.reply(&push, Err(shown(&problem))).await;
        }
        let answer = match (push.topic.as_str(), push.event.as_str()) {
            (PHOENIX, "heartbeat") => Ok(json!({})),
            (ROOM, "phx_join") => {
                self.leave().await?;
                self.joined = Some(push.join_ref.clone());
                Ok(json!({}))
            }
            (ROOM, "phx_leave") => match &self.joined {
                // The client has joined again since.
                Some(join_ref) if *join_ref != push.join_ref => return Ok(()),
                _ => {
                    self.reply(&push, Ok(json!({}))).await?;
                    return self.leave().await;
                }
            },
            (ROOM, event) if self.joined.is_some() => match event {
                "send_msg" => self.send(&push.payload).await.map_err(|problem| {
                    problem.log();
                    shown(&problem)
                }),
                _ => Err(reason("unmatched event")),
            },
            // Nobody is there to be left.
            (topic, "phx_leave") if topic != PHOENIX => Ok(json!({})),
            _ => Err(reason("unmatched topic")),
        };
        self.reply(&push, answer).await
    }

    /// Sends a message, and gives what was stored.
    async fn send(&mut self, payload: &Value) -> Result<Value, Problem> {
        let sending = parse_json::<NewChannelMessage>(&respond::to_json(payload))?;
        if sending.user == self.pairs.own() {
            return Err(refused(&["user"], "must be somebody else"));
        }
        let chat = match sending.conversation {
            None => {
                let chat = self.pairs.with(sending.user).await?;
                chat.ok_or_else(|| nothing("user", "no such user"))?
            }
            Some(conversation) => {
                let chat = self.pairs.between(conversation, sending.user).await?;
                chat.ok_or_else(|| nothing("conv", "no such conversation with that user"))?
            }
        };
        let message = self.pairs.say(chat, sending.message).await?;
        let said = self.pairs.numbered(&message).await?;
        let said = said.ok_or_else(|| Problem::new(Kind::NotFound, "The conversation was deleted meanwhile."))?;
        Ok(to_value(&ReceivedMessage::from(said)))
    }

    /// Tells that the room was left, if the client was there.
    async fn leave(&mut self) -> Result<(), End> {
        let Some(join_ref) = self.joined.take() else {
            return Ok(());
        };
        let frame = self.version.write(&join_ref, &join_ref, ROOM, "phx_close", &json!({}));
        self.line.say(&frame).await
    }

    async fn reply(&mut self, push: &Push, answer: Result<Value, Value>) -> Result<(), End> {
        let payload = match answer {
            Ok(response) => json!({"status": "ok", "response": response}),
            Err(response) => json!({"status": "error", "response": response}),
        };
        let Push {
            join_ref,
            reference,
            topic,
            ..
        } = push;
        let frame = self.version.write(join_ref, reference, topic, "phx_reply", &payload);
        self.line.say(&frame).await
    }
}

impl Push {
    /// Stands for what could not be read.
    fn unreadable() -> Self {
        Self {
            join_ref: Value::Null,
            reference: Value::Null,
            topic: PHOENIX.to_owned(),
            event: String::new(),
            payload: Value::Null,
        }
    }
}

/// As Phoenix says why.
fn reason(text: &str) -> Value {
    json!({"reason": text})
}

/// As the contract shows failures.
fn shown(problem: &Problem) -> Value {
    let (_, body) = super::failure(problem);
    serde_json::from_slice(&body).unwrap_or_default()
}

fn to_value(message: &ReceivedMessage<'_>) -> Value {
    serde_json::to_value(message).unwrap_or_default()
}

fn nothing(field: &'static str, text: &'static str) -> Problem {
    Problem::new(Kind::Invalid, text).on(field, FieldCode::NotFound, text)
}
