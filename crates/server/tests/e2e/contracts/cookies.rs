//! `cookies`: forms, and a session in two cookies.

use super::{id, mounted, time};
use crate::support::{Answer, Api, Database, PASSWORD, Server, on_each_database, value};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use tokio::task::JoinSet;

on_each_database! {
    a_session_from_beginning_to_end
    a_chat_of_two
    errors_are_told
    one_service_with_many_faces
    other_sites_change_nothing
    a_name_goes_to_one_of_many
    everything_that_is_sent_at_once_is_kept
    members_who_leave_at_once_all_leave
}

const BESIDE: &str = "/compat/cookies";

/// A client that keeps cookies as a browser does, as far as these are concerned.
#[derive(Clone)]
struct Browser {
    api: Api,
    base: &'static str,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn new(api: &Api, base: &'static str) -> Self {
        Self {
            api: api.clone(),
            base,
            cookies: BTreeMap::new(),
        }
    }

    /// Of somebody new.
    async fn of(api: &Api, base: &'static str, name: &str) -> Self {
        let mut browser = Self::new(api, base);
        let body = format!("name={name}&password=secreta&email={name}%40example.org");
        browser.post("/api/user", &body).await.is(201);
        browser
    }

    fn id(&self) -> &str {
        &self.cookies["user_id"]
    }

    async fn ask(&mut self, method: Method, path: &str, form: Option<&str>) -> Answer {
        let mut request = self.api.request_root(method, &format!("{}{path}", self.base));
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header(COOKIE, cookies.collect::<Vec<_>>().join("; "));
        }
        if let Some(form) = form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request = request.body(form.to_owned());
        }
        let answer = Answer::to(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let path = if self.base.is_empty() { "/" } else { self.base };
            let attributes: Vec<&str> = attributes.split("; ").collect();
            assert!(attributes.contains(&&*format!("Path={path}")), "{cookie:?}");
            assert!(attributes.contains(&"SameSite=Lax"), "{cookie:?}");
            assert_eq!(attributes.contains(&"HttpOnly"), name == "token", "{cookie:?}");
            if value.is_empty() {
                assert!(
                    attributes.contains(&"Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
                    "{cookie:?}"
                );
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    async fn post(&mut self, path: &str, form: &str) -> Answer {
        self.ask(Method::POST, path, Some(form)).await
    }

    async fn put(&mut self, path: &str, form: &str) -> Answer {
        self.ask(Method::PUT, path, Some(form)).await
    }

    async fn delete(&mut self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }

    /// Makes a chat and gives its path and its id.
    async fn chat(&mut self, title: &str) -> (String, String) {
        let path = self.located(&self.clone().post("/api/chats", &format!("title={title}")).await, 201);
        let id = id(&json!(path.strip_prefix("/api/chats/").unwrap()));
        (path, id)
    }

    /// Where an answer of success leads to, below the base.
    #[track_caller]
    fn located(&self, answer: &Answer, status: u16) -> String {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json(), done());
        let location = answer.header("location").unwrap();
        location.strip_prefix(self.base).unwrap().to_owned()
    }

    /// What is said in a chat, oldest first.
    async fn contents(&mut self, chat: &str) -> Vec<String> {
        let list = self.get(chat).await.is(200);
        let messages = list["messages"].as_array().unwrap().iter();
        messages
            .map(|message| message["content"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn done() -> Value {
    json!({"status": "ok"})
}

/// A failure in the contract's shape, with what is told.
#[track_caller]
fn error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let fields = body.as_object().unwrap();
    assert_eq!(fields.len(), 1, "{body}");
    fields["error"].as_str().unwrap().to_owned()
}

async fn a_session_from_beginning_to_end(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let (server, alone) = mounted(&database, data.path(), "cookies");
    for (api, base, name) in [(&*server, BESIDE, "ana"), (&alone, "", "anna")] {
        let mut ana = Browser::new(api, base);
        let body = format!("name={name}&password=secreta&email={name}%40example.org");
        let registered = ana.post("/api/user", &body).await;
        assert_eq!(ana.located(&registered, 201), "/api/chats");
        let user = id(&json!(ana.id()));
        assert_eq!(ana.get("/api/chats").await.is(200), json!({"chats": []}));

        let before = ana.clone();
        let out = ana.get("/api/logout").await;
        assert_eq!(ana.located(&out, 200), "/api/login");
        assert!(ana.cookies.is_empty());
        error(&before.clone().get("/api/chats").await, 403);

        let wrong = ana.post("/api/login", &format!("name={name}&password=secretb")).await;
        assert_eq!(error(&wrong, 400), "wrong name or password");
        let logged_in = ana.post("/api/login/", &format!("name={name}&password=secreta")).await;
        assert_eq!(ana.located(&logged_in, 200), "/api/chats");
        assert_eq!(ana.id(), user);

        let (chat, chat_id) = ana.chat("Caf%C3%A9").await;
        let listed = ana.get("/api/chats/").await.is(200);
        let empty = json!({
            "id": chat_id, "last_message": null, "last_message_time": null, "sender_id": null, "title": "Café",
        });
        assert_eq!(listed, json!({"chats": [empty]}));

        let sent = ana.post(&chat, "content=%C2%BFHola%3F%0D%0A1+%2B+1").await;
        let location = ana.located(&sent, 201);
        let message = id(&json!(location.strip_prefix(&format!("{chat}?id=")).unwrap()));
        let listed = ana.get(&chat).await.is(200);
        let at = time(&listed["messages"][0]["time"]);
        let shown = json!({"content": "¿Hola?\n1 + 1", "id": message, "sender_id": user, "time": at});
        assert_eq!(listed, json!({"messages": [shown]}));

        assert_eq!(ana.put(&chat, "title=Bar").await.is(200), done());
        let listed = ana.get("/api/chats").await.is(200);
        let with_message = json!({
            "id": chat_id, "last_message": "¿Hola?\n1 + 1", "last_message_time": at, "sender_id": user, "title": "Bar",
        });
        assert_eq!(listed, json!({"chats": [with_message]}));

        assert_eq!(ana.delete(&location).await.is(200), done());
        assert_eq!(ana.get(&chat).await.is(200), json!({"messages": []}));
        assert_eq!(
            ana.get("/api/chats").await.is(200)["chats"][0]["last_message"],
            json!(null)
        );
        error(&ana.delete(&location).await, 404);

        let shown = json!({"user": {"name": name, "email": format!("{name}@example.org")}});
        assert_eq!(ana.get(&format!("/api/user?name={name}")).await.is(200), shown);
        assert_eq!(ana.get(&format!("/api/user/{user}")).await.is(200), shown);
        let change = format!("name={name}.lopez&email=lopez%40{name}.example");
        assert_eq!(ana.put(&format!("/api/user/{user}"), &change).await.is(200), done());
        let shown = json!({"user": {"name": format!("{name}.lopez"), "email": format!("lopez@{name}.example")}});
        assert_eq!(ana.get(&format!("/api/user/{user}/")).await.is(200), shown);

        assert_eq!(
            ana.delete(&format!("/api/chats?chat_id={chat_id}")).await.is(200),
            done()
        );
        assert_eq!(ana.get("/api/chats").await.is(200), json!({"chats": []}));
        // The last one to leave deleted it.
        error(&ana.get(&chat).await, 404);

        let before = ana.clone();
        assert_eq!(ana.delete(&format!("/api/user/{user}")).await.is(200), done());
        assert!(ana.cookies.is_empty());
        error(&before.clone().get("/api/chats").await, 403);
        let gone = ana
            .post("/api/login", &format!("name={name}.lopez&password=secreta"))
            .await;
        error(&gone, 400);
    }
}

async fn a_chat_of_two(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let (server, alone) = mounted(&database, data.path(), "cookies");
    // The two come by different ways.
    let mut ana = Browser::of(&server, BESIDE, "ana").await;
    let mut ben = Browser::of(&alone, "", "ben").await;
    let mut carl = Browser::of(&alone, "", "carl").await;
    let (chat, chat_id) = ana.chat("Poets").await;
    let members = format!("{chat}/members");

    for (method, path, form) in [
        (Method::GET, chat.clone(), None),
        (Method::POST, chat.clone(), Some("content=x")),
        (Method::PUT, chat.clone(), Some("title=x")),
        (Method::DELETE, format!("{chat}?id={chat_id}"), None),
        (Method::DELETE, format!("/api/chats?chat_id={chat_id}"), None),
        (Method::POST, members.clone(), Some("name=carl")),
    ] {
        error(&ben.ask(method, &path, form).await, 403);
    }
    for _ in 0..2 {
        assert_eq!(ana.post(&members, "name=BEN").await.is(201), done());
    }
    assert_eq!(error(&ana.post(&members, "name=nobody").await, 404), "no such user");
    // A plain member adds nobody.
    error(&ben.post(&members, "name=carl").await, 403);

    let sent = ben.post(&chat, "content=one").await;
    let first = ben.located(&sent, 201);
    for content in ["two", "three", "four"] {
        ana.post(&chat, &format!("content={content}")).await.is(201);
    }
    // Though she owns the chat.
    error(&ana.delete(&first).await, 403);
    assert_eq!(ben.contents(&chat).await, ["one", "two", "three", "four"]);
    for (query, contents) in [
        ("?limit=3", &["two", "three", "four"][..]),
        ("?limit=3&page=2", &["one"]),
        ("?limit=3&page=3", &[]),
        ("?limit=0&page=-1", &["one", "two", "three", "four"]),
        ("?limit=9999&page=x", &["one", "two", "three", "four"]),
    ] {
        assert_eq!(ben.contents(&format!("{chat}{query}")).await, contents, "{query}");
    }
    assert_eq!(ben.delete(&first).await.is(200), done());
    assert_eq!(
        ana.contents(&format!("{chat}?limit=3&page=1")).await,
        ["two", "three", "four"]
    );

    // The most recently active first.
    ben.chat("Later").await;
    let titles = async |browser: &mut Browser| -> Vec<String> {
        let listed = browser.get("/api/chats").await.is(200);
        let chats = listed["chats"].as_array().unwrap().iter();
        chats
            .map(|chat| chat["title"].as_str().unwrap_or("null").to_owned())
            .collect()
    };
    assert_eq!(titles(&mut ben).await, ["Later", "Poets"]);
    ana.post(&chat, "content=five").await.is(201);
    assert_eq!(titles(&mut ben).await, ["Poets", "Later"]);
    ben.put(&chat, "title=Bards").await.is(200);
    assert_eq!(titles(&mut ana).await, ["Bards"]);

    // The owner goes; the other one stays, and is it from then on.
    ana.delete(&format!("/api/chats?chat_id={chat_id}")).await.is(200);
    error(&ana.get(&chat).await, 403);
    assert_eq!(ben.post(&members, "name=carl").await.is(201), done());
    // Messages of a deleted user stay.
    let user = ana.id().to_owned();
    ana.delete(&format!("/api/user/{user}")).await.is(200);
    assert_eq!(carl.contents(&chat).await, ["two", "three", "four", "five"]);
    error(&carl.get(&format!("/api/user/{user}")).await, 404);
    error(&carl.get("/api/user?name=ana").await, 404);
}

async fn errors_are_told(database: Database) {
    let server = Server::on(&database).await;
    let mut ana = Browser::of(&server, BESIDE, "ana").await;
    let mut ben = Browser::of(&server, BESIDE, "ben").await;
    for (form, told) in [
        ("name=ANA&password=secreta&email=new%40example.org", "name is taken"),
        ("name=new&password=secreta&email=ANA%40example.org", "email is taken"),
        (
            "name=new&password=short&email=n%40x.org",
            "password must have 6 to 128 characters",
        ),
    ] {
        let mut stranger = Browser::new(&server, BESIDE);
        assert_eq!(error(&stranger.post("/api/user/what/", form).await, 400), told);
        assert!(stranger.cookies.is_empty());
    }
    let own = format!("/api/user/{}", ben.id());
    assert_eq!(error(&ben.put(&own, "name=ana").await, 400), "name is taken");
    assert_eq!(
        error(&ben.put(&own, "email=ana%40example.org").await, 400),
        "email is taken"
    );
    let others = format!("/api/user/{}", ana.id());
    error(&ben.put(&others, "name=bena").await, 403);
    error(&ben.delete(&others).await, 403);
    ana.get(&others).await.is(200);

    // One's token and another's id are nobody's session.
    let mut mixed = ana.clone();
    mixed.cookies.insert("user_id".to_owned(), ben.id().to_owned());
    error(&mixed.get("/api/chats").await, 403);

    let json = server.request_root(Method::POST, &format!("{BESIDE}/api/login"));
    let json = Answer::to(json.json(&json!({"name": "ana", "password": "secreta"}))).await;
    assert!(error(&json, 400).contains("application/x-www-form-urlencoded"));
    error(&ana.get("/api/nothing").await, 404);
    error(&ana.get("/api/chats/1").await, 404);
    let wrong = ana.put("/api/chats", "title=x").await;
    error(&wrong, 405);
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST, DELETE"));
    let (chat, _) = ana.chat("Poets").await;
    for bad in ["content=", "content=%ff", &format!("content={}", "x".repeat(8001))] {
        error(&ana.post(&chat, bad).await, 400);
    }
    assert!(ana.contents(&chat).await.is_empty());
    server.stop().await;
}

async fn one_service_with_many_faces(database: Database) {
    let server = Server::on(&database).await;
    let mut ana = Browser::of(&server, BESIDE, "ana").await;
    // A user is one everywhere,
    let session = server.log_in_with("ana@example.org", "secreta").await.is(200);
    assert_eq!(session["user"]["id"], ana.id());
    // and a token is good everywhere, until its session ends.
    let bearer = |token: &str, method: Method, path: &str| server.request_root(method, path).bearer_auth(token);
    let cookie = ana.cookies["token"].clone();
    let me = async || Answer::to(bearer(&cookie, Method::GET, "/api/v1/me")).await;
    assert_eq!(me().await.is(200)["username"], "ana");
    let native = session["access_token"].as_str().unwrap();
    let chats = async || Answer::to(bearer(native, Method::GET, &format!("{BESIDE}/api/chats"))).await;
    assert_eq!(chats().await.is(200), json!({"chats": []}));
    let mut as_cookie = ana.clone();
    let token = as_cookie.cookies.remove("token").unwrap();
    as_cookie.cookies.insert("access_token".to_owned(), token);
    assert_eq!(as_cookie.get("/api/chats").await.is(200), json!({"chats": []}));

    // The two see each other's chats and messages.
    let ben = server.register("ben").await;
    let direct = json!({"kind": "direct", "user_id": ana.id()});
    let direct = ben.post("/chats", direct).await.is(201);
    let direct = direct["id"].as_str().unwrap();
    ben.send(direct, "hello").await;
    let listed = ana.get("/api/chats").await.is(200);
    let last = &listed["chats"][0];
    assert_eq!(
        (&last["title"], &last["last_message"]),
        (&json!("ben"), &json!("hello"))
    );
    assert_eq!(last["sender_id"], json!(ben.id));
    let path = format!("/api/chats/{direct}");
    ana.post(&path, "content=hi").await.is(201);
    assert_eq!(ben.bodies(direct).await, ["hello", "hi"]);
    assert!(error(&ana.delete(&format!("/api/chats?chat_id={direct}")).await, 400).contains("direct"));
    error(&ana.put(&path, "title=x").await, 400);
    error(&ana.post(&format!("{path}/members"), "name=ben").await, 400);

    database.make_admin("root");
    let root = server.log_in_with("root", PASSWORD).await.is(200);
    let root = root["access_token"].as_str().unwrap();
    let read = Answer::to(bearer(root, Method::GET, &format!("{BESIDE}{path}"))).await;
    assert_eq!(read.is(200)["messages"].as_array().unwrap().len(), 2);

    let out = ana.get("/api/logout").await;
    assert_eq!(out.status, 200);
    me().await.problem(401, "unauthenticated");
    assert_eq!(chats().await.status, 200);
    server.stop().await;
}

async fn other_sites_change_nothing(database: Database) {
    let server = Server::with(&database, |settings| {
        settings.public_url = value("https://chat.example.org");
        settings.allowed_origins = value("https://friend.example");
    })
    .await;
    let register = async |origin: &str, name: &str| {
        let body = format!("name={name}&password=secreta&email={name}%40example.org");
        let request = server.request_root(Method::POST, &format!("{BESIDE}/api/user"));
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        Answer::to(request.header("Origin", origin).body(body)).await
    };
    for foreign in ["https://evil.example", "http://chat.example.org", "null"] {
        error(&register(foreign, "ana").await, 403);
    }
    for (own, name) in [
        (server.base(), "ana"),
        ("https://chat.example.org", "ben"),
        ("https://friend.example", "carl"),
    ] {
        let registered = register(own, name).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        let mut cookies = registered.headers.get_all(SET_COOKIE).iter();
        assert!(cookies.all(|cookie| cookie.to_str().unwrap().ends_with("; Secure")));
    }
    server.stop().await;
}

async fn a_name_goes_to_one_of_many(database: Database) {
    let server = Server::on(&database).await;
    let mut registering = JoinSet::new();
    for number in 0..8 {
        let mut browser = Browser::new(&server, BESIDE);
        registering.spawn(async move {
            let form = format!("name=ana&password=secreta&email=ana{number}%40example.org");
            browser.post("/api/user", &form).await
        });
    }
    let answers = registering.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    assert!(refused.iter().all(|answer| error(answer, 400) == "name is taken"));
    server.stop().await;
}

async fn everything_that_is_sent_at_once_is_kept(database: Database) {
    let server = Server::on(&database).await;
    let mut ana = Browser::of(&server, BESIDE, "ana").await;
    let (chat, _) = ana.chat("Poets").await;
    let mut sending = JoinSet::new();
    for number in 0..20 {
        let (mut browser, chat) = (ana.clone(), chat.clone());
        sending.spawn(async move {
            let sent = browser.post(&chat, &format!("content={number}")).await;
            browser.located(&sent, 201)
        });
    }
    let locations: HashSet<String> = sending.join_all().await.into_iter().collect();
    assert_eq!(locations.len(), 20);
    let contents: HashSet<String> = ana.contents(&chat).await.into_iter().collect();
    assert_eq!(contents, (0..20).map(|number: u32| number.to_string()).collect());
    server.stop().await;
}

async fn members_who_leave_at_once_all_leave(database: Database) {
    let server = Server::on(&database).await;
    let mut ana = Browser::of(&server, BESIDE, "ana").await;
    let (chat, chat_id) = ana.chat("Poets").await;
    let mut members = vec![ana.clone()];
    for name in ["ben", "carl", "dora"] {
        members.push(Browser::of(&server, BESIDE, name).await);
        ana.post(&format!("{chat}/members"), &format!("name={name}"))
            .await
            .is(201);
    }
    // Each of them twice.
    let mut leaving = JoinSet::new();
    for member in members.iter().chain(&members) {
        let (mut member, chat_id) = (member.clone(), chat_id.clone());
        leaving.spawn(async move { member.delete(&format!("/api/chats?chat_id={chat_id}")).await.status });
    }
    let statuses = leaving.join_all().await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        4,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 403 | 404)),
        "{statuses:?}"
    );
    error(&ana.get(&chat).await, 404);
    server.stop().await;
}
