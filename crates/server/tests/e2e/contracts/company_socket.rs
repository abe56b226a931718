//! `company`'s Phoenix channels: the client from npm in both versions of the protocol, and what it can't be made to say.

use super::{Door, at_each_door, id, time};
use crate::support::{Answer, Person, Phoenix, TextSocket};
use reqwest::Method;
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use serde_json::{Value, json};

at_each_door! { "company":
    two_clients_of_either_version_talk
    what_is_wrong_is_told
    topics_and_versions_are_as_in_phoenix
    strangers_are_refused
    it_ends_with_the_session
    three_protocols_hold_one_conversation
}

/// Somebody of the contract.
struct User {
    number: i64,
    token: String,
    native: Person,
}

impl User {
    async fn enter(door: &Door, name: &str) -> Self {
        let email = format!("{name}@mail.com");
        let new = json!({"name": name, "subname": "Doe", "email": email, "job": "CEO", "password": "johndoe"});
        door.post("", "/api/users", json!({"user": new})).await.is(201);
        let creds = json!({"creds": {"email": email, "password": "johndoe"}});
        let session = door.post("", "/api/login", creds).await.is(200);
        let session = &session["data"];
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

    /// The client from npm, in the room.
    async fn join(&self, door: &Door, vsn: &str) -> Phoenix {
        Phoenix::joined(&door.url(""), &self.token, vsn).await
    }

    /// A socket without a client's wits, in the room of none yet.
    async fn connect(&self, door: &Door, vsn: &str) -> TextSocket {
        let url = door.url(&format!("/socket/websocket?token={}{vsn}", self.token));
        TextSocket::open(&url, None).await
    }
}

/// A message as it is shown: what is not known beforehand is taken from it.
#[track_caller]
fn message(shown: &Value, sender: &User, conversation: &Value, text: &str) -> Value {
    let date = time(&shown["date"]);
    json!({
        "message": text,
        "conv": conversation,
        "id": id(&shown["id"]),
        "sender_id": sender.number,
        "date": date,
    })
}

async fn two_clients_of_either_version_talk(door: &Door) {
    let [john, jane, jack] = [
        User::enter(door, "john").await,
        User::enter(door, "jane").await,
        User::enter(door, "jack").await,
    ];
    for (version, other) in [("2.0.0", "1.0.0"), ("1.0.0", "2.0.0")] {
        let mut johns = john.join(door, version).await;
        let mut janes = jane.join(door, other).await;
        let mut janes_other = jane.join(door, version).await;
        let mut jacks = jack.join(door, other).await;
        for client in [&mut johns, &mut janes] {
            client.does(&json!({"do": "ping"}));
            assert_eq!(client.hears().await, json!({"ping": "ok"}));
        }

        let hello = json!({"user": jane.number, "message": "hello"});
        let sent = johns.pushes("send_msg", hello, "ok").await;
        let conversation = &sent["conv"];
        assert!(conversation.is_i64());
        assert_eq!(sent, message(&sent, &john, conversation, "hello"));
        assert_eq!(janes.receives().await, sent);
        assert_eq!(janes_other.receives().await, sent);
        let hi = json!({"user": john.number, "conv": conversation, "message": "hi"});
        let sent = janes.pushes("send_msg", hi, "ok").await;
        assert_eq!(sent, message(&sent, &jane, conversation, "hi"));
        assert_eq!(johns.receives().await, sent);

        // By REST, here and elsewhere.
        let posted = json!({"conv": conversation, "content": "posted"});
        let posted = door.post(&john.token, "/api/messages", posted).await.is(201);
        let received = janes.receives().await;
        assert_eq!(received, message(&received, &john, conversation, "posted"));
        assert_eq!((&received["id"], &received["date"]), (&posted["id"], &posted["date"]));
        let group = jane.native.group("Tea", &[&john.native]).await;
        jane.native.send(&group, "everybody!").await;
        let chats = jane.native.get("/chats").await.is(200);
        let chats = chats["items"].as_array().unwrap();
        let chat = chats.iter().find(|chat| chat["number"] == *conversation).unwrap();
        jane.native.send(chat["id"].as_str().unwrap(), "natively").await;
        let received = johns.receives().await;
        assert_eq!(received, message(&received, &jane, conversation, "natively"));

        // Nobody else heard of it, and who left hears no more.
        let call = json!({"user": jack.number, "message": "jack?"});
        let sent = johns.pushes("send_msg", call, "ok").await;
        assert_ne!(sent["conv"], *conversation);
        assert_eq!(jacks.receives().await, sent);
        janes.does(&json!({"do": "leave"}));
        let left = [janes.hears().await, janes.hears().await];
        assert!(left.contains(&json!({"leave": "ok", "response": {}})), "{left:?}");
        assert!(left.contains(&json!({"channel": "closed"})), "{left:?}");
        let gone = json!({"user": jane.number, "message": "gone?"});
        let sent = johns.pushes("send_msg", gone, "ok").await;
        assert_eq!(janes_other.receives().await["message"], "posted");
        assert_eq!(janes_other.receives().await, sent);
        janes.does(&json!({"do": "ping"}));
        assert_eq!(janes.hears().await, json!({"ping": "ok"}));
    }
}

async fn what_is_wrong_is_told(door: &Door) {
    let [john, jane, jack] = [
        User::enter(door, "john").await,
        User::enter(door, "jane").await,
        User::enter(door, "jack").await,
    ];
    let begin = async |one: &User, other: &User| {
        let recipient = json!({"recipient": other.number});
        door.post(&one.token, "/api/conversations", recipient).await.is(201)["id"].clone()
    };
    let others = begin(&jane, &jack).await;
    let with_jack = begin(&john, &jack).await;
    let mut johns = john.join(door, "2.0.0").await;
    for (payload, field) in [
        (json!({"message": "a"}), "user"),
        (json!({"user": "2", "message": "a"}), "user"),
        (json!({"user": 4711, "message": "a"}), "user"),
        (json!({"user": john.number, "message": "a"}), "user"),
        (json!({"user": jane.number}), "message"),
        (json!({"user": jane.number, "message": " "}), "message"),
        (json!({"user": jane.number, "message": "x".repeat(8_001)}), "message"),
        (json!({"user": jane.number, "conv": "1", "message": "a"}), "conv"),
        (json!({"user": jane.number, "conv": 4711, "message": "a"}), "conv"),
        (json!({"user": jane.number, "conv": others, "message": "a"}), "conv"),
        (json!({"user": jane.number, "conv": with_jack, "message": "a"}), "conv"),
        (json!({"user": jack.number, "conv": others, "message": "a"}), "conv"),
    ] {
        let answer = johns.pushes("send_msg", payload.clone(), "error").await;
        let errors = answer["errors"].as_object().unwrap();
        assert_eq!(errors.keys().collect::<Vec<_>>(), [field], "{payload}: {answer}");
        assert!(errors[field][0].is_string(), "{answer}");
    }
    for payload in [json!([]), json!("hello"), json!(null)] {
        let answer = johns.pushes("send_msg", payload, "error").await;
        assert!(answer["errors"].is_object(), "{answer}");
    }
    let answer = johns.pushes("send_mail", json!({}), "error").await;
    assert_eq!(answer, json!({"reason": "unmatched event"}));
    let conversations = door.get(&john.token, "/api/conversations").await.is(200);
    assert_eq!(conversations.as_array().map(Vec::len), Some(1));
    let messages = door.get(&john.token, &format!("/api/messages?conv={with_jack}")).await;
    assert_eq!(messages.is(200), json!([]));
}

async fn topics_and_versions_are_as_in_phoenix(door: &Door) {
    let john = User::enter(door, "john").await;
    let ok = json!({"status": "ok", "response": {}});
    let error = |reason: &str| json!({"status": "error", "response": {"reason": reason}});
    let mut arrays = john.connect(door, "&vsn=2.0.0").await;
    for (said, answers) in [
        (
            json!([null, "1", "phoenix", "heartbeat", {}]),
            vec![json!([null, "1", "phoenix", "phx_reply", ok])],
        ),
        (
            json!(["2", "2", "room:lobby", "phx_join", {}]),
            vec![json!(["2", "2", "room:lobby", "phx_reply", error("unmatched topic")])],
        ),
        (
            json!([null, "3", "room:chat", "send_msg", {}]),
            vec![json!([null, "3", "room:chat", "phx_reply", error("unmatched topic")])],
        ),
        (
            json!(["4", "4", "room:chat", "phx_leave", {}]),
            vec![json!(["4", "4", "room:chat", "phx_reply", ok])],
        ),
        (
            json!(["5", "5", "room:chat", "phx_join", {}]),
            vec![json!(["5", "5", "room:chat", "phx_reply", ok])],
        ),
        (
            json!(["6", "6", "room:chat", "phx_join", {}]),
            vec![
                json!(["5", "5", "room:chat", "phx_close", {}]),
                json!(["6", "6", "room:chat", "phx_reply", ok]),
            ],
        ),
        // That one was left already.
        (json!(["5", "7", "room:chat", "phx_leave", {}]), vec![]),
        (
            json!(["6", "8", "room:chat", "phx_leave", {}]),
            vec![
                json!(["6", "8", "room:chat", "phx_reply", ok]),
                json!(["6", "6", "room:chat", "phx_close", {}]),
            ],
        ),
        (
            json!({"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": "9"}),
            vec![json!([null, null, "phoenix", "phx_reply", error("malformed frame")])],
        ),
    ] {
        arrays.says(said).await;
        for answer in answers {
            assert_eq!(arrays.hears().await, answer);
        }
    }
    arrays.says_text("{").await;
    let malformed = json!([null, null, "phoenix", "phx_reply", error("malformed frame")]);
    assert_eq!(arrays.hears().await, malformed);

    for version in ["", "&vsn=1.0.0"] {
        let mut objects = john.connect(door, version).await;
        let reply = |topic: &str, payload: &Value| json!({"topic": topic, "event": "phx_reply", "payload": payload, "ref": "1"});
        for (topic, event, answer) in [
            ("phoenix", "heartbeat", reply("phoenix", &ok)),
            ("room:lobby", "phx_join", reply("room:lobby", &error("unmatched topic"))),
            ("room:chat", "phx_join", reply("room:chat", &ok)),
            ("room:chat", "dance", reply("room:chat", &error("unmatched event"))),
        ] {
            objects
                .says(json!({"topic": topic, "event": event, "payload": {}, "ref": "1"}))
                .await;
            assert_eq!(objects.hears().await, answer);
        }
    }
}

async fn strangers_are_refused(door: &Door) {
    let john = User::enter(door, "john").await;
    let token = &john.token;
    let open = async |query: &str| {
        let request = door
            .request(Method::GET, &format!("/socket/websocket?{query}"))
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        Answer::to(request).await
    };
    for query in [
        "vsn=2.0.0",
        "token=&vsn=2.0.0",
        "token=nonsense&vsn=2.0.0",
        "token=nonsense",
    ] {
        assert_eq!(
            open(query).await.is(403),
            json!({"errors": {"detail": "unauthenticated"}})
        );
    }
    let version = open(&format!("token={token}&vsn=3.0.0")).await.is(403);
    assert!(version["errors"]["detail"].is_string(), "{version}");
    let plain = door.get("", &format!("/socket/websocket?token={token}")).await.is(422);
    assert!(plain["errors"]["body"][0].is_string(), "{plain}");
    let mut client = Phoenix::start(
        &format!("{}/socket", door.url("").replacen("http", "ws", 1)),
        "bad",
        "2.0.0",
    );
    client.does(&json!({"do": "connect"}));
    assert_eq!(client.hears().await["socket"], "closed");
}

async fn it_ends_with_the_session(door: &Door) {
    let john = User::enter(door, "john").await;
    let mut johns = john.join(door, "2.0.0").await;
    let log_out = door.request(Method::DELETE, "/api/logout").bearer_auth(&john.token);
    Answer::to(log_out).await.is(200);
    let mut closed = johns.hears().await;
    while closed["socket"] != "closed" {
        closed = johns.hears().await;
    }
    assert_eq!(closed["code"], 4001);
}

/// The native API's, `company`'s and `emotechat`'s, each by its own socket.
async fn three_protocols_hold_one_conversation(door: &Door) {
    let john = User::enter(door, "john").await;
    let native = door.native();
    let ana = native.register("ana").await;
    let anas_number = ana.get("/me").await.is(200)["number"].clone();
    let emotechat = async |path: &str, body: Value| {
        let request = native.request_root(Method::POST, &format!("/compat/emotechat{path}"));
        Answer::to(request.json(&body)).await.is(200)
    };
    let ben = json!({"name": "Ben", "email": "ben@example.com", "password": "yourpassword"});
    emotechat("/api/auth/register", ben.clone()).await;
    let ben = emotechat("/api/auth/login", ben).await;
    let (bens_number, bens_token) = (&ben["user"]["id"], ben["token"].as_str().unwrap());

    let mut johns = john.join(door, "2.0.0").await;
    let url = format!("{}/compat/emotechat/ws/{bens_number}?token={bens_token}", native.base());
    let mut bens = TextSocket::open(&url, None).await;
    let mut anas = TextSocket::open(&format!("{}/api/v1/ws", native.base()), Some(&ana.access)).await;
    anas.says(json!({"type": "resume"})).await;
    let mut ana_hears = async || {
        loop {
            let frame = anas.hears().await;
            if frame["event"] == "message.created" {
                return frame["data"].clone();
            }
        }
    };

    // Each says something to the next, and is answered.
    let sent = johns
        .pushes("send_msg", json!({"user": bens_number, "message": "1"}), "ok")
        .await;
    let heard = bens.hears().await;
    let expected = json!({
        "message": "1", "sender": john.number, "receiver": bens_number, "time": sent["date"], "id": sent["id"]
    });
    assert_eq!(heard, expected);
    bens.says(json!({"message": "2", "receiver": john.number})).await;
    let echo = bens.hears().await;
    let received = johns.receives().await;
    assert_eq!((&received["message"], &received["id"]), (&json!("2"), &echo["id"]));
    assert_eq!(
        (&received["conv"], &received["sender_id"]),
        (&sent["conv"], bens_number)
    );

    bens.says(json!({"message": "3", "receiver": anas_number})).await;
    let echo = bens.hears().await;
    let heard = ana_hears().await;
    assert_eq!((&heard["body"], &heard["id"]), (&json!("3"), &echo["id"]));
    ana.send(heard["chat_id"].as_str().unwrap(), "4").await;
    let answer = bens.hears().await;
    assert_eq!((&answer["message"], &answer["sender"]), (&json!("4"), &anas_number));
    ana_hears().await;

    let sent = johns
        .pushes("send_msg", json!({"user": anas_number, "message": "5"}), "ok")
        .await;
    let heard = ana_hears().await;
    assert_eq!((&heard["body"], &heard["id"]), (&json!("5"), &sent["id"]));
    let answer = ana.send(heard["chat_id"].as_str().unwrap(), "6").await;
    let received = johns.receives().await;
    assert_eq!((&received["message"], &received["id"]), (&json!("6"), &answer["id"]));
}
