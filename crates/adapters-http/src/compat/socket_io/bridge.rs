//! From actix's requests to the library, which was made for hyper's, and back.

use super::tether::{Tether, Tethers};
use super::{Dialect, MAX_PACKET, PATH, doorway};
use crate::HttpState;
use crate::extract::Extract;
use crate::problem::{Kind, Problem};
use actix_http::ws::handshake;
use actix_web::body::BodyStream;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, UPGRADE};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, HttpResponse, rt, web};
use engineioxide::service::NotFoundService;
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::service::Service;
use serde::Deserialize;
use socketioxide::service::SocketIoService;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};

/// Bytes that may be on the way between a connection and the library.
const IN_BETWEEN: usize = 16 * 1024;

/// The library, once for each contract that asks for it: a session may move between listeners and workers.
pub(crate) struct Sockets {
    state: Arc<HttpState>,
    servers: Mutex<HashMap<&'static str, Server>>,
}

/// The library for one contract.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) service: SocketIoService<NotFoundService>,
    pub(super) tethers: Arc<Tethers>,
}

impl Sockets {
    pub(crate) fn new(state: Arc<HttpState>) -> Self {
        Self {
            state,
            servers: Mutex::default(),
        }
    }

    fn server<D: Dialect>(&self) -> Server {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let open = || Server {
            service: doorway::open::<D>(Arc::clone(&self.state)),
            tethers: Arc::default(),
        };
        servers.entry(D::CONTRACT).or_insert_with(open).clone()
    }
}

/// A request of the protocol.
pub(crate) struct Exchange {
    request: HttpRequest,
    payload: web::Payload,
    sockets: web::Data<Sockets>,
}

impl Extract for Exchange {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let sockets = request.app_data::<web::Data<Sockets>>().cloned();
        let payload = web::Payload::from_request(request, payload).await;
        Ok(Self {
            request: request.clone(),
            payload: payload.map_err(|error| malformed(error.to_string()))?,
            sockets: sockets.ok_or_else(|| Problem::internal("the app was configured without its sockets"))?,
        })
    }
}

/// What of the query concerns us.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Session {
    transport: String,
    sid: Option<String>,
}

impl Exchange {
    /// What the library answers.
    pub(crate) async fn answer<D: Dialect>(self) -> Result<HttpResponse, Problem> {
        let server = self.sockets.server::<D>();
        let session = web::Query::<Session>::from_query(self.request.query_string());
        let session = session.map(web::Query::into_inner).unwrap_or_default();
        let upgrade = self.request.headers().get(UPGRADE);
        let upgrade = upgrade.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"));
        if upgrade != (session.transport == "websocket") {
            return Err(malformed(
                "A WebSocket, and nothing else, is asked for as the transport websocket.",
            ));
        }
        let tether = match &session.sid {
            Some(sid) => server
                .tethers
                .find(sid)
                .ok_or_else(|| malformed("There is no such session."))?,
            None => Tether::new(),
        };
        tether.hear();
        if upgrade {
            self.open(&server, tether)
        } else {
            self.poll(&server, tether, session.sid.is_none()).await
        }
    }

    /// Passes a request on, and the answer back.
    async fn poll(self, server: &Server, tether: Arc<Tether>, begins: bool) -> Result<HttpResponse, Problem> {
        let head = self.head(&tether);
        let body = self.payload.to_bytes_limited(MAX_PACKET).await;
        let body = body.map_err(|_| Problem::new(Kind::PayloadTooLarge, "The body is too large."))?;
        let body = body.map_err(|error| malformed(error.to_string()))?;
        let request = head.body(Full::new(body)).map_err(Problem::internal)?;
        let answer = tokio::select! {
            answer = Service::call(&server.service, request) => answer.unwrap_or_else(|never| match never {}),
            () = tether.is_cut() => return Err(malformed("The session has ended.")),
        };
        let (head, body) = answer.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| Problem::internal(error.to_string()))?;
        let body = body.to_bytes();
        match head.status {
            http::StatusCode::OK => {}
            http::StatusCode::PAYLOAD_TOO_LARGE => return Err(Problem::new(Kind::PayloadTooLarge, "too large")),
            _ => return Err(malformed(String::from_utf8_lossy(&body).into_owned())),
        }
        if begins && let Some(session) = session_of(&body) {
            server.tethers.hold(session, &tether);
        }
        let media_type = head.headers.get(http::header::CONTENT_TYPE);
        let media_type = media_type.map_or(&b"text/plain; charset=UTF-8"[..], |value| value.as_bytes());
        Ok(HttpResponse::build(StatusCode::OK)
            .insert_header((CONTENT_TYPE, media_type))
            .body(body))
    }

    /// Puts the library at the other end of a WebSocket.
    fn open(self, server: &Server, tether: Arc<Tether>) -> Result<HttpResponse, Problem> {
        let mut answer = handshake(self.request.head())
            .map_err(|error| malformed(format!("This is no WebSocket handshake: {error}.")))?;
        let request = self.head(&tether).body(()).map_err(Problem::internal)?;
        let (ours, theirs) = duplex(IN_BETWEEN);
        let (from_library, to_library) = split(ours);
        let opened = Service::call(&server.service, (theirs, request)).into_inner();
        opened.map_err(|error| malformed(error.to_string()))?;
        rt::spawn(pass_on(self.payload.into_inner(), to_library, Arc::clone(&tether)));
        let body = BodyStream::new(Box::pin(frames(from_library, tether)));
        let answer = answer
            .message_body(body)
            .map_err(|error| Problem::internal(error.to_string()))?;
        Ok(HttpResponse::from(answer.map_into_boxed_body()))
    }

    fn head(&self, tether: &Arc<Tether>) -> http::request::Builder {
        let uri = format!("{PATH}/?{}", self.request.query_string());
        let head = http::Request::builder().method(self.request.method().as_str()).uri(uri);
        let headers = self.request.headers().iter();
        let head = headers.fold(head, |head, (name, value)| head.header(name.as_str(), value.as_bytes()));
        head.extension(Arc::clone(tether))
    }
}

/// Of the packet that opens a session: `0{"sid":"…",…}`.
fn session_of(packet: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Opened {
        sid: String,
    }
    let opened: Opened = serde_json::from_slice(packet.strip_prefix(b"0")?).ok()?;
    Some(opened.sid)
}

/// What comes from the peer, until one of the two ends.
async fn pass_on(mut payload: Payload, mut to: WriteHalf<DuplexStream>, tether: Arc<Tether>) {
    let copying = async {
        while let Some(Ok(chunk)) = payload.next().await {
            tether.hear();
            if to.write_all(&chunk).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = copying => {}
        () = tether.is_cut() => {}
    }
    // It was in memory alone, so nothing can go wrong that matters.
    let _ = to.shutdown().await;
}

/// What goes to the peer, until one of the two ends.
fn frames(from: ReadHalf<DuplexStream>, tether: Arc<Tether>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((from, tether), async |(mut from, tether)| {
        let mut chunk = BytesMut::with_capacity(1024);
        let read = tokio::select! {
            read = from.read_buf(&mut chunk) => read,
            () = tether.is_cut() => Ok(0),
        };
        match read {
            Ok(0) => None,
            Ok(_) => Some((Ok(chunk.freeze()), (from, tether))),
            Err(error) => Some((Err(error), (from, tether))),
        }
    })
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(Kind::Malformed, detail)
}
