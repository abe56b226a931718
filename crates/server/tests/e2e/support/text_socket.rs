use super::PATIENCE;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A WebSocket with frames of JSON, whatever they mean.
pub(crate) struct TextSocket {
    stream: WebSocketStream<TcpStream>,
}

impl TextSocket {
    /// Opens one at that URL, with a token in the head if there is one.
    pub(crate) async fn open(url: &str, token: Option<&str>) -> Self {
        let rest = url.strip_prefix("http://").unwrap();
        let authority = rest.split('/').next().unwrap();
        let mut request = format!("ws://{rest}").into_client_request().unwrap();
        if let Some(token) = token {
            let value = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let stream = TcpStream::connect(authority).await.unwrap();
        let (stream, _) = client_async(request, stream).await.unwrap();
        Self { stream }
    }

    pub(crate) async fn says(&mut self, frame: Value) {
        self.says_text(&frame.to_string()).await;
    }

    pub(crate) async fn says_text(&mut self, frame: &str) {
        self.stream.send(Message::text(frame)).await.unwrap();
    }

    /// The next frame.
    pub(crate) async fn hears(&mut self) -> Value {
        let heard = self.frame().await;
        heard.unwrap_or_else(|code| panic!("it was closed with {code}"))
    }

    /// The code that it is closed with, which must be next.
    pub(crate) async fn closed(&mut self) -> u16 {
        self.frame().await.unwrap_err()
    }

    async fn frame(&mut self) -> Result<Value, u16> {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await.expect("no frame came");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(Some(close)))) => return Err(close.code.into()),
                other => panic!("the connection ended without a reason: {other:?}"),
            }
        }
    }
}
