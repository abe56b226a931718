use super::entrance::{Entrant, Upgrade};
use super::event_json;
use super::frames::{Head, Limits, ServerFrame, positions};
use super::line::{COMMANDS, End, HEARTBEAT, Line, MAX_FRAME, Turn};
use crate::api::v1::messages::NewMessage;
use crate::dto::Message;
use crate::extract::{Account, Authenticated, Check, Field, Input, State, by_ref, id, parse_json};
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::rt;
use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;
use tertulia_application::RequestKey;
use tertulia_application::messaging::SendMessage;
use tertulia_application::realtime::{Delivery, MAX_CONNECTIONS, Resume, ResumeError};
use tertulia_domain::api_key::Scope;
use tertulia_domain::{Caller, ChatId, Fingerprint, IdempotencyKey, MessageDraft, MessageId, Scopes, Seq};
use utoipa::{IntoParams, ToSchema};

/// How long events wait for a client that wants to resume.
const FIRST_FRAME: Duration = Duration::from_millis(200);

/// Heartbeats between two tokens.
const TOKEN_EVERY: u32 = 15;

/// Bytes of a command's `ref` at the most.
const MAX_REFERENCE: usize = 256;

/// How to connect.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes what the entrance reads")]
pub(crate) struct SocketQuery {
    /// A ticket, for browsers: in place of a token.
    ticket: Option<String>,
}

/// What opens one connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct Ticket {
    /// To be used once.
    ticket: String,
    /// For how many seconds it is good.
    expires_in: u64,
}

/// Listen by WebSocket
///
/// The frames are described at `/asyncapi.json`. The access token comes in the head, as the subprotocol `bearer.TOKEN`
/// beside `tertulia`, or in form of a ticket.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "realtime",
    operation_id = "open_websocket",
    params(SocketQuery),
    responses((status = 101, description = "The connection is a WebSocket"))
)]
pub(crate) async fn connect(state: State, entrant: Entrant, upgrade: Upgrade) -> Result<HttpResponse, Problem> {
    let Entrant {
        caller,
        scopes,
        protocol,
    } = entrant;
    let (mut answer, line) = Line::open(state.clone(), caller.session(), upgrade).await?;
    if let Some(protocol) = protocol {
        answer.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let socket = Socket {
        state,
        line,
        caller,
        scopes,
        ahead: None,
    };
    rt::spawn(socket.run());
    Ok(answer)
}

/// Get a ticket
///
/// It opens one WebSocket of this session, within half a minute: for browsers, which can't send a head with it.
#[utoipa::path(
    post,
    path = "/ws/ticket",
    tag = "realtime",
    operation_id = "create_ticket",
    responses((status = 201, description = "The ticket", body = Ticket))
)]
pub(crate) async fn ticket(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    let ticket = state.services.accounts.issue_ticket(caller).await?;
    let shown = Ticket {
        ticket: ticket.text,
        expires_in: ticket.expires_in.as_secs(),
    };
    Ok(respond::json(StatusCode::CREATED, &shown))
}

/// One connection.
struct Socket {
    state: State,
    line: Line,
    caller: Caller,
    scopes: Scopes,
    /// While the client has said nothing and may still resume: the chats of which it was told something.
    ahead: Option<HashSet<ChatId>>,
}

impl Socket {
    async fn run(mut self) {
        let Err(end) = self.talk().await;
        self.line.close(end).await;
    }

    async fn talk(&mut self) -> Result<Infallible, End> {
        self.say(&ServerFrame::Hello {
            session_id: self.caller.session_id.into(),
            user_id: self.caller.user_id.into(),
            heartbeat_seconds: HEARTBEAT.as_secs(),
            limits: Limits {
                frame_bytes: MAX_FRAME,
                commands_per_second: COMMANDS,
                connections: MAX_CONNECTIONS,
            },
        })
        .await?;
        if let Some(text) = self.line.said_within(FIRST_FRAME).await? {
            self.begin(&text).await?;
        } else {
            self.ahead = Some(HashSet::new());
            self.line.listener().ask_for_token();
        }
        let mut beats = 0;
        loop {
            match self.line.turn().await? {
                Turn::Told(delivery) => self.deliver(delivery).await?,
                Turn::Said(text) => match self.ahead.take() {
                    Some(ahead) => self.begin_late(&text, &ahead).await?,
                    None => self.obey(&text).await?,
                },
                Turn::Beat => {
                    beats += 1;
                    if self.ahead.take().is_some() {
                        self.line.listener().stay_live();
                    }
                    if beats % TOKEN_EVERY == 0 {
                        self.line.listener().ask_for_token();
                    }
                }
            }
        }
    }

    /// Goes on where the client was, if its first frame says so; otherwise it is as any other.
    async fn begin(&mut self, text: &str) -> Result<(), End> {
        match parse_json::<ResumeFrame>(text.as_bytes()) {
            Ok(Some(resume)) => self.catch_up(resume).await,
            Ok(None) => {
                self.line.listener().stay_live();
                self.line.listener().ask_for_token();
                self.obey(text).await
            }
            Err(problem) => {
                self.complain(None, &problem).await?;
                self.line.listener().stay_live();
                self.line.listener().ask_for_token();
                Ok(())
            }
        }
    }

    /// The first frame, when events did not wait for it any more.
    async fn begin_late(&mut self, text: &str, ahead: &HashSet<ChatId>) -> Result<(), End> {
        if let Ok(Some(resume)) = parse_json::<ResumeFrame>(text.as_bytes()) {
            self.catch_up_but(resume, ahead).await
        } else {
            self.line.listener().stay_live();
            self.obey(text).await
        }
    }

    async fn catch_up(&mut self, from: Resume) -> Result<(), End> {
        self.catch_up_but(from, &HashSet::new()).await
    }

    /// Tells what was missed; in chats that are ahead already it could not stand in front any more.
    async fn catch_up_but(&mut self, from: Resume, ahead: &HashSet<ChatId>) -> Result<(), End> {
        let mut backlog = match self.line.listener().resume(from).await {
            Ok(backlog) => backlog,
            Err(ResumeError::BadToken) => {
                let problem = Problem::new(
                    Kind::Invalid,
                    "The token is none of this user's; load everything again.",
                );
                self.complain(None, &problem).await?;
                self.line.listener().ask_for_token();
                return Ok(());
            }
            Err(ResumeError::Failed(failure)) => return Err(self.failed(&Problem::from(failure)).await),
        };
        backlog.give_up(ahead);
        loop {
            match backlog.next().await {
                Ok(None) => break,
                Ok(Some(events)) => {
                    for event in events {
                        self.bytes(event_json(&event)).await?;
                    }
                    if let Some(closing) = self.line.listener().closing() {
                        return Err(self.line.reason(closing));
                    }
                }
                Err(failure) => return Err(self.failed(&Problem::from(failure)).await),
            }
        }
        for event in backlog.departures(self.line.listener()) {
            self.bytes(event_json(&event)).await?;
        }
        let chats = backlog.reset();
        if !chats.is_empty() {
            let chats = chats.into_iter().map(Into::into).collect();
            self.say(&ServerFrame::Reset { chats }).await?;
        }
        self.line.listener().ask_for_token();
        Ok(())
    }

    async fn deliver(&mut self, delivery: Delivery) -> Result<(), End> {
        match delivery {
            Delivery::Event(event) => {
                if let Some(ahead) = &mut self.ahead {
                    ahead.insert(event.chat_id);
                }
                self.bytes(event_json(&event)).await
            }
            Delivery::Token(token) => self.say(&ServerFrame::Ready { token: &token }).await,
            Delivery::Typing {
                chat_id,
                user_id,
                active,
            } => {
                self.say(&ServerFrame::Typing {
                    chat_id: chat_id.into(),
                    user_id: user_id.into(),
                    active,
                })
                .await
            }
            Delivery::Presence { user_id, online, at } => {
                self.say(&ServerFrame::Presence {
                    user_id: user_id.into(),
                    online,
                    last_seen_at: at.into(),
                })
                .await
            }
        }
    }

    /// Carries out a command.
    async fn obey(&mut self, text: &str) -> Result<(), End> {
        let admitted = self.line.admit()?;
        let head: Head = serde_json::from_str(text).unwrap_or_default();
        let reference = match head.r#ref {
            Field::Given(reference) if reference.len() <= MAX_REFERENCE => Some(reference),
            _ => None,
        };
        let reference = reference.as_deref();
        if let Err(problem) = admitted {
            return self.complain(reference, &problem).await;
        }
        let kind = match head.r#type {
            Field::Given(kind) => kind,
            _ => String::new(),
        };
        let done = match kind.as_str() {
            "ping" => return self.say(&ServerFrame::Pong).await,
            "send" => self.send(text).await,
            "read" => self.read(reference, text).await,
            "typing" => self.typing(text),
            "resume" => Err(Problem::new(Kind::Invalid, "Only the first frame can resume.")),
            _ => Err(Problem::new(
                Kind::Malformed,
                "A frame is a JSON object with a known type: resume, send, read, typing or ping.",
            )),
        };
        match done {
            Ok(Some(frame)) => self.bytes(frame.into()).await,
            Ok(None) => Ok(()),
            Err(problem) => {
                problem.log();
                self.complain(reference, &problem).await
            }
        }
    }

    fn permit_writing(&self) -> Result<(), Problem> {
        if self.scopes.allow(Scope::Write) {
            Ok(())
        } else {
            Err(Problem::new(Kind::Forbidden, "The API key has not the scope 'write'."))
        }
    }

    async fn send(&self, text: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.permit_writing()?;
        let SendTo {
            reference,
            chat_id,
            key,
        } = parse_json::<SendFrame>(text.as_bytes())?;
        let (draft, reply_to) = parse_json::<NewMessage>(text.as_bytes())?;
        let command = SendMessage {
            chat_id,
            request: Some(RequestKey {
                key,
                fingerprint: fingerprint(chat_id, &draft, reply_to),
            }),
            draft,
            reply_to,
            addressee: None,
        };
        let session = self.caller.session();
        let sent = self.state.services.messaging.send(session, command).await?;
        Ok(Some(respond::to_json(&ServerFrame::Ack {
            r#ref: &reference,
            message: Some(Message::from(&sent.message)),
            read_seq: None,
            unread_count: None,
        })))
    }

    async fn read(&self, reference: Option<&str>, text: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.permit_writing()?;
        let (chat_id, seq) = parse_json::<ReadFrame>(text.as_bytes())?;
        let state = self.state.services.chats.mark_read(self.caller, chat_id, seq).await?;
        Ok(reference.map(|reference| {
            respond::to_json(&ServerFrame::Ack {
                r#ref: reference,
                message: None,
                read_seq: Some(state.read_seq.get()),
                unread_count: Some(state.last_seq.distance_from(state.read_seq)),
            })
        }))
    }

    fn typing(&mut self, text: &str) -> Result<Option<Vec<u8>>, Problem> {
        self.permit_writing()?;
        let (chat_id, active) = parse_json::<TypingFrame>(text.as_bytes())?;
        if self.line.listener().typing(chat_id, active) {
            Ok(None)
        } else {
            Err(Problem::new(Kind::NotFound, "There is no such chat."))
        }
    }

    async fn complain(&mut self, reference: Option<&str>, problem: &Problem) -> Result<(), End> {
        self.say(&ServerFrame::Error {
            reference,
            code: problem.kind().face().code,
            detail: problem.detail(),
            errors: problem.errors(),
        })
        .await
    }

    /// The connection can't go on for now.
    async fn failed(&mut self, problem: &Problem) -> End {
        problem.log();
        match self.complain(None, problem).await {
            Ok(()) => End::for_now(),
            Err(end) => end,
        }
    }

    async fn say(&mut self, frame: &ServerFrame<'_>) -> Result<(), End> {
        self.line.say(frame).await
    }

    async fn bytes(&mut self, frame: Bytes) -> Result<(), End> {
        self.line.say_bytes(frame).await
    }
}

/// What a message under a client's id must be again in a retry.
fn fingerprint(chat_id: ChatId, draft: &MessageDraft, reply_to: Option<MessageId>) -> Fingerprint {
    let mut hash = Sha256::new()
        .chain_update("send\n")
        .chain_update(chat_id.as_uuid().as_bytes())
        .chain_update(reply_to.map_or([0; 16], |id| *id.as_uuid().as_bytes()));
    for file in draft.attachments() {
        hash.update(file.as_uuid().as_bytes());
    }
    if let Some(body) = draft.body() {
        hash.update("\n");
        hash.update(body.as_str());
    }
    Fingerprint(hash.finalize().into())
}

/// Where a client wants to go on; `None` for a frame that says something else.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ResumeFrame {
    r#type: Field<String>,
    positions: Field<Map<String, Value>>,
    token: Field<String>,
}

impl Input for ResumeFrame {
    type Output = Option<Resume>;

    fn parse(self, mut check: Check) -> Result<Option<Resume>, Problem> {
        if self.r#type != Field::Given("resume".to_owned()) {
            return Ok(None);
        }
        let places = check.optional("positions", self.positions, positions);
        let token = check.optional("token", self.token, Ok::<_, &str>);
        let resume = match (places, token) {
            (Some(_), Some(_)) => {
                check.refuse("token", FieldCode::Invalid, "cannot be given together with positions");
                None
            }
            (Some(places), None) => Some(Resume::Positions(places)),
            (None, Some(token)) => Some(Resume::Token(token)),
            (None, None) => Some(Resume::Live),
        };
        check.finish(resume).map(Some)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SendFrame {
    r#ref: Field<String>,
    chat_id: Field<String>,
    client_id: Field<String>,
}

struct SendTo {
    reference: String,
    chat_id: ChatId,
    key: IdempotencyKey,
}

impl Input for SendFrame {
    type Output = SendTo;

    fn parse(self, mut check: Check) -> Result<SendTo, Problem> {
        let reference = check.required("ref", self.r#ref, |reference: String| {
            let short = Some(reference).filter(|reference| reference.len() <= MAX_REFERENCE);
            short.ok_or("must have at most 256 bytes")
        });
        let chat_id = check.required("chat_id", self.chat_id, by_ref(id));
        // Apart from the keys of requests.
        let key = check.required("client_id", self.client_id, |own: String| {
            let own = Some(own).filter(|own| !own.is_empty());
            own.and_then(|own| IdempotencyKey::new(&format!("ws:{own}")).ok())
                .ok_or("must have 1 to 125 printable ASCII characters")
        });
        let fields = reference.zip(chat_id).zip(key);
        check.finish(fields.map(|((reference, chat_id), key)| SendTo {
            reference,
            chat_id,
            key,
        }))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReadFrame {
    chat_id: Field<String>,
    seq: Field<i64>,
}

impl Input for ReadFrame {
    type Output = (ChatId, Seq);

    fn parse(self, mut check: Check) -> Result<(ChatId, Seq), Problem> {
        let chat_id = check.required("chat_id", self.chat_id, by_ref(id));
        let seq = check.required("seq", self.seq, |seq| Seq::new(seq).ok_or("must not be negative"));
        check.finish(chat_id.zip(seq))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TypingFrame {
    chat_id: Field<String>,
    active: Field<bool>,
}

impl Input for TypingFrame {
    type Output = (ChatId, bool);

    fn parse(self, mut check: Check) -> Result<(ChatId, bool), Problem> {
        let chat_id = check.required("chat_id", self.chat_id, by_ref(id));
        let active = check.required("active", self.active, Ok::<_, &str>);
        check.finish(chat_id.zip(active))
    }
}
