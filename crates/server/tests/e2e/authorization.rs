//! No operation answers somebody who is not logged in, except those named here.

use crate::support::{Answer, Database, Server, on_each_database};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

on_each_database! {
    only_public_operations_answer_strangers
}

/// May only shrink, but for documents.
const PUBLIC: [&str; 13] = [
    "GET /asyncapi.json",
    "GET /docs",
    "GET /healthz",
    "GET /metrics",
    "GET /openapi.json",
    "GET /readyz",
    "GET /uploads/{key}/{name}",
    "POST /api/v1/auth/email/verify",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/password/reset",
    "POST /api/v1/auth/password/reset-request",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/auth/register",
];

async fn only_public_operations_answer_strangers(database: Database) {
    let server = Server::on(&database).await;
    let document = server.get_root("/openapi.json").await.is(200);
    let mut operations = operations(&document);
    assert!(operations.len() > 20, "{operations:?}");
    // Not an operation of the document, but of the server.
    operations.insert("GET /docs".to_owned());

    let mut public = BTreeSet::new();
    for operation in &operations {
        let (method, path) = operation.split_once(' ').unwrap();
        let method: Method = method.parse().unwrap();
        let path = path
            .replace("{id}", "01900000-0000-7000-8000-000000000001")
            .replace("{user_id}", "01900000-0000-7000-8000-000000000002")
            .replace("{message_id}", "01900000-0000-7000-8000-000000000003")
            .replace("{chat_id}", "01900000-0000-7000-8000-000000000004")
            .replace("{key}", "a-key-that-no-file-ever-had")
            .replace("{name}", "file.txt");
        assert!(!path.contains('{'), "{path}");
        let request = || server.request_root(method.clone(), &path).json(&json!({}));
        let anonymous = Answer::to(request()).await;
        if anonymous.status != 401 || *operation == "POST /api/v1/auth/login" {
            public.insert(operation.as_str());
            continue;
        }
        assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));
        anonymous.problem(401, "unauthenticated");
        for header in ["Bearer nonsense", "Basic YW5hOnNlY3JldA==", "Bearer a.b.c"] {
            let answer = Answer::to(request().header("Authorization", header)).await;
            answer.problem(401, "unauthenticated");
        }
    }
    assert_eq!(public, BTreeSet::from(PUBLIC));
}

/// `METHOD /path` of everything in the document.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods
            .filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str()))
            .map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    each.collect()
}
