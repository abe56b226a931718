//! Socket.IO, by its own client: what is the same in each contract that speaks it, and what is not.

mod amigos;
mod nodes;
mod participants;

use super::{Door, at_each_door};
use crate::support::{Person, Script};
use reqwest::Method;
use serde_json::{Value, json};

/// Ways to connect: by polling, as a WebSocket at once, or as one after polling.
const WAYS: [&[&str]; 3] = [&["polling"], &["websocket"], &["polling", "websocket"]];

/// Clients of the contract.
struct Clients {
    script: Script,
    url: String,
    path: String,
}

impl Clients {
    fn at(door: &Door) -> Self {
        Self::of(door.api.base(), door.base())
    }

    fn of(url: &str, base: &str) -> Self {
        Self {
            script: Script::start("socket_io.mjs"),
            url: url.to_owned(),
            path: format!("{base}/socket.io/"),
        }
    }

    /// Begins to connect under that name.
    fn connect(&mut self, who: &str, way: &[&str], auth: &Value) {
        let to = json!({"url": self.url, "path": self.path, "transports": way, "auth": auth});
        self.script.tell(&json!({"who": who, "connect": to}));
    }

    /// Connects somebody, upgraded if that is the way.
    fn enter(&mut self, who: &str, way: &[&str], token: &str) {
        self.connect(who, way, &json!({"token": token}));
        self.hears(who, "connect");
        if way.len() == 2 {
            assert_eq!(self.hears(who, "upgrade"), "websocket");
        }
    }

    /// What a stranger is told who wants to connect.
    fn refused(&mut self, auth: &Value) -> Value {
        self.connect("stranger", WAYS[1], auth);
        self.hears("stranger", "connect_error")
    }

    /// What comes with the next event of that name.
    fn hears(&mut self, who: &str, event: &str) -> Value {
        let heard = self.script.hears(|line| line["who"] == who && line["event"] == event);
        heard["data"].clone()
    }

    /// Says something and gives the answer.
    fn ask(&mut self, who: &str, event: &str, data: &Value) -> Value {
        self.script.tell(&json!({"who": who, "ask": [event, data]}));
        self.hears(who, "ack")
    }

    /// Says something that is done.
    fn does(&mut self, who: &str, event: &str, data: &Value) {
        assert_eq!(self.ask(who, event, data), json!({"success": true}), "{event} {data}");
    }

    /// Says something that is not done, and is told so in both ways.
    fn fails(&mut self, who: &str, event: &str, data: &Value) -> Value {
        let answer = self.ask(who, event, data);
        assert_eq!(answer["success"], false, "{event} {data}");
        let error = self.hears(who, "error");
        assert_eq!(error["message"], answer["message"]);
        error["message"].clone()
    }

    /// Joins a chat.
    fn join(&mut self, who: &str, chat: &str) {
        self.does(who, "join_chat", &json!({"chatId": chat}));
    }

    /// Says something that is for nobody but shows that all before it was told.
    fn is_told_nothing(&mut self, who: &str) {
        self.fails(who, "join_chat", &json!({}));
        // That was the next thing.
        assert!(!self.script.has_kept(|line| line["who"] == who));
    }
}

/// A direct chat.
async fn direct(one: &Person, other: &Person) -> String {
    let chat = json!({"kind": "direct", "user_id": other.id});
    one.post("/chats", chat).await.json()["id"].as_str().unwrap().to_owned()
}

/// People of these names, by the native API.
async fn people<const N: usize>(door: &Door, names: [&str; N]) -> [Person; N] {
    let mut people = Vec::new();
    for name in names {
        people.push(door.native().register(name).await);
    }
    people.try_into().ok().unwrap()
}

// What is the same in both.

async fn strangers_are_refused(door: &Door) {
    let [ana, ben] = people(door, ["ana", "ben"]).await;
    let mut clients = Clients::at(door);
    for auth in [
        json!({}),
        json!({"token": null}),
        json!({"token": ""}),
        json!({"token": "Bearer "}),
        json!({"token": 7}),
    ] {
        assert_eq!(
            clients.refused(&auth),
            "Token de autenticación no proporcionado",
            "{auth}"
        );
    }
    for token in ["x", "Bearer x", "tt_x"] {
        assert_eq!(clients.refused(&json!({"token": token})), "Token inválido");
    }
    ben.log_out().await;
    assert_eq!(clients.refused(&json!({"token": ben.access})), "Token inválido");
    clients.enter("one", WAYS[1], &ana.access);
    clients.enter("other", WAYS[0], &format!("Bearer {}", ana.access));
}

async fn who_is_heard_where(door: &Door) {
    let [ana, ben, eva] = people(door, ["ana", "ben", "eva"]).await;
    let chat = direct(&ana, &ben).await;
    let other = direct(&ben, &eva).await;
    for way in WAYS {
        let mut clients = Clients::at(door);
        clients.enter("ben", way, &ben.access);
        clients.join("ben", &chat);
        clients.join("ben", &other);
        clients.join("ben", &chat);
        ana.send(&chat, "one").await;
        eva.send(&other, "two").await;
        let heard: Vec<Value> = (0..2)
            .map(|_| clients.hears("ben", "new_message")["content"].clone())
            .collect();
        assert!(
            heard.contains(&json!("one")) && heard.contains(&json!("two")),
            "{heard:?}"
        );
        clients.does("ben", "leave_chat", &json!({"chatId": chat}));
        ana.send(&chat, "unheard").await;
        eva.send(&other, "three").await;
        assert_eq!(clients.hears("ben", "new_message")["content"], "three");
        clients.is_told_nothing("ben");
    }
}

async fn typing(door: &Door) {
    let [ana, ben, eva] = people(door, ["ana", "ben", "eva"]).await;
    let group = ana.group("All", &[&ben, &eva]).await;
    let mut clients = Clients::at(door);
    for (who, way) in [(&ana, WAYS[1]), (&ben, WAYS[0]), (&eva, WAYS[1])] {
        clients.enter(&who.id, way, &who.access);
    }
    clients.join(&ana.id, &group);
    clients.join(&ben.id, &group);
    for active in [true, false] {
        clients.does(&ana.id, "typing", &json!({"chatId": group, "isTyping": active}));
        let told = json!({"chatId": group, "userId": ana.id, "userName": "ana", "isTyping": active});
        assert_eq!(clients.hears(&ben.id, "user_typing"), told);
    }
    // Neither oneself nor who did not join.
    for who in [&ana, &eva] {
        clients.is_told_nothing(&who.id);
    }
    let wrong = clients.fails(&ana.id, "typing", &json!({"chatId": group, "isTyping": "yes"}));
    assert_eq!(wrong, "El campo 'isTyping' tiene un tipo incorrecto");
}

async fn what_was_seen(door: &Door) {
    let [ana, ben] = people(door, ["ana", "ben"]).await;
    let chat = direct(&ana, &ben).await;
    let id = |message: &Value| message["id"].clone();
    let before = id(&ana.send(&chat, "before").await);
    let mut clients = Clients::at(door);
    for who in [&ana, &ben] {
        clients.enter(&who.id, WAYS[1], &who.access);
        clients.join(&who.id, &chat);
    }
    let mine = id(&ben.send(&chat, "mine").await);
    let [one, two, three] = [
        ana.send(&chat, "one").await,
        ana.send(&chat, "two").await,
        ana.send(&chat, "three").await,
    ];
    let gone = id(&two);
    ana.delete(&format!("/messages/{}", gone.as_str().unwrap())).await;
    clients.does(
        &ben.id,
        "message_seen",
        &json!({"chatId": chat, "messageIds": [id(&one)]}),
    );
    let seen = clients.hears(&ana.id, "messages_marked_seen");
    assert_eq!(
        seen,
        json!({"chatId": chat, "messageIds": [before, id(&one)], "seenBy": ben.id})
    );
    // Again, or something else: nothing new.
    clients.does(
        &ben.id,
        "message_seen",
        &json!({"chatId": chat, "messageIds": [id(&one), mine, chat]}),
    );
    ben.put(&format!("/chats/{chat}/read"), json!({"seq": three["seq"]}))
        .await
        .is(200);
    let seen = clients.hears(&ana.id, "messages_marked_seen");
    let ids = seen["messageIds"].as_array().unwrap();
    assert!(
        ids.contains(&id(&three)) && !ids.contains(&id(&one)) && !ids.contains(&mine),
        "{seen}"
    );
    let missing = clients.fails(&ben.id, "message_seen", &json!({"chatId": chat}));
    assert_eq!(missing, "El campo 'messageIds' es obligatorio");
}

async fn ends(door: &Door) {
    let [ana, ben, eva] = people(door, ["ana", "ben", "eva"]).await;
    let group = ana.group("All", &[&ben, &eva]).await;
    for way in WAYS {
        let again = door.native().log_in("ben").await;
        let mut clients = Clients::at(door);
        clients.enter("ben", way, &again.access);
        again.log_out().await;
        assert_eq!(clients.hears("ben", "disconnect"), "io server disconnect");
    }
    let mut clients = Clients::at(door);
    for who in [&ben, &eva] {
        clients.enter(&who.id, WAYS[1], &who.access);
        clients.join(&who.id, &group);
    }
    ana.delete(&format!("/chats/{group}/members/{}", ben.id)).await.is(204);
    ana.send(&group, "without ben").await;
    assert_eq!(clients.hears(&eva.id, "new_message")["content"], "without ben");
    assert_ne!(
        clients.fails(&ben.id, "join_chat", &json!({"chatId": group})),
        json!(null)
    );
    clients.is_told_nothing(&ben.id);
}

async fn limits(door: &Door) {
    let [ana] = people(door, ["ana"]).await;
    let mut clients = Clients::at(door);
    let names: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    for name in &names {
        clients.enter(name, WAYS[1], &ana.access);
    }
    let refused = clients.refused(&json!({"token": ana.access}));
    assert_eq!(refused, "Demasiadas solicitudes; inténtalo de nuevo más tarde");
    // Too large a packet ends the session, by either transport.
    let large = json!({"chatId": "x".repeat(70_000)});
    clients.script.tell(&json!({"who": "0", "emit": ["join_chat", large]}));
    clients.hears("0", "disconnect");
    clients.enter("polling", WAYS[0], &ana.access);
    clients
        .script
        .tell(&json!({"who": "polling", "emit": ["join_chat", large]}));
    clients.hears("polling", "disconnect");
    // Commands: those that are too many fail, and far too many end it.
    for _ in 0..300 {
        clients.script.tell(&json!({"who": "1", "emit": ["leave_chat", {}]}));
    }
    let refused = "Demasiadas solicitudes; inténtalo de nuevo más tarde";
    clients
        .script
        .hears(|line| line["who"] == "1" && line["data"]["message"] == refused);
    clients.enter("again", WAYS[0], &ana.access);
}

async fn requests_that_make_no_sense(door: &Door) {
    let mut shapes = Vec::new();
    for query in [
        "",
        "?EIO=4",
        "?EIO=3&transport=polling",
        "?EIO=4&transport=polling&sid=x",
        "?EIO=4&transport=websocket",
        "?EIO=4&transport=pigeon",
    ] {
        let path = format!("/socket.io/{query}");
        for method in [Method::GET, Method::POST] {
            let answer = crate::support::Answer::to(door.request(method, &path)).await;
            assert_eq!(answer.status, 400, "{query}: {answer:?}");
            shapes.push(answer.json());
        }
    }
    assert!(
        shapes
            .iter()
            .all(|shape| shape["message"] == "La solicitud está mal formada"),
        "{shapes:?}"
    );
    crate::support::Answer::to(door.request(Method::DELETE, "/socket.io/"))
        .await
        .is(405);
}
