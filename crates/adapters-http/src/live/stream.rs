use super::event_json;
use crate::extract::{Authenticated, Extract, Query, Read, State};
use crate::problem::{Kind, Problem};
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde::Deserialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tertulia_application::realtime::{Backlog, Bookmark, Delivery, Listener, LiveEvent, Resume, ResumeError};
use tokio::time::timeout;
use utoipa::IntoParams;

/// How often something is sent, so that nobody on the way takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Where a client that lost the connection was.
pub(crate) struct LastEventId(Option<String>);

impl Extract for LastEventId {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let id = request.headers().get("last-event-id");
        let id = id.and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
        Ok(Self(id.map(str::to_owned)))
    }
}

/// Where to go on.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamQuery {
    /// A token from `ready`, or an event's id; the header `Last-Event-ID` goes before it.
    token: Option<String>,
}

/// Listen by server-sent events
///
/// The data are the frames of the WebSocket: `event`, `reset`, `ready`, `typing`, `presence`. Every event's id is a token
/// that resumes after it.
#[utoipa::path(
    get,
    path = "/events",
    tag = "realtime",
    operation_id = "stream_events",
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that one has")),
    responses((status = 200, description = "The stream", body = String, content_type = "text/event-stream"))
)]
pub(crate) async fn events(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    LastEventId(last): LastEventId,
    Query(query): Query<StreamQuery>,
) -> Result<HttpResponse, Problem> {
    let mut listener = state.services.hub.connect(caller.session()).await?;
    let now = listener.bookmark();
    let token = last.or(query.token);
    let bookmark = match &token {
        Some(token) => Bookmark::at(token).ok_or_else(bad_token)?,
        None => now.clone(),
    };
    let from = token.map_or(Resume::Live, Resume::Token);
    let backlog = listener.resume(from).await.map_err(|error| match error {
        ResumeError::BadToken => bad_token(),
        ResumeError::Failed(failure) => failure.into(),
    })?;
    let source = Source {
        listener,
        backlog: Some(backlog),
        bookmark,
        now,
        ready: VecDeque::from([Bytes::from_static(b"retry: 2000\n\n")]),
    };
    let body = stream::unfold(source, |mut source| async move {
        let chunk = source.next().await?;
        Some((Ok::<_, Infallible>(chunk), source))
    });
    let mut answer = HttpResponse::build(StatusCode::OK).streaming(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that collect answers would keep events back.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(answer)
}

pub(super) fn bad_token() -> Problem {
    Problem::new(
        Kind::Invalid,
        "The token is none of this user's; load everything again.",
    )
}

struct Source {
    listener: Listener,
    backlog: Option<Backlog>,
    bookmark: Bookmark,
    /// Where everything was when the listener came.
    now: Bookmark,
    ready: VecDeque<Bytes>,
}

impl Source {
    /// The next piece of the stream; `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            if let Some(mut backlog) = self.backlog.take() {
                match backlog.next().await {
                    Ok(Some(events)) => {
                        for event in &events {
                            self.event(event);
                        }
                        self.backlog = Some(backlog);
                    }
                    Ok(None) => self.caught_up(&mut backlog),
                    Err(error) => {
                        tracing::warn!(%error, "could not read what a client missed");
                        return None;
                    }
                }
                continue;
            }
            match timeout(HEARTBEAT, self.listener.next()).await {
                Ok(Ok(delivery)) => self.deliver(delivery),
                // The client comes back, and is told then whether it may.
                Ok(Err(_)) => return None,
                Err(_) => {
                    self.listener.note_presence();
                    return Some(Bytes::from_static(b":\n\n"));
                }
            }
        }
    }

    fn caught_up(&mut self, backlog: &mut Backlog) {
        for event in backlog.departures(&self.listener) {
            self.event(&event);
        }
        let chats = backlog.reset();
        self.bookmark.skip_to(&self.now, &backlog.reset_numbers());
        if !chats.is_empty() {
            let chats = chats.into_iter().map(Into::into).collect();
            self.frame(&super::ServerFrame::Reset { chats });
        }
        let token = self.bookmark.token();
        let ready = crate::respond::to_json(&super::ServerFrame::Ready { token: &token });
        self.push(Some(&token), None, &ready);
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Event(event) => self.event(&event),
            Delivery::Typing {
                chat_id,
                user_id,
                active,
            } => self.frame(&super::ServerFrame::Typing {
                chat_id: chat_id.into(),
                user_id: user_id.into(),
                active,
            }),
            Delivery::Presence { user_id, online, at } => self.frame(&super::ServerFrame::Presence {
                user_id: user_id.into(),
                online,
                last_seen_at: at.into(),
            }),
            // Nobody asked for one.
            Delivery::Token(_) => {}
        }
    }

    fn event(&mut self, event: &LiveEvent) {
        self.bookmark.pass(event);
        let token = self.bookmark.token();
        self.push(Some(&token), Some(event.change.name()), &event_json(event));
    }

    fn frame(&mut self, frame: &super::ServerFrame<'_>) {
        self.push(None, None, &crate::respond::to_json(frame));
    }

    /// Data of one line: JSON has no line ends but escaped ones.
    fn push(&mut self, id: Option<&str>, event: Option<&str>, data: &[u8]) {
        let mut chunk = Vec::with_capacity(data.len() + 64);
        for (name, value) in [("id: ", id), ("event: ", event)] {
            if let Some(value) = value {
                chunk.extend_from_slice(name.as_bytes());
                chunk.extend_from_slice(value.as_bytes());
                chunk.push(b'\n');
            }
        }
        chunk.extend_from_slice(b"data: ");
        chunk.extend_from_slice(data);
        chunk.extend_from_slice(b"\n\n");
        self.ready.push_back(chunk.into());
    }
}
