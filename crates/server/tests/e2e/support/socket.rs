use super::frames::Frames;
use super::{Api, PATIENCE, Person};
use futures_util::{SinkExt, StreamExt};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// A WebSocket of the native API. Every frame that comes is held against its description.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    frames: Frames,
    /// What the handshake was answered with.
    pub(crate) headers: HeaderMap,
    pub(crate) hello: Value,
    /// Frames of presence, which may come at any time.
    presences: VecDeque<Value>,
}

impl Socket {
    /// Opens one at that path. Gives the status of the answer if it is none.
    pub(crate) async fn open(api: &Api, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let frames = Frames::of(api).await;
        let authority = api.base().strip_prefix("http://").unwrap();
        let mut request = format!("ws://{authority}/api/v1{path}").into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request
                .headers_mut()
                .insert(name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(authority).await.unwrap();
        let (stream, answer) = match client_async(request, stream).await {
            Ok(opened) => opened,
            Err(Error::Http(answer)) => return Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        };
        let mut socket = Self {
            stream,
            frames,
            headers: answer.headers().clone(),
            hello: Value::Null,
            presences: VecDeque::new(),
        };
        socket.hello = socket.next().await;
        assert_eq!(socket.hello["type"], "hello", "{}", socket.hello);
        Ok(socket)
    }

    pub(crate) async fn say(&mut self, frame: Value) {
        self.say_text(&frame.to_string()).await;
    }

    pub(crate) async fn say_text(&mut self, frame: &str) {
        self.stream.send(Message::text(frame)).await.unwrap();
    }

    /// Says something that need not arrive: the other end may have closed the connection.
    pub(crate) async fn try_say(&mut self, frame: Message) {
        let _ = self.stream.send(frame).await;
    }

    /// The next frame, presence left out.
    pub(crate) async fn next(&mut self) -> Value {
        self.try_next().await.expect("the connection is open")
    }

    /// The same, or how the connection was closed.
    pub(crate) async fn try_next(&mut self) -> Result<Value, (u16, String)> {
        loop {
            let frame = self.frame().await?;
            if frame["type"] != "presence" {
                return Ok(frame);
            }
            self.presences.push_back(frame);
        }
    }

    /// The next frame, which must be an event.
    pub(crate) async fn event(&mut self) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["type"], "event", "{frame}");
        frame
    }

    /// The next frame about somebody's presence.
    pub(crate) async fn presence(&mut self) -> Value {
        loop {
            if let Some(frame) = self.presences.pop_front() {
                return frame;
            }
            let frame = self.frame().await.unwrap();
            if frame["type"] == "presence" {
                return frame;
            }
        }
    }

    /// How often that user's coming or going was shown in what was read until now.
    pub(crate) fn presences_so_far(&self, user: &Person) -> usize {
        let of_user = |frame: &&Value| frame["user_id"] == user.id;
        self.presences.iter().filter(of_user).count()
    }

    /// Reads to the end: the code and the reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Err(closed) = self.frame().await {
                return closed;
            }
        }
    }

    /// What comes up to `ready`, and its token.
    pub(crate) async fn until_ready(&mut self) -> (Vec<Value>, String) {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "ready" {
                return (frames, frame["token"].as_str().unwrap().to_owned());
            }
            frames.push(frame);
        }
    }

    /// Asks for a pong and gives what comes before it.
    pub(crate) async fn until_pong(&mut self) -> Vec<Value> {
        self.say(json!({"type": "ping"})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "pong" {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Goes on after these places, and gives what was missed and the token behind it.
    pub(crate) async fn resume(&mut self, from: Value) -> (Vec<Value>, String) {
        let mut frame = from;
        frame["type"] = json!("resume");
        self.say(frame).await;
        self.until_ready().await
    }

    /// The next frame, or how the connection was closed.
    async fn frame(&mut self) -> Result<Value, (u16, String)> {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await.expect("no frame came");
            match message {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    self.frames.check(&frame);
                    return Ok(frame);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(close)))) => return Err((close.code.into(), close.reason.to_string())),
                other => panic!("the connection ended without a reason: {other:?}"),
            }
        }
    }
}

impl Person {
    /// Opens a WebSocket and says nothing.
    pub(crate) async fn connect(&self) -> Socket {
        self.try_connect().await.unwrap()
    }

    pub(crate) async fn try_connect(&self) -> Result<Socket, u16> {
        let bearer = format!("Bearer {}", self.access);
        Socket::open(self.api(), "/ws", &[("authorization", &bearer)]).await
    }

    /// Opens a WebSocket and hears from now on what happens.
    pub(crate) async fn listen(&self) -> Socket {
        let (socket, missed, _) = self.resume(json!({})).await;
        assert!(missed.is_empty(), "{missed:?}");
        socket
    }

    /// Opens a WebSocket and goes on where that says: also gives what was missed and the token behind it.
    pub(crate) async fn resume(&self, from: Value) -> (Socket, Vec<Value>, String) {
        let mut socket = self.connect().await;
        let (missed, token) = socket.resume(from).await;
        (socket, missed, token)
    }
}
