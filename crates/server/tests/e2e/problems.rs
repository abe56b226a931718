//! What a client gets to see when something is wrong, and the header that names its request.

use crate::support::{Answer, Database, PASSWORD, Server, on_each_database};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    every_failure_is_a_problem
    every_answer_names_its_request
}

async fn every_failure_is_a_problem(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let login = || server.request(Method::POST, "/auth/login");
    let send =
        async |body: &'static str| Answer::to(login().header("Content-Type", "application/json").body(body)).await;

    for malformed in ["", "{", "{\"login\": \"ana\"", "nonsense", "{\"login\": \"\\ud800\"}"] {
        send(malformed).await.problem(400, "invalid_input");
    }
    for (invalid, fields) in [
        ("{}", vec!["login", "password"]),
        ("{\"login\": 1, \"password\": null}", vec!["login", "password"]),
        ("[]", vec![]),
        ("\"ana\"", vec![]),
    ] {
        assert_eq!(send(invalid).await.invalid_fields(), fields, "{invalid}");
    }
    let unknown_field = json!({"login": "ana", "password": PASSWORD, "unheard_of": [1]});
    server.post("/auth/login", unknown_field).await.is(200);

    server.get_root("/nowhere").await.problem(404, "not_found");
    server.get_root("/api/v1/nowhere").await.problem(404, "not_found");
    ana.get("/users/not-an-id").await.problem(404, "not_found");
    let wrong_method = Answer::to(server.request(Method::DELETE, "/auth/login")).await;
    assert_eq!(wrong_method.header("allow"), Some("POST"));
    wrong_method.problem(405, "invalid_input");
    let large = login()
        .header("Content-Type", "application/json")
        .body(" ".repeat(5_000_000));
    // The server may say so before it has read all of it, and close the connection.
    if let Ok(answer) = Answer::try_to(large).await {
        answer.problem(413, "payload_too_large");
    }
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin1",
    ] {
        let answer = Answer::to(login().header("Content-Type", media_type).body("{}")).await;
        answer.problem(415, "unsupported_media_type");
    }
}

async fn every_answer_names_its_request(database: Database) {
    let server = Server::on(&database).await;
    let named = async |path: &str, id: &str| {
        let request = server.request_root(Method::GET, path).header("X-Request-Id", id);
        Answer::to(request).await.header("x-request-id").unwrap().to_owned()
    };
    for path in ["/healthz", "/api/v1/me", "/nowhere"] {
        assert_eq!(named(path, "client-7.a_B").await, "client-7.a_B");
        for insane in ["", "with spaces", "<script>", &"x".repeat(1_000)] {
            let name = named(path, insane).await;
            assert_ne!(name, insane);
            assert!(!name.is_empty());
        }
        let unnamed = [server.get_root(path).await, server.get_root(path).await];
        let ids = unnamed.each_ref().map(|answer| answer.header("x-request-id").unwrap());
        assert_ne!(ids[0], ids[1]);
    }
}
