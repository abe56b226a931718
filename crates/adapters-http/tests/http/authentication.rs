//! Who gets in.

use crate::world::{Api, TOKEN, World, send};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeSet;

/// What anybody may do without a token. This list may only get shorter.
const PUBLIC: [&str; 12] = [
    "register",
    "log_in",
    "refresh",
    "request_password_reset",
    "reset_password",
    "verify_email",
    "asyncapi",
    "get_public_file",
    "healthz",
    "readyz",
    "metrics",
    "openapi",
];

struct Operation {
    method: Method,
    /// With ids in it.
    path: String,
    id: String,
    declared_public: bool,
}

/// Every operation of the OpenAPI document.
async fn operations(api: &Api) -> Vec<Operation> {
    let document = send(api.anybody(Method::GET, "/openapi.json")).await.json(200);
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let operation = |(method, operation): (&String, &Value)| Operation {
            method: method.to_uppercase().parse().unwrap(),
            path: path
                .split('/')
                .map(|part| {
                    if part.starts_with('{') {
                        "01900000-0000-7000-8000-000000000001"
                    } else {
                        part
                    }
                })
                .collect::<Vec<_>>()
                .join("/"),
            id: operation["operationId"].as_str().unwrap().to_owned(),
            declared_public: operation["security"] == serde_json::json!([{}]),
        };
        item.as_object().unwrap().iter().map(operation).collect::<Vec<_>>()
    });
    operations.collect()
}

#[actix_web::test]
async fn every_operation_refuses_anonymous_callers() {
    let api = World::new().start();
    let operations = operations(&api).await;
    let public = operations.iter().filter(|operation| operation.declared_public);
    let public: BTreeSet<_> = public.map(|operation| operation.id.as_str()).collect();
    assert_eq!(public, PUBLIC.into());
    assert!(operations.len() > 50);
    for operation in operations {
        if operation.declared_public {
            continue;
        }
        let at = format!("{} {}", operation.method, operation.path);
        // With a body that nothing can be made of: who has no token is not even told that.
        let request = || api.anybody(operation.method.clone(), &operation.path).body("{");
        for (token, code) in [
            (None, "unauthenticated"),
            (Some("Basic Z29vZA=="), "unauthenticated"),
            (Some("Bearer "), "unauthenticated"),
            (Some("Bearer forged"), "unauthenticated"),
            (Some("Bearer expired"), "token_expired"),
        ] {
            let request = match token {
                Some(token) => request().header("Authorization", token),
                None => request(),
            };
            let answer = send(request).await;
            assert_eq!(answer.status, 401, "{at} with {token:?}");
            answer.problem(401, code);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{at}");
        }
    }
}

#[actix_web::test]
async fn a_session_that_has_ended_is_no_session() {
    let api = World::new().start();
    let answer = send(api.anybody(Method::GET, "/api/v1/me").bearer_auth("ended")).await;
    answer.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn the_scheme_has_no_case() {
    let mut world = World::new();
    world.sessions.expect_end().returning(|_, _| Ok(true));
    let api = world.start();
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let request = api.anybody(Method::POST, "/api/v1/auth/logout");
        let answer = send(request.header("Authorization", format!("{scheme} {TOKEN}"))).await;
        answer.empty(204);
    }
}

#[actix_web::test]
async fn a_request_is_looked_at_in_order() {
    let api = World::new().start();
    let malformed = |path: &str| api.ana(Method::PATCH, path).body("{");
    // The path before the body,
    let nothing = send(malformed("/chats/x")).await;
    nothing.problem(404, "not_found");
    // its media type before its content,
    let chat = "/chats/01900000-0000-7000-8000-000000000001";
    send(malformed(chat)).await.problem(415, "unsupported_media_type");
    let json = malformed(chat).header("Content-Type", "application/json");
    send(json).await.problem(400, "invalid_input");
    // and the key of a creation before its body.
    let keyed = api.ana(Method::POST, "/chats").header("Idempotency-Key", "").body("{");
    let fields = send(keyed).await.problem(400, "invalid_input");
    assert_eq!(fields[0].0, "Idempotency-Key");
}
