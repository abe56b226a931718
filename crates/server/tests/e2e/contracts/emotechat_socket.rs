//! `emotechat`'s WebSocket: what is said comes to both of a conversation, whatever way it was sent, and to nobody else.

use super::{Door, at_each_door, id, time};
use crate::support::{Answer, Person, Process, TextSocket};
use reqwest::Method;
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use serde_json::{Value, json};

at_each_door! { "emotechat":
    messages_come_to_both_and_to_nobody_else
    however_they_were_sent
    wherever_they_were_sent
    frames_that_are_wrong_change_nothing
    only_ones_own_socket_opens
    a_key_may_do_what_its_scopes_say
    it_ends_with_the_session
}

/// Somebody of the contract.
struct User {
    number: i64,
    token: String,
    native: Person,
}

impl User {
    async fn enter(door: &Door, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let new = json!({"name": name, "email": email, "password": "yourpassword"});
        door.post("", "/api/auth/register", new).await.is(200);
        let credentials = json!({"email": email, "password": "yourpassword"});
        let session = door.post("", "/api/auth/login", credentials).await.is(200);
        let token = session["token"].as_str().unwrap().to_owned();
        let me = door.native().request(Method::GET, "/me").bearer_auth(&token);
        let me = Answer::to(me).await.is(200);
        let native = json!({"user": me, "access_token": token, "refresh_token": ""});
        Self {
            number: session["user"]["id"].as_i64().unwrap(),
            native: Person::from_session(door.native(), &native),
            token,
        }
    }

    async fn connect(&self, door: &Door) -> TextSocket {
        let url = door.url(&format!("/ws/{}?token={}", self.number, self.token));
        TextSocket::open(&url, None).await
    }
}

/// The frame must be a message of one to the other: its id.
#[track_caller]
fn is_from_to(frame: &Value, one: &User, other: &User, text: &str) -> String {
    let said = json!({
        "message": text,
        "sender": one.number,
        "receiver": other.number,
        "time": time(&frame["time"]),
        "id": id(&frame["id"]),
    });
    assert_eq!(*frame, said);
    id(&frame["id"])
}

async fn messages_come_to_both_and_to_nobody_else(door: &Door) {
    let [ana, ben, cleo] = [
        User::enter(door, "ana").await,
        User::enter(door, "ben").await,
        User::enter(door, "cleo").await,
    ];
    let mut anas = ana.connect(door).await;
    let mut anas_other = TextSocket::open(&door.url(&format!("/ws/{}/", ana.number)), Some(&ana.token)).await;
    let mut bens = ben.connect(door).await;
    let mut cleos = cleo.connect(door).await;

    anas.says(json!({"message": "hello ", "receiver": ben.number})).await;
    let frame = anas.hears().await;
    let first = is_from_to(&frame, &ana, &ben, "hello");
    assert_eq!(anas_other.hears().await, frame);
    assert_eq!(bens.hears().await, frame);
    let full = json!({"message": "hi", "sender": ben.number, "receiver": ana.number, "time": null, "id": null});
    bens.says(full).await;
    let frame = bens.hears().await;
    is_from_to(&frame, &ben, &ana, "hi");
    assert_eq!(anas.hears().await, frame);
    assert_eq!(anas_other.hears().await, frame);

    let query = format!("/api/conversations?partner_id={}", ana.number);
    let stored = door.get(&ben.token, &query).await.is(200);
    let stored = stored["conversations"].as_array().unwrap();
    assert_eq!(stored.len(), 2);
    assert_eq!(
        (&stored[0]["ID"], &stored[0]["Content"]),
        (&json!(first), &json!("hello"))
    );

    // That is the first that comes to her.
    cleos.says(json!({"message": "you two?", "receiver": ben.number})).await;
    is_from_to(&cleos.hears().await, &cleo, &ben, "you two?");
    is_from_to(&bens.hears().await, &cleo, &ben, "you two?");
}

async fn however_they_were_sent(door: &Door) {
    let [ana, ben] = [User::enter(door, "ana").await, User::enter(door, "ben").await];
    let mut anas = ana.connect(door).await;
    let mut bens = ben.connect(door).await;
    // What is said in groups has no place here.
    let group = ana.native.group("Tea", &[&ben.native]).await;
    ana.native.send(&group, "everybody!").await;
    let direct = json!({"kind": "direct", "user_id": ben.native.id});
    let chat = ana.native.post("/chats", direct).await.is(201);
    let chat_id = chat["id"].as_str().unwrap();
    let sent = ana.native.send(chat_id, "natively").await;
    for socket in [&mut anas, &mut bens] {
        let frame = socket.hears().await;
        assert_eq!(json!(is_from_to(&frame, &ana, &ben, "natively")), sent["id"]);
        assert_eq!(frame["time"], sent["created_at"]);
    }
    let file = ben.native.upload("a.txt", "a").await;
    ben.native.send_files(chat_id, &[&file]).await;
    for socket in [&mut anas, &mut bens] {
        is_from_to(&socket.hears().await, &ben, &ana, "");
    }
    let company = door.native().request_root(Method::POST, "/compat/company/api/messages");
    let message = json!({"conv": chat["number"], "content": "by company"});
    Answer::to(company.bearer_auth(&ben.token).json(&message)).await.is(201);
    for socket in [&mut anas, &mut bens] {
        is_from_to(&socket.hears().await, &ben, &ana, "by company");
    }
    // They go on in another chat once this one is gone.
    Answer::to(ana.native.request(Method::DELETE, &format!("/chats/{chat_id}")))
        .await
        .is(204);
    bens.says(json!({"message": "again", "receiver": ana.number})).await;
    for socket in [&mut anas, &mut bens] {
        is_from_to(&socket.hears().await, &ben, &ana, "again");
    }
}

async fn wherever_they_were_sent(door: &Door) {
    let [ana, ben] = [User::enter(door, "ana").await, User::enter(door, "ben").await];
    let data = tempfile::tempdir().unwrap();
    let elsewhere = Process::start(door.database(), data.path());
    let mut anas = ana.connect(door).await;
    let url = format!("{}/compat/emotechat/ws/{}", elsewhere.base(), ben.number);
    let mut bens = TextSocket::open(&url, Some(&ben.token)).await;
    anas.says(json!({"message": "hello", "receiver": ben.number})).await;
    is_from_to(&bens.hears().await, &ana, &ben, "hello");
    is_from_to(&anas.hears().await, &ana, &ben, "hello");
    bens.says(json!({"message": "hi", "receiver": ana.number})).await;
    is_from_to(&anas.hears().await, &ben, &ana, "hi");
    is_from_to(&bens.hears().await, &ben, &ana, "hi");
}

async fn frames_that_are_wrong_change_nothing(door: &Door) {
    let [ana, ben] = [User::enter(door, "ana").await, User::enter(door, "ben").await];
    let mut anas = ana.connect(door).await;
    let to_ben = |more: Value| {
        let mut frame = json!({"message": "hello", "receiver": ben.number});
        frame.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        frame.to_string()
    };
    let wrong = [
        String::new(),
        "hello".into(),
        "[]".into(),
        "{}".into(),
        to_ben(json!({"message": ""})),
        to_ben(json!({"message": 1})),
        to_ben(json!({"message": "a\u{0}"})),
        to_ben(json!({"message": "x".repeat(8_001)})),
        to_ben(json!({"receiver": null})),
        to_ben(json!({"receiver": ben.native.id})),
        to_ben(json!({"receiver": ana.number})),
        to_ben(json!({"receiver": 4711})),
        to_ben(json!({"receiver": -1})),
        to_ben(json!({"sender": ben.number})),
        to_ben(json!({"sender": "ana"})),
        to_ben(json!({"time": "2024-03-08T19:30:00.000Z"})),
        to_ben(json!({"id": 7})),
    ];
    for frame in wrong {
        anas.says_text(&frame).await;
        let answer = anas.hears().await;
        assert_eq!(
            answer.as_object().map(serde_json::Map::len),
            Some(1),
            "{frame}: {answer}"
        );
        assert!(
            answer["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{answer}"
        );
    }
    let chats = ana.native.get("/chats").await.is(200);
    assert_eq!(chats["items"], json!([]));
    ben.native
        .put(&format!("/me/blocks/{}", ana.native.id), json!(null))
        .await;
    anas.says_text(&to_ben(json!({}))).await;
    assert!(anas.hears().await["error"].is_string());
    ben.native.delete(&format!("/me/blocks/{}", ana.native.id)).await;
    anas.says_text(&to_ben(json!({}))).await;
    is_from_to(&anas.hears().await, &ana, &ben, "hello");
}

async fn only_ones_own_socket_opens(door: &Door) {
    let [ana, ben] = [User::enter(door, "ana").await, User::enter(door, "ben").await];
    let own = format!("/ws/{}", ana.number);
    let bens = format!("/ws/{}", ben.number);
    let good = format!("?token={}", ana.token);
    for (path, query, status) in [
        (own.as_str(), "", 401),
        (&own, "?token=", 401),
        (&own, "?token=nonsense", 401),
        (&bens, good.as_str(), 403),
        ("/ws/4711", &good, 403),
        ("/ws/ana", &good, 404),
        ("/ws/0", &good, 404),
    ] {
        let request = door
            .request(Method::GET, &format!("{path}{query}"))
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        let body = Answer::to(request).await.is(status);
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{path}: {body}");
        assert!(body["message"].is_string(), "{body}");
    }
    let plain = door.get(&ana.token, &own).await.is(400);
    assert!(plain["message"].is_string());
    let twice = format!("?token=Bearer%20Bearer%20{}", ana.token);
    TextSocket::open(&door.url(&format!("{own}{twice}")), None).await;
}

async fn a_key_may_do_what_its_scopes_say(door: &Door) {
    let [ana, ben] = [User::enter(door, "ana").await, User::enter(door, "ben").await];
    let with_key = async |scopes: &[&str]| {
        let key = json!({"name": "A bot", "scopes": scopes});
        let key = ana.native.post("/me/keys", key).await.is(201);
        let url = door.url(&format!("/ws/{}", ana.number));
        TextSocket::open(&url, Some(key["key"].as_str().unwrap())).await
    };
    let mut reader = with_key(&["read"]).await;
    let mut writer = with_key(&["read", "write"]).await;
    let mut all = with_key(&["read", "write", "manage"]).await;
    let hello = json!({"message": "hello", "receiver": ben.number});
    // There is no chat yet, and to make one is more than to write.
    for socket in [&mut reader, &mut writer] {
        socket.says(hello.clone()).await;
        assert!(socket.hears().await["error"].is_string());
    }
    all.says(hello.clone()).await;
    for socket in [&mut all, &mut reader, &mut writer] {
        is_from_to(&socket.hears().await, &ana, &ben, "hello");
    }
    writer.says(hello.clone()).await;
    is_from_to(&writer.hears().await, &ana, &ben, "hello");
    is_from_to(&reader.hears().await, &ana, &ben, "hello");
    reader.says(hello).await;
    assert!(reader.hears().await["error"].is_string());
}

async fn it_ends_with_the_session(door: &Door) {
    let ana = User::enter(door, "ana").await;
    let mut anas = ana.connect(door).await;
    door.post(&ana.token, "/api/auth/logout", json!(null)).await.is(200);
    assert_eq!(anas.closed().await, 4001);
}
