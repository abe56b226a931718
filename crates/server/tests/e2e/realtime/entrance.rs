use super::two;
use crate::support::{Api, Database, Person, Server, Socket, on_each_database};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    hello_comes_first
    a_token_comes_as_a_subprotocol
    a_ticket_opens_one_connection
    a_token_in_the_address_is_none
    who_is_nobody_gets_no_connection
    a_key_may_do_what_its_scopes_say
    a_user_may_have_so_many_connections
}

async fn hello_comes_first(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let socket = ana.connect().await;
    let sessions = ana.get("/auth/sessions").await.is(200);
    assert_eq!(
        socket.hello,
        json!({
            "type": "hello",
            "session_id": sessions["items"][0]["id"],
            "user_id": ana.id,
            "heartbeat_seconds": 20,
            "limits": {"frame_bytes": 65_536, "commands_per_second": 50, "connections": 50},
        })
    );
}

async fn a_token_comes_as_a_subprotocol(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    for (offered, spoken) in [
        (format!("tertulia, bearer.{}", ana.access), "tertulia"),
        (format!("bearer.{},tertulia", ana.access), "tertulia"),
        (format!("tertulia, {}", ana.access), "tertulia"),
        (format!("bearer, {}", ana.access), "bearer"),
    ] {
        let socket = Socket::open(&server, "/ws", &[("sec-websocket-protocol", &offered)])
            .await
            .unwrap();
        assert_eq!(socket.headers["sec-websocket-protocol"], spoken);
        assert_eq!(socket.hello["user_id"], ana.id);
    }
    for offered in ["tertulia, bearer.nonsense", "tertulia"] {
        let refused = Socket::open(&server, "/ws", &[("sec-websocket-protocol", offered)]).await;
        assert_eq!(refused.err(), Some(401), "{offered}");
    }
}

async fn a_ticket_opens_one_connection(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let ticket = async || {
        let ticket = ana.post("/ws/ticket", json!({})).await.is(201);
        assert_eq!(ticket["expires_in"], 30);
        format!("/ws?ticket={}", ticket["ticket"].as_str().unwrap())
    };
    let path = ticket().await;
    let socket = Socket::open(&server, &path, &[]).await.unwrap();
    assert_eq!(socket.hello["user_id"], ana.id);
    assert_eq!(Socket::open(&server, &path, &[]).await.err(), Some(401));

    let path = ticket().await;
    let both = tokio::join!(Socket::open(&server, &path, &[]), Socket::open(&server, &path, &[]));
    assert_eq!([both.0, both.1].iter().filter(|opened| opened.is_ok()).count(), 1);

    // It is the session's, and ends with it.
    let path = ticket().await;
    ana.log_out().await;
    assert_eq!(Socket::open(&server, &path, &[]).await.err(), Some(401));
    assert_eq!(Socket::open(&server, "/ws?ticket=nonsense", &[]).await.err(), Some(401));
    server
        .post("/ws/ticket", json!({}))
        .await
        .problem(401, "unauthenticated");
}

async fn a_token_in_the_address_is_none(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    for name in ["token", "access_token", "ticket"] {
        let path = format!("/ws?{name}={}", ana.access);
        assert_eq!(Socket::open(&server, &path, &[]).await.err(), Some(401), "{name}");
    }
}

async fn who_is_nobody_gets_no_connection(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    assert_eq!(Socket::open(&server, "/ws", &[]).await.err(), Some(401));
    // What is no handshake is answered as any request.
    ana.get("/ws").await.problem(400, "malformed");
    ana.log_out().await;
    assert_eq!(ana.try_connect().await.err(), Some(401));
    for path in ["/events", "/sync"] {
        ana.get(path).await.problem(401, "unauthenticated");
    }
}

async fn with_key(api: &Api, user: &Person, scopes: &[&str]) -> Person {
    let key = user
        .post("/me/keys", json!({"name": "A bot", "scopes": scopes}))
        .await
        .is(201);
    let session = json!({"user": {"id": user.id}, "access_token": key["key"], "refresh_token": ""});
    Person::from_session(api, &session)
}

async fn a_key_may_do_what_its_scopes_say(database: Database) {
    let server = Server::on(&database).await;
    let (ana, _, chat) = two(&server).await;
    let writer = with_key(&server, &ana, &["write"]).await;
    assert_eq!(writer.try_connect().await.err(), Some(403));
    for path in ["/events", "/sync"] {
        writer.get(path).await.problem(403, "forbidden");
    }

    let reader = with_key(&server, &ana, &["read"]).await;
    reader.get("/sync").await.is(200);
    reader.post("/ws/ticket", json!({})).await.problem(403, "forbidden");
    let mut socket = reader.listen().await;
    for command in [
        json!({"type": "send", "ref": "1", "chat_id": chat, "client_id": "1", "body": "beep"}),
        json!({"type": "read", "ref": "1", "chat_id": chat, "seq": 0}),
    ] {
        socket.say(command).await;
        let error = socket.next().await;
        assert_eq!((&error["type"], &error["ref"]), (&json!("error"), &json!("1")));
        assert_eq!(error["code"], "forbidden");
    }
    ana.send(&chat, "hello").await;
    assert_eq!(socket.event().await["data"]["body"], "hello");

    let both = with_key(&server, &ana, &["read", "write"]).await;
    let offered = format!("tertulia, bearer.{}", both.access);
    let mut socket = Socket::open(&server, "/ws", &[("sec-websocket-protocol", &offered)])
        .await
        .unwrap();
    socket.resume(json!({})).await;
    socket
        .say(json!({"type": "send", "ref": "1", "chat_id": chat, "client_id": "1", "body": "beep"}))
        .await;
    let [one, other] = [socket.next().await, socket.next().await];
    assert!(
        [&one, &other].iter().any(|frame| frame["type"] == "ack"),
        "{one} {other}"
    );
}

async fn a_user_may_have_so_many_connections(database: Database) {
    let server = Server::on(&database).await;
    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let mut sockets = Vec::new();
    for _ in 0..50 {
        sockets.push(ana.connect().await);
    }
    assert_eq!(ana.try_connect().await.err(), Some(429));
    ana.request(Method::GET, "/sync").send().await.unwrap();
    bob.connect().await;
    sockets.clear();
    // The server finds out by itself.
    crate::support::eventually("a free place", async || ana.try_connect().await.ok()).await;
}
