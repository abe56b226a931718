//! A WebSocket of somebody who listens, whatever is said over it: signs of life, time-outs, limits, and how it ends.

use super::entrance::Upgrade;
use crate::extract::State;
use crate::problem::{Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Closed, ProtocolError, Session};
use bytestring::ByteString;
use futures_util::{FutureExt, StreamExt};
use serde::Serialize;
use std::time::Duration;
use tertulia_application::realtime::{Closing, Delivery, Listener};
use tertulia_domain::ClaimedSession;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout, timeout_at};

/// How often the server pings. Who says nothing from one ping to the next is taken for gone: in less than a minute.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(20);

/// How long a frame may take to be taken by the connection.
const SEND_PATIENCE: Duration = Duration::from_secs(20);

/// How long a peer may take to hear that it was closed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);

/// Bytes of a frame at the most.
pub(crate) const MAX_FRAME: usize = 64 * 1024;

/// Commands a second, and how many at once.
pub(crate) const COMMANDS: u32 = 50;
const BURST: u32 = 200;

/// Within that time clients come back after the server stopped.
const SPREAD_MILLIS: u64 = 10_000;

/// The protocol's own codes of closing.
const SESSION_ENDED: u16 = 4001;
const RESUME: u16 = 4002;

/// One connection.
pub(crate) struct Line {
    state: State,
    listener: Listener,
    session: Session,
    incoming: AggregatedMessageStream,
    allowance: Allowance,
    heartbeat: Interval,
    /// Whether the peer was pinged and has said nothing since.
    asked: bool,
}

/// What is next.
pub(crate) enum Turn {
    /// Something is to be told.
    Told(Delivery),
    /// The client says something.
    Said(ByteString),
    /// The server pinged.
    Beat,
}

/// Why a connection ends.
pub(crate) enum End {
    /// The peer closed it or is gone.
    Gone,
    Told(CloseReason),
}

impl End {
    pub(crate) fn told(code: CloseCode, text: &str) -> Self {
        Self::Told(CloseReason {
            code,
            description: Some(text.to_owned()),
        })
    }

    /// It can't go on for now.
    pub(crate) fn for_now() -> Self {
        Self::told(CloseCode::Again, "try again later")
    }
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Gone
    }
}

impl Line {
    /// Makes a connection of a request: the answer to that, and the connection. What is committed from now on comes over it.
    pub(crate) async fn open(
        state: State,
        who: ClaimedSession,
        upgrade: Upgrade,
    ) -> Result<(HttpResponse, Self), Problem> {
        let (answer, session, incoming) = actix_ws::handle(&upgrade.request, upgrade.payload)
            .map_err(|error| Problem::new(Kind::Malformed, format!("This is no WebSocket handshake: {error}.")))?;
        let listener = state.services.hub.connect(who).await?;
        let mut heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let line = Self {
            state,
            listener,
            session,
            incoming: incoming
                .max_frame_size(MAX_FRAME)
                .aggregate_continuations()
                .max_continuation_size(MAX_FRAME),
            allowance: Allowance::full(),
            heartbeat,
            asked: false,
        };
        Ok((answer, line))
    }

    /// What there is to be told.
    pub(crate) const fn listener(&mut self) -> &mut Listener {
        &mut self.listener
    }

    /// Waits for what is next. To be waited for to the end.
    pub(crate) async fn turn(&mut self) -> Result<Turn, End> {
        loop {
            tokio::select! {
                delivery = self.listener.next() => {
                    return delivery.map(Turn::Told).map_err(|closing| self.reason(closing));
                }
                message = self.incoming.next() => {
                    if let Some(text) = self.hear(message).await? {
                        return Ok(Turn::Said(text));
                    }
                }
                _ = self.heartbeat.tick() => {
                    if self.asked {
                        // What it said may be there and not have been looked at yet.
                        let message = self.incoming.next().now_or_never().ok_or(End::Gone)?;
                        if let Some(text) = self.hear(message).await? {
                            return Ok(Turn::Said(text));
                        }
                    }
                    self.asked = true;
                    taken(self.session.ping(b"")).await?;
                    return Ok(Turn::Beat);
                }
            }
        }
    }

    /// What the client says within that time. To be waited for to the end.
    pub(crate) async fn said_within(&mut self, time: Duration) -> Result<Option<ByteString>, End> {
        let deadline = Instant::now() + time;
        while let Ok(message) = timeout_at(deadline, self.incoming.next()).await {
            if let Some(text) = self.hear(message).await? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    async fn hear(
        &mut self,
        message: Option<Result<AggregatedMessage, ProtocolError>>,
    ) -> Result<Option<ByteString>, End> {
        self.asked = false;
        let message = match message {
            None | Some(Ok(AggregatedMessage::Close(_))) => return Err(End::Gone),
            Some(Err(ProtocolError::Overflow)) => return Err(End::told(CloseCode::Size, "the frame is too large")),
            Some(Err(_)) => return Err(End::told(CloseCode::Protocol, "this is not the protocol")),
            Some(Ok(message)) => message,
        };
        self.listener.note_presence();
        match message {
            AggregatedMessage::Text(text) => Ok(Some(text)),
            AggregatedMessage::Ping(payload) => {
                taken(self.session.pong(&payload)).await?;
                Ok(None)
            }
            AggregatedMessage::Binary(_) => Err(End::told(CloseCode::Unsupported, "frames are texts")),
            AggregatedMessage::Pong(_) | AggregatedMessage::Close(_) => Ok(None),
        }
    }

    /// Whether the client may give one more command.
    pub(crate) fn admit(&mut self) -> Result<Result<(), Problem>, End> {
        match self.allowance.take() {
            Taken::Yes => Ok(Ok(())),
            Taken::No => Ok(Err(Problem::new(
                Kind::RateLimited,
                "Too many commands; wait a moment.",
            ))),
            Taken::FarTooMany => Err(End::told(CloseCode::Policy, "too many commands")),
        }
    }

    /// Sends JSON.
    pub(crate) async fn say(&mut self, frame: &impl Serialize) -> Result<(), End> {
        self.say_bytes(respond::to_json(frame)).await
    }

    /// Sends what is JSON already.
    pub(crate) async fn say_bytes(&mut self, frame: impl Into<actix_web::web::Bytes>) -> Result<(), End> {
        let text = ByteString::try_from(frame.into()).map_err(|_| End::Gone)?;
        taken(self.session.text(text)).await
    }

    /// Ends it.
    pub(crate) async fn close(self, end: End) {
        let reason = match end {
            End::Gone => None,
            End::Told(reason) => Some(reason),
        };
        let Self { session, listener, .. } = self;
        drop(listener);
        // A peer that does not take it is gone as well.
        let _ = timeout(CLOSE_PATIENCE, session.close(reason)).await;
    }

    /// What the client is told of why it is closed.
    pub(crate) fn reason(&self, closing: Closing) -> End {
        match closing {
            Closing::SessionEnded => End::told(CloseCode::Other(SESSION_ENDED), "the session has ended"),
            Closing::TooSlow => End::told(CloseCode::Other(RESUME), "too slow; resume"),
            Closing::Interrupted => End::told(CloseCode::Other(RESUME), "interrupted; resume"),
            Closing::Stopping => {
                // Whoever it is, not all at once.
                let random = self.state.ids.next().as_u64_pair().1;
                let delay = random % SPREAD_MILLIS;
                End::told(CloseCode::Restart, &format!("{{\"reconnect_after_ms\":{delay}}}"))
            }
        }
    }
}

async fn taken(sending: impl Future<Output = Result<(), Closed>>) -> Result<(), End> {
    let slow = |_| End::told(CloseCode::Other(RESUME), "too slow; resume");
    timeout(SEND_PATIENCE, sending).await.map_err(slow)??;
    Ok(())
}

/// How many commands a client may give. One that is refused counts as well: who goes on is shut out.
struct Allowance {
    left: f64,
    at: Instant,
}

enum Taken {
    Yes,
    No,
    FarTooMany,
}

impl Allowance {
    fn full() -> Self {
        Self {
            left: f64::from(BURST),
            at: Instant::now(),
        }
    }

    fn take(&mut self) -> Taken {
        let now = Instant::now();
        let gained = now.duration_since(self.at).as_secs_f64() * f64::from(COMMANDS);
        self.left = (self.left + gained).min(f64::from(BURST)) - 1.0;
        self.at = now;
        if self.left >= 0.0 {
            Taken::Yes
        } else if self.left >= -f64::from(BURST) {
            Taken::No
        } else {
            Taken::FarTooMany
        }
    }
}
