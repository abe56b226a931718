//! How requests fail, and what every answer has.

use crate::world::{Answer, Api, CHAT, TOKEN, World, errors, send};
use actix_web::rt::task::spawn_blocking;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;
use tertulia_domain::repository::RepositoryError;

fn json_request(api: &Api, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
    let request = api.anybody(Method::POST, "/api/v1/auth/login");
    request.header("Content-Type", "application/json").body(body)
}

#[actix_web::test]
async fn unknown_paths() {
    let api = World::new().start();
    for path in [
        "/",
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/me",
        "/docs/nothing",
        "/api/v1/me/",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let answer = send(api.anybody(method.clone(), path)).await;
            let expected = if path == "/docs/nothing" && method != Method::GET {
                405
            } else {
                404
            };
            assert_eq!(answer.status, expected, "{method} {path}");
        }
        send(api.anybody(Method::GET, path)).await.problem(404, "not_found");
    }
}

#[actix_web::test]
async fn ids_of_the_wrong_form_name_nothing() {
    let api = World::new().start();
    let id = CHAT.to_string();
    for path in [
        "/chats/1".to_owned(),
        format!("/chats/{}", id.replace('-', "")),
        format!("/chats/{{{id}}}"),
        "/users/me".to_owned(),
        format!("/chats/{id}/messages/x"),
        "/chats/x/messages".to_owned(),
        "/chats/%00/members".to_owned(),
    ] {
        assert_eq!(api.get(&path).await.problem(404, "not_found"), [], "{path}");
    }
    api.delete(&format!("/chats/{id}/members/x"))
        .await
        .problem(404, "not_found");
    api.delete("/auth/sessions/x").await.problem(404, "not_found");
}

#[actix_web::test]
async fn wrong_methods() {
    let api = World::new().start();
    for (method, path, allow) in [
        (Method::GET, "/api/v1/auth/login", "POST"),
        (Method::POST, "/api/v1/me", "GET, HEAD, PATCH, DELETE"),
        (Method::PUT, "/api/v1/chats", "GET, HEAD, POST"),
        (Method::DELETE, "/healthz", "GET, HEAD"),
        (Method::OPTIONS, "/api/v1/users", "GET, HEAD"),
        (Method::from_bytes(b"BREW").unwrap(), "/docs", "GET, HEAD"),
    ] {
        let answer = send(api.anybody(method, path)).await;
        assert_eq!(answer.problem(405, "invalid_input"), []);
        assert_eq!(answer.header("allow"), Some(allow));
    }
}

#[actix_web::test]
async fn head_is_get_without_the_body() {
    let api = World::new().start();
    let get = send(api.anybody(Method::GET, "/healthz")).await;
    let head = send(api.anybody(Method::HEAD, "/healthz")).await;
    head.empty(200);
    for name in ["content-length", "content-type", "cache-control"] {
        assert_eq!(head.header(name), get.header(name));
    }
}

#[actix_web::test]
async fn malformed_bodies() {
    let api = World::new().start();
    let deep = format!(r#"{{"login":{}{}}}"#, "[".repeat(1000), "]".repeat(1000));
    let bodies: [&[u8]; 8] = [
        b"",
        b"{",
        b"{'login':1}",
        b"{\"login\":\"a\"}}",
        b"{\"login\":\"\xff\"}",
        b"{\"login\":\"\\ud800\"}",
        b"[[[",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = send(json_request(&api, body.to_vec())).await;
        assert_eq!(
            answer.problem(400, "invalid_input"),
            [],
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    // No body at all, of no type at all.
    let nothing = api.anybody(Method::POST, "/api/v1/auth/login");
    send(nothing).await.problem(400, "invalid_input");
}

#[actix_web::test]
async fn bodies_that_are_no_object() {
    let api = World::new().start();
    for body in ["[]", "[\"ana\",\"secret-word\"]", "null", "true", "\"login\"", "7"] {
        let answer = send(json_request(&api, body)).await;
        assert_eq!(answer.problem(422, "invalid_input"), [], "{body}");
    }
}

#[actix_web::test]
async fn other_media_types() {
    let api = World::new().start();
    let body = r#"{"login":"ana","password":"secret-word"}"#;
    let request = || api.anybody(Method::POST, "/api/v1/auth/login").body(body);
    send(request()).await.problem(415, "unsupported_media_type");
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "",
    ] {
        let answer = send(request().header("Content-Type", media_type)).await;
        answer.problem(415, "unsupported_media_type");
    }
    let packed = request()
        .header("Content-Type", "application/json")
        .header("Content-Encoding", "gzip");
    send(packed).await.problem(415, "unsupported_media_type");
}

#[actix_web::test]
async fn large_bodies() {
    let api = World::new().start();
    let body = |bytes: usize| format!("{{\"login\":\"{}\"}}", "a".repeat(bytes - 12));
    // At the limit: read, and then lacking its password.
    let answer = send(json_request(&api, body(256 * 1024))).await;
    assert_eq!(
        answer.problem(422, "invalid_input"),
        errors(&[("password", "required")])
    );
    for bytes in [256 * 1024 + 1, 4 * 1024 * 1024] {
        let answer = send(json_request(&api, body(bytes))).await;
        assert_eq!(answer.problem(413, "payload_too_large"), []);
    }
}

#[actix_web::test]
async fn every_invalid_field_is_named() {
    let api = World::new().start();
    let body =
        json!({"username": "a b", "email": 7, "password": "short", "display_name": "\u{202e}", "device": [], "x": 1});
    let answer = send(api.anybody(Method::POST, "/api/v1/auth/register").json(&body)).await;
    let expected = errors(&[
        ("username", "invalid"),
        ("email", "wrong_type"),
        ("password", "invalid"),
        ("display_name", "invalid"),
        ("device", "wrong_type"),
    ]);
    assert_eq!(answer.problem(422, "invalid_input"), expected);
    let answer = send(
        api.anybody(Method::POST, "/api/v1/auth/register")
            .json(&json!({"password": null})),
    )
    .await;
    let expected = errors(&[
        ("username", "required"),
        ("email", "required"),
        ("password", "required"),
    ]);
    assert_eq!(answer.problem(422, "invalid_input"), expected);
}

#[actix_web::test]
async fn queries() {
    let api = World::new().start();
    let messages = format!("/chats/{CHAT}/messages");
    for (path, status, fields) in [
        ("/users?limit=x", 400, &["limit"][..]),
        ("/users?limit=", 400, &["limit"]),
        ("/users?limit=1.5", 400, &["limit"]),
        ("/users?limit=0", 422, &["limit"]),
        ("/chats?limit=101", 422, &["limit"]),
        ("/users?limit=99999999999999999999", 422, &["limit"]),
        ("/users?cursor=x", 400, &["cursor"]),
        ("/users?cursor=", 400, &["cursor"]),
        ("/users?q=%00", 422, &["q"]),
        ("/users?limit=1&limit=2", 400, &[]),
        (&format!("{messages}?before=x"), 400, &["before"]),
        (&format!("{messages}?after=-1"), 422, &["after"]),
        (&format!("{messages}?before=1&after=2"), 422, &["before", "after"]),
        (&format!("{messages}?cursor=BA&after=2"), 422, &["cursor", "after"]),
    ] {
        let answer = api.get(path).await;
        let found: Vec<_> = answer
            .problem(status, "invalid_input")
            .into_iter()
            .map(|error| error.0)
            .collect();
        assert_eq!(found, fields, "{path}");
    }
    api.delete("/me?erase=1").await.problem(400, "invalid_input");
}

#[actix_web::test]
async fn trouble_with_the_database() {
    type Trouble = fn() -> RepositoryError;
    let cases: [(Trouble, u16, &str, Option<&str>); 4] = [
        (|| RepositoryError::Overloaded, 503, "overloaded", Some("1")),
        (
            || RepositoryError::Unavailable("10.0.0.7 refused".into()),
            503,
            "unavailable",
            Some("5"),
        ),
        (
            || RepositoryError::Other("10.0.0.7 hung up".into()),
            500,
            "internal",
            None,
        ),
        (
            || RepositoryError::Inconsistent {
                table: "users",
                key: "10.0.0.7".into(),
                reason: "no number".into(),
            },
            500,
            "internal",
            None,
        ),
    ];
    for (trouble, status, code, retry_after) in cases {
        let mut world = World::new();
        world.users.expect_find().returning(move |_| Err(trouble()));
        let answer = world.start().get("/me").await;
        assert_eq!(answer.problem(status, code), []);
        assert_eq!(answer.header("retry-after"), retry_after);
        let text = String::from_utf8(answer.bytes).unwrap();
        assert!(!text.contains("10.0.0.7"), "{text}");
    }
}

#[actix_web::test]
async fn a_panic_is_a_500_and_the_connection_lives_on() {
    let mut world = World::new();
    world.users.expect_find().returning(|_| panic!("10.0.0.7"));
    let api = world.start();
    for _ in 0..2 {
        let answer = api.get("/me").await;
        answer.problem(500, "internal");
        assert!(!String::from_utf8(answer.bytes).unwrap().contains("10.0.0.7"));
    }
    send(api.anybody(Method::GET, "/healthz")).await.json(200);
}

/// A good answer and bad ones from everywhere: handler, extractor, router.
async fn all_kinds_of_answers(api: &Api, id: Option<&str>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (method, path) in [
        (Method::GET, "/healthz"),
        (Method::GET, "/metrics"),
        (Method::GET, "/openapi.json"),
        (Method::GET, "/nothing"),
        (Method::POST, "/healthz"),
        (Method::GET, "/api/v1/me"),
        (Method::POST, "/api/v1/auth/login"),
    ] {
        let request = api.anybody(method, path);
        answers.push(
            send(match id {
                Some(id) => request.header("X-Request-Id", id),
                None => request,
            })
            .await,
        );
    }
    answers
}

#[actix_web::test]
async fn every_answer_has_a_request_id() {
    let api = World::new().start();
    for sane in ["a", "0190-AB_c.9", &"x".repeat(128)] {
        for answer in all_kinds_of_answers(&api, Some(sane)).await {
            assert_eq!(answer.header("x-request-id"), Some(sane));
        }
    }
    for insane in [None, Some(""), Some("a b"), Some("<x>"), Some(&*"x".repeat(129))] {
        for answer in all_kinds_of_answers(&api, insane).await {
            let fresh = answer.header("x-request-id").unwrap();
            assert!(fresh.len() == 36 && fresh.starts_with("01900000-0000-7000-"), "{fresh}");
        }
    }
}

#[actix_web::test]
async fn every_answer_has_security_headers() {
    let api = World::new().start();
    for answer in all_kinds_of_answers(&api, None).await {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value));
        }
    }
}

#[actix_web::test]
async fn a_problem_tells_no_more_than_it_should() {
    let api = World::new().start();
    let body = send(api.anybody(Method::GET, "/nothing").header("X-Request-Id", "r1"))
        .await
        .json(404);
    let expected: Value = json!({
        "type": "urn:tertulia:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is nothing at this path.",
        "code": "not_found",
        "request_id": "r1",
    });
    assert_eq!(body, expected);
}

/// Clients that send everything before they look at what is answered, as simple ones do.
#[actix_web::test]
async fn a_client_that_does_not_listen_gets_its_answer_too() {
    let api = World::new().start();
    let address = api.base.strip_prefix("http://").unwrap().to_owned();
    let answer = actix_web::web::block(move || {
        use std::io::{Read, Write};
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        let bytes = 4 * 1024 * 1024;
        let head = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&vec![b' '; bytes]).unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).unwrap();
        String::from_utf8(answer.to_vec()).unwrap()
    });
    assert_eq!(answer.await.unwrap(), "HTTP/1.1 413");
}

/// Whoever goes on sending what nobody reads holds nothing but the time that the answer needs to be seen.
#[actix_web::test]
async fn a_body_that_is_not_read_ends_the_connection() {
    let mut world = World::new();
    world.options.client_disconnect_timeout = Duration::from_millis(50);
    let api = world.start();
    let address = api.base.strip_prefix("http://").unwrap().to_owned();
    spawn_blocking(move || {
        // Refused for the token, for the path, and for its length.
        for (path, token) in [("/api/v1/chats", "no"), ("/nothing", TOKEN), ("/api/v1/chats", TOKEN)] {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
                 Transfer-Encoding: chunked\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            let chunk = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
            // Bounded, and far more than all buffers between the two hold.
            let ended = (0..10_000).any(|_| stream.write_all(chunk.as_bytes()).is_err());
            assert!(ended, "{path} {token}");
        }
    })
    .await
    .unwrap();
}
