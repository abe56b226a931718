use super::Ends;
use super::cluster::Cluster;
use super::random::Random;
use super::socket::Socket;
use crate::support::{Answer, Person};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Error;

/// How long anything may take before it is tried elsewhere: a process that is killed need not say so.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take until everybody knows everything in the end.
const LIMIT: Duration = Duration::from_mins(2);

/// By which way somebody listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// WebSocket, going on with a token.
    Token,
    /// WebSocket, going on with a token or with positions.
    Any,
    /// Server-sent events.
    Stream,
    /// Long poll.
    Poll,
}

/// An event, by what does not depend on when one is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) seq: i64,
    pub(super) event: String,
    pub(super) about: String,
}

impl Told {
    /// The chat, and what happened there.
    pub(super) fn from(frame: &Value) -> (String, Self) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (event, data) = (text(&frame["event"]), &frame["data"]);
        let about = match event.as_str() {
            "member.added" | "member.updated" => format!("{} {}", text(&data["user"]["id"]), text(&data["role"])),
            "member.removed" => text(&data["user_id"]),
            "read.updated" => format!("{} {}", text(&data["user_id"]), data["read_seq"]),
            _ => text(&data["id"]),
        };
        let told = Self {
            seq: frame["event_seq"].as_i64().unwrap(),
            event,
            about,
        };
        (text(&frame["chat_id"]), told)
    }
}

/// What somebody was told.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) who: String,
    pub(super) how: String,
    /// Of each chat, in the order in which it came.
    pub(super) chats: HashMap<String, Vec<Told>>,
    /// What should not have come.
    pub(super) strange: Vec<String>,
    pub(super) deliveries: usize,
    /// Events that came again because a token stood before them.
    pub(super) again: usize,
    pub(super) connections: usize,
    /// Connections that ended before it was known where they went on, or too late.
    pub(super) unsettled: usize,
}

/// Somebody who listens, and changes to another node all the time.
pub(super) struct Listener {
    person: Person,
    how: How,
    cluster: Arc<Cluster>,
    random: Random,
    heard: Heard,
    token: Option<String>,
    /// How much was heard of each chat when the token came.
    mark: HashMap<String, usize>,
}

impl Listener {
    /// One who has heard what happened until now.
    pub(super) async fn of(person: &Person, how: How, cluster: Arc<Cluster>, random: Random) -> Self {
        let mut listener = Self {
            person: person.clone(),
            how,
            cluster,
            random,
            heard: Heard {
                who: person.id.clone(),
                how: format!("{how:?}"),
                ..Heard::default()
            },
            token: None,
            mark: HashMap::new(),
        };
        listener.begin().await;
        listener
    }

    /// Hears everything from the beginning, to have a token.
    async fn begin(&mut self) {
        let mut socket = Socket::open(&self.cluster.api(0), &self.person.access).await.unwrap();
        let positions: HashMap<String, i64> = self.chats().await.into_iter().map(|chat| (chat, 0)).collect();
        socket
            .say(&json!({"type": "resume", "positions": positions}))
            .await
            .unwrap();
        socket.say(&json!({"type": "ping"})).await.unwrap();
        let mut settled = false;
        while !settled || self.token.is_none() {
            let frame = socket.next().await.unwrap();
            if frame["type"] == "pong" {
                settled = true;
            } else {
                self.take(&frame);
            }
        }
        // It names this place, also if it came before what was missed: nobody says anything yet.
        self.mark = self.lengths();
    }

    async fn chats(&self) -> Vec<String> {
        let chats = self.person.at(&self.cluster.api(0)).walk("/chats", 100).await;
        let ids = chats.iter().map(|chat| chat["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    /// Until everything was heard.
    pub(super) async fn run(mut self, mut ends: watch::Receiver<Ends>) -> Heard {
        let mut limit = None;
        loop {
            let until = ends
                .borrow_and_update()
                .as_ref()
                .map(|ends| ends[&self.heard.who].clone());
            if let Some(until) = &until {
                let limit = *limit.get_or_insert_with(|| Instant::now() + LIMIT);
                if Instant::now() > limit {
                    let missing = self.missing(until);
                    self.heard.strange.push(format!("did not hear the end of {missing:?}"));
                    return self.heard;
                }
            }
            // In the end nobody goes away: what comes by itself has to be enough.
            let lifetime = if until.is_some() {
                PATIENCE
            } else {
                self.random.millis(20, 1_500)
            };
            let deadline = Instant::now() + lifetime;
            match self.how {
                How::Token | How::Any => self.listen(deadline, until.as_ref()).await,
                How::Stream => self.stream(deadline, until.as_ref()).await,
                How::Poll => self.poll(deadline, until.as_ref()).await,
            }
            if let Some(until) = &until
                && self.missing(until).is_empty()
            {
                return self.heard;
            }
            sleep(self.random.millis(0, 200)).await;
        }
    }

    async fn listen(&mut self, deadline: Instant, until: Option<&HashMap<String, i64>>) {
        let api = self.cluster.any(&mut self.random);
        let Ok(Ok(mut socket)) = timeout(PATIENCE, Socket::open(&api, &self.person.access)).await else {
            return;
        };
        self.heard.connections += 1;
        let resume = if self.how == How::Any && self.random.below(2) == 0 {
            let positions: HashMap<&str, i64> = self
                .heard
                .chats
                .iter()
                .map(|(chat, told)| (&**chat, last(told)))
                .collect();
            json!({"type": "resume", "positions": positions})
        } else {
            self.back_to_token();
            json!({"type": "resume", "token": self.token})
        };
        // A machine that is busy may let the stream begin before it hears where to go on, and then has chats loaded again. What
        // was told and promised until the answer to the ping is void then: whoever comes again may have it all.
        let before = (self.lengths(), self.token.clone(), self.mark.clone());
        let mut settled = false;
        if self.resume(&mut socket, &resume).await.is_ok() {
            while let Ok(Ok(frame)) = timeout_at(deadline, socket.next()).await {
                match frame["type"].as_str().unwrap() {
                    "pong" if settled => break,
                    "pong" => settled = true,
                    "reset" if !settled => break,
                    "ready" if !settled => {}
                    _ => self.take(&frame),
                }
                if settled && until.is_some_and(|until| self.missing(until).is_empty()) {
                    // What is on its way yet would be too much.
                    if socket.say(&json!({"type": "ping"})).await.is_err() {
                        break;
                    }
                }
            }
        }
        if !settled {
            self.heard.unsettled += 1;
            (self.mark, self.token) = (before.0, before.1);
            self.back_to_token();
            self.mark = before.2;
        }
    }

    async fn resume(&self, socket: &mut Socket, resume: &Value) -> Result<(), Error> {
        socket.say(resume).await?;
        socket.say(&json!({"type": "ping"})).await
    }

    async fn stream(&mut self, deadline: Instant, until: Option<&HashMap<String, i64>>) {
        let token = self.token.clone().unwrap();
        let request = self.request("/events").header("Last-Event-ID", token);
        let Ok(Ok(mut answer)) = timeout(PATIENCE, request.send()).await else {
            return;
        };
        if answer.status() != 200 {
            self.refused(answer.status().as_u16());
            return;
        }
        self.heard.connections += 1;
        let mut buffer = Vec::new();
        while let Ok(Ok(Some(chunk))) = timeout_at(deadline, answer.chunk()).await {
            buffer.extend_from_slice(&chunk);
            while let Some(end) = buffer.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = buffer.drain(..end + 2).collect();
                self.take_block(std::str::from_utf8(&block).unwrap());
            }
            if until.is_some_and(|until| self.missing(until).is_empty()) {
                return;
            }
        }
    }

    fn take_block(&mut self, block: &str) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
        if let Some(data) = field("data: ") {
            self.take(&serde_json::from_str(data).unwrap());
        }
        if let Some(id) = field("id: ") {
            self.keep_token(id);
        }
    }

    async fn poll(&mut self, deadline: Instant, until: Option<&HashMap<String, i64>>) {
        while Instant::now() < deadline {
            let token = self.token.clone().unwrap();
            let request = self.request(&format!("/sync?timeout=1&token={token}"));
            let Ok(Ok(answer)) = timeout(PATIENCE, Answer::try_to(request)).await else {
                return;
            };
            if answer.status != 200 {
                self.refused(answer.status);
                return;
            }
            self.heard.connections += 1;
            let synced = answer.json();
            for frame in synced["events"].as_array().unwrap() {
                self.take(frame);
            }
            if synced["reset"] != json!([]) {
                self.heard.strange.push(format!("{synced}"));
            }
            self.keep_token(synced["token"].as_str().unwrap());
            if until.is_some_and(|until| self.missing(until).is_empty()) {
                return;
            }
        }
    }

    fn request(&mut self, path: &str) -> RequestBuilder {
        let api = self.cluster.any(&mut self.random);
        self.person.at(&api).request(Method::GET, path)
    }

    /// Only those that are just starting or overloaded may refuse.
    fn refused(&mut self, status: u16) {
        if status != 503 {
            self.heard.strange.push(format!("was refused with {status}"));
        }
    }

    fn take(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "event" => {
                let (chat, told) = Told::from(frame);
                self.heard.deliveries += 1;
                self.heard.chats.entry(chat).or_default().push(told);
            }
            "ready" => self.keep_token(frame["token"].as_str().unwrap()),
            "hello" | "presence" | "typing" => {}
            // Told before the connection is closed, to be tried again.
            "error" if frame["code"] == "unavailable" || frame["code"] == "overloaded" => {}
            _ => self.heard.strange.push(frame.to_string()),
        }
    }

    fn keep_token(&mut self, token: &str) {
        self.token = Some(token.to_owned());
        self.mark = self.lengths();
    }

    fn lengths(&self) -> HashMap<String, usize> {
        let chats = self.heard.chats.iter();
        chats.map(|(chat, told)| (chat.clone(), told.len())).collect()
    }

    /// Forgets what came after the token: it comes again.
    fn back_to_token(&mut self) {
        let (mark, again) = (&self.mark, &mut self.heard.again);
        self.heard.chats.retain(|chat, told| {
            let kept = mark.get(chat).copied().unwrap_or_default();
            *again += told.len() - kept;
            told.truncate(kept);
            kept > 0
        });
    }

    /// The chats whose last event was not told yet.
    fn missing(&self, until: &HashMap<String, i64>) -> Vec<String> {
        let told = |chat: &String| self.heard.chats.get(chat).map(|told| last(told)).unwrap_or_default();
        let missing = until.iter().filter(|(chat, end)| told(chat) < **end);
        missing.map(|(chat, _)| chat.clone()).collect()
    }
}

fn last(told: &[Told]) -> i64 {
    told.iter().map(|told| told.seq).max().unwrap_or_default()
}
