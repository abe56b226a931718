use super::{PATIENCE, Person};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::timeout;

/// A stream of server-sent events.
pub(crate) struct SentEvents {
    response: Response,
    buffer: String,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct SentEvent {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) data: Value,
}

impl SentEvents {
    /// The next one.
    pub(crate) async fn next(&mut self) -> SentEvent {
        self.try_next().await.expect("the stream has ended")
    }

    /// The next one, presence left out; `None` at the end of the stream.
    pub(crate) async fn try_next(&mut self) -> Option<SentEvent> {
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.buffer = rest;
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|line| line.strip_prefix(": ").unwrap().to_owned())
                };
                if let Some(data) = field("data") {
                    let data: Value = serde_json::from_str(&data).unwrap();
                    if data["type"] != "presence" {
                        return Some(SentEvent {
                            id: field("id"),
                            name: field("event"),
                            data,
                        });
                    }
                }
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("nothing came");
            // A stream that is cut off has ended as well.
            let chunk = chunk.ok().flatten()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

impl Person {
    /// Listens by server-sent events, after that one if there is one.
    pub(crate) async fn stream(&self, last: Option<&str>) -> SentEvents {
        let mut request = self.request(Method::GET, "/events");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        SentEvents {
            response,
            buffer: String::new(),
        }
    }
}
