use super::cluster::Cluster;
use super::proof::Chat;
use super::random::Random;
use super::socket::Socket;
use crate::support::{Answer, Person};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How long an answer may take before it is asked for again elsewhere.
const PATIENCE: Duration = Duration::from_secs(10);

/// A message that somebody tried to send.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) chat: String,
    pub(super) body: String,
    /// Whether it was tried until it was acknowledged.
    pub(super) keyed: bool,
    /// If it was acknowledged.
    pub(super) id: Option<String>,
    /// Whether its sender wanted it deleted.
    pub(super) deleted: bool,
}

/// Somebody who sends by all ways, and changes what they sent.
pub(super) struct Sender {
    n: usize,
    person: Person,
    chats: Vec<Chat>,
    cluster: Arc<Cluster>,
    random: Random,
    socket: Option<Socket>,
    sent: Vec<Sent>,
}

impl Sender {
    pub(super) fn of(n: usize, person: Person, chats: Vec<Chat>, cluster: Arc<Cluster>, random: Random) -> Self {
        Self {
            n,
            person,
            chats,
            cluster,
            random,
            socket: None,
            sent: Vec::new(),
        }
    }

    /// Until told to stop; what was begun is finished.
    pub(super) async fn run(mut self, stopped: watch::Receiver<bool>) -> Vec<Sent> {
        while !*stopped.borrow() {
            let chat = self.random.one(&self.chats).clone();
            match self.random.below(20) {
                0..=4 => self.send_keyed(&chat).await,
                5..=9 => self.send_by_socket(&chat).await,
                10..=14 => self.send_by_contract(&chat).await,
                15 => self.edit().await,
                16 => self.delete().await,
                17 if chat.group => self.rename(&chat).await,
                _ => self.read(&chat).await,
            }
            sleep(self.random.millis(0, 20)).await;
        }
        // The last word in each chat, after which nothing of this sender comes.
        for chat in self.chats.clone() {
            self.send_keyed(&chat).await;
        }
        self.sent
    }

    fn here(&mut self) -> Person {
        self.person.at(&self.cluster.any(&mut self.random))
    }

    fn body(&self) -> String {
        format!("{}-{}", self.n, self.sent.len())
    }

    fn note(&mut self, chat: &Chat, body: String, keyed: bool, id: Option<&Value>) {
        self.sent.push(Sent {
            chat: chat.id.clone(),
            body,
            keyed,
            id: id.map(|id| id.as_str().unwrap().to_owned()),
            deleted: false,
        });
    }

    async fn send_keyed(&mut self, chat: &Chat) {
        let body = self.body();
        loop {
            let request = self
                .here()
                .request(Method::POST, &format!("/chats/{}/messages", chat.id));
            let request = request.header("Idempotency-Key", &body).json(&json!({"body": body}));
            if let Some(answer) = answer(request).await {
                let message = answer.is(201);
                return self.note(chat, body, true, Some(&message["id"]));
            }
            sleep(self.random.millis(5, 100)).await;
        }
    }

    async fn send_by_socket(&mut self, chat: &Chat) {
        let body = self.body();
        let send = json!({"type": "send", "ref": body, "chat_id": chat.id, "client_id": body, "body": body});
        loop {
            if let Ok(Some(id)) = timeout(PATIENCE, self.try_by_socket(&send)).await {
                return self.note(chat, body, true, Some(&id));
            }
            self.socket = None;
            sleep(self.random.millis(5, 100)).await;
        }
    }

    /// The message's id. Sends it twice now and then, which makes no difference.
    async fn try_by_socket(&mut self, send: &Value) -> Option<Value> {
        if self.socket.is_none() {
            let here = self.here();
            self.socket = Some(Socket::open(here.api(), &here.access).await.ok()?);
        }
        let times = if self.random.below(8) == 0 { 2 } else { 1 };
        let socket = self.socket.as_mut()?;
        for _ in 0..times {
            socket.say(send).await.ok()?;
        }
        let mut acknowledged = Vec::new();
        while acknowledged.len() < times {
            let frame = socket.next().await.ok()?;
            if frame["ref"] == send["ref"] {
                if frame["type"] == "error" {
                    assert!(
                        frame["code"] == "unavailable" || frame["code"] == "overloaded",
                        "{frame}"
                    );
                    return None;
                }
                acknowledged.push(frame["message"]["id"].clone());
            }
        }
        acknowledged.dedup();
        assert_eq!(acknowledged.len(), 1, "{acknowledged:?}");
        acknowledged.pop()
    }

    /// These know no keys: what is not acknowledged may be there or not.
    async fn send_by_contract(&mut self, chat: &Chat) {
        let body = self.body();
        let here = self.here();
        let post = |path: &str| {
            let request = here.api().request_root(Method::POST, &format!("/compat/{path}"));
            request.bearer_auth(&here.access)
        };
        let receiver = chat.members.iter().find(|member| **member != here.id);
        let (request, id): (_, fn(&Value) -> &Value) = match self.random.below(if chat.group { 3 } else { 4 }) {
            0 => {
                let message = json!({"chatId": chat.id, "content": body});
                (post("amigos/api/messages").json(&message), |answer| &answer["id"])
            }
            1 => {
                let message = json!({"chatId": chat.id, "receiverId": receiver, "content": body});
                (post("participants/api/messages").json(&message), |answer| {
                    &answer["data"]["_id"]
                })
            }
            2 => {
                let form = format!("content={body}");
                let request = post(&format!("cookies/api/chats/{}", chat.id)).body(form);
                let request = request.header("Content-Type", "application/x-www-form-urlencoded");
                (request, |answer| &answer["id"])
            }
            _ => {
                let message = json!({"conv": chat.number, "content": body});
                (post("company/api/messages").json(&message), |answer| &answer["id"])
            }
        };
        match answer(request).await {
            Some(answer) => {
                let message = answer.is(201);
                let id = id(&message);
                // Some have ids of their own.
                let id = id.as_str().filter(|id| id.len() == 36).map(|_| id);
                self.note(chat, body, false, id);
            }
            None => self.note(chat, body, false, None),
        }
    }

    /// One of the messages whose id is known.
    fn own(&mut self) -> Option<usize> {
        let known = |sent: &&Sent| sent.id.is_some() && !sent.deleted;
        let count = self.sent.iter().filter(known).count();
        let nth = self.random.below(count.max(1));
        let found = self.sent.iter().enumerate().filter(|(_, sent)| known(sent)).nth(nth);
        found.map(|(place, _)| place)
    }

    fn path(&self, place: usize) -> String {
        let sent = &self.sent[place];
        format!(
            "/chats/{}/messages/{}",
            sent.chat,
            sent.id.as_deref().unwrap_or_default()
        )
    }

    async fn edit(&mut self) {
        let Some(place) = self.own() else { return };
        let body = format!("edited {}", self.sent[place].body);
        let request = self.here().request(Method::PATCH, &self.path(place));
        if let Some(answer) = answer(request.json(&json!({"body": body}))).await {
            answer.is(200);
        }
    }

    async fn delete(&mut self) {
        let Some(place) = self.own() else { return };
        let request = self.here().request(Method::DELETE, &self.path(place));
        self.sent[place].deleted = true;
        if let Some(answer) = answer(request).await {
            answer.is(204);
        }
    }

    async fn rename(&mut self, chat: &Chat) {
        let title = format!("Renamed by {}", self.random.below(1_000));
        let request = self.here().request(Method::PATCH, &format!("/chats/{}", chat.id));
        if let Some(answer) = answer(request.json(&json!({"title": title}))).await {
            answer.is(200);
        }
    }

    async fn read(&mut self, chat: &Chat) {
        let path = format!("/chats/{}", chat.id);
        if let Some(shown) = answer(self.here().request(Method::GET, &path)).await {
            let seq = json!({"seq": shown.is(200)["last_seq"]});
            if let Some(answer) = answer(self.here().request(Method::PUT, &format!("{path}/read")).json(&seq)).await {
                answer.is(200);
            }
        }
    }
}

/// The answer, if there is one: not from a process that dies or is overloaded.
async fn answer(request: RequestBuilder) -> Option<Answer> {
    let answer = timeout(PATIENCE, Answer::try_to(request)).await.ok()?.ok()?;
    (answer.status != 503).then_some(answer)
}

/// The owner of the groups, who takes guests in and throws them out.
pub(super) struct Keeper {
    owner: Person,
    guests: Vec<String>,
    groups: Vec<String>,
    cluster: Arc<Cluster>,
    random: Random,
}

impl Keeper {
    pub(super) fn of(
        owner: &Person,
        guests: &[Person],
        groups: Vec<String>,
        cluster: Arc<Cluster>,
        random: Random,
    ) -> Self {
        Self {
            owner: owner.clone(),
            guests: guests.iter().map(|guest| guest.id.clone()).collect(),
            groups,
            cluster,
            random,
        }
    }

    /// Until told to stop. In the end everybody whom it knows is in every group.
    pub(super) async fn run(mut self, stopped: watch::Receiver<bool>) {
        let mut known = HashSet::new();
        while !*stopped.borrow() {
            let guest = self.random.one(&self.guests).clone();
            let group = self.random.one(&self.groups).clone();
            let members = format!("/chats/{group}/members");
            let (method, path, body) = match self.random.below(5) {
                0 | 1 => (Method::POST, members, json!({"user_id": guest})),
                2 | 3 => (Method::DELETE, format!("{members}/{guest}"), Value::Null),
                _ => {
                    let role = *self.random.one(&["member", "admin"]);
                    (Method::PATCH, format!("{members}/{guest}"), json!({"role": role}))
                }
            };
            known.insert((group, guest));
            if let Some(answer) = self.ask(method, &path, &body).await {
                // Who is not in the group can't leave it.
                assert!([200, 201, 204, 404].contains(&answer.status), "{answer:?}");
            }
            sleep(self.random.millis(0, 60)).await;
        }
        for (group, guest) in known {
            while self
                .ask(
                    Method::POST,
                    &format!("/chats/{group}/members"),
                    &json!({"user_id": guest}),
                )
                .await
                .is_none()
            {
                sleep(self.random.millis(5, 100)).await;
            }
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: &Value) -> Option<Answer> {
        let owner = self.owner.at(&self.cluster.any(&mut self.random));
        let request = owner.request(method, path);
        answer(if body.is_null() { request } else { request.json(body) }).await
    }
}
