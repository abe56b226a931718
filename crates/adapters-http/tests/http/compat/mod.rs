//! The contracts of other services: what all of them have in common, here, and each of them in a file.

mod abuse;
mod amigos;
mod company;
mod cookies;
mod emotechat;
mod participants;
mod rules;

use crate::world::{Answer, Api, TOKEN, World, send};
use reqwest::Method;
use serde_json::{Value, json};
use std::num::NonZeroU32;
use std::time::Duration;
use tertulia_adapters_http::{Rate, contract_names};

/// Every contract both ways: the server, what stands before its paths, and its name.
fn each_contract(world: impl Fn() -> World) -> Vec<(Api, String, &'static str)> {
    let both = contract_names().flat_map(|name| {
        let beside_others = (world().start(), format!("/compat/{name}"), name);
        [beside_others, (world().start_mounted(name), String::new(), name)]
    });
    both.collect()
}

/// A failure in a shape that is not the native one.
#[track_caller]
fn fails(answer: &Answer, status: u16) -> Value {
    let body = answer.json(status);
    assert_eq!(answer.header("content-type"), Some("application/json"), "{body}");
    assert!(
        body.get("code").is_none() && body.get("request_id").is_none(),
        "a problem: {body}"
    );
    assert!(answer.header("x-request-id").is_some());
    body
}

/// Method, path with its variables filled in, and description of everything in a contract's document.
async fn operations(api: &Api, base: &str) -> Vec<(Method, String, Value)> {
    let document = send(api.anybody(Method::GET, &format!("{base}/openapi.json")))
        .await
        .json(200);
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        let filled = path.split(['{', '}']).enumerate();
        let filled: String = filled
            .map(|(place, text)| if place % 2 == 1 { "1" } else { text })
            .collect();
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| {
            let method = method.to_uppercase().parse().unwrap();
            (method, filled.clone(), operation.clone())
        })
    });
    operations.collect()
}

#[actix_web::test]
async fn there_are_contracts() {
    assert!(contract_names().any(|name| name == "emotechat"));
    for name in contract_names() {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
    }
}

#[actix_web::test]
async fn each_describes_itself() {
    for (api, base, name) in each_contract(World::new) {
        let answer = send(api.anybody(Method::GET, &format!("{base}/openapi.json"))).await;
        let document = answer.json(200);
        let server = if base.is_empty() { "/" } else { base.as_str() };
        assert_eq!(document["servers"], json!([{"url": server}]), "{name}");
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
        assert!(!operations(&api, &base).await.is_empty());
    }
    let api = World::new().start();
    let script = send(api.anybody(Method::GET, "/docs/swagger-initializer.js")).await;
    let script = String::from_utf8(script.bytes).unwrap();
    for name in contract_names() {
        assert!(script.contains(&format!("compat/{name}/openapi.json")), "{script}");
    }
}

#[actix_web::test]
async fn only_public_operations_answer_strangers() {
    for (api, base, name) in each_contract(World::new) {
        for (method, path, operation) in operations(&api, &base).await {
            if operation["security"] == json!([{}]) {
                continue;
            }
            for credentials in [
                None,
                Some("Bearer nonsense"),
                Some("Bearer expired"),
                Some("Bearer ended"),
                Some("Basic YW5h"),
            ] {
                let mut request = api.anybody(method.clone(), &format!("{base}{path}"));
                if let Some(credentials) = credentials {
                    request = request.header("Authorization", credentials);
                }
                let answer = send(request).await;
                // One of them knows no 401, and Phoenix's sockets don't.
                let no_401 = name == "cookies" || path == "/socket/websocket";
                let status = if no_401 { 403 } else { 401 };
                assert_eq!(answer.status, status, "{name}: {method} {path} {credentials:?}");
                fails(&answer, status);
            }
        }
    }
}

#[actix_web::test]
async fn unknown_paths_and_wrong_methods_keep_the_shape() {
    for (api, base, _) in each_contract(World::new) {
        for path in ["/", "/nothing", "/api/nothing/", "/healthz", "/api/v1/me"] {
            for method in [Method::GET, Method::POST, Method::OPTIONS] {
                fails(&send(api.anybody(method, &format!("{base}{path}"))).await, 404);
            }
        }
        let wrong = send(api.anybody(Method::DELETE, &format!("{base}/openapi.json"))).await;
        fails(&wrong, 405);
        assert_eq!(wrong.header("allow"), Some("GET, HEAD"));
    }
}

#[actix_web::test]
async fn what_is_no_contract_is_native() {
    let api = World::new().start();
    for path in [
        "/compat",
        "/compat/",
        "/compat/nobody",
        "/compat/emotechats/openapi.json",
    ] {
        send(api.anybody(Method::GET, path)).await.problem(404, "not_found");
    }
}

#[actix_web::test]
async fn slashes_at_the_end_make_no_difference() {
    for (api, base, _) in each_contract(World::new) {
        for end in ["/", "//", "/?a=1"] {
            send(api.anybody(Method::GET, &format!("{base}/openapi.json{end}")))
                .await
                .json(200);
        }
    }
}

#[actix_web::test]
async fn limits_are_shared_and_keep_the_shape() {
    let mut world = World::new();
    world.options.rate_limits.address = Rate::new(NonZeroU32::MIN, Duration::from_hours(1));
    let [main, mounted] = world.start_listeners(&["emotechat"]).try_into().ok().unwrap();
    let document = "/openapi.json";
    send(main.anybody(Method::GET, document)).await.json(200);
    let refused = send(mounted.anybody(Method::GET, document)).await;
    fails(&refused, 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    let refused = send(main.anybody(Method::GET, "/compat/emotechat/openapi.json")).await;
    fails(&refused, 429);
    send(main.anybody(Method::GET, document))
        .await
        .problem(429, "rate_limited");
}

#[actix_web::test]
async fn metrics_name_the_contract_either_way() {
    let [main, mounted] = World::new().start_listeners(&["emotechat"]).try_into().ok().unwrap();
    let path = "/api/auth/validate";
    fails(&send(mounted.anybody(Method::PUT, path)).await, 405);
    fails(
        &send(main.anybody(Method::PATCH, &format!("/compat/emotechat{path}"))).await,
        405,
    );
    let text = send(main.anybody(Method::GET, "/metrics")).await;
    let text = String::from_utf8(text.bytes).unwrap();
    for method in ["PUT", "PATCH"] {
        let line = format!(
            r#"tertulia_http_requests_total{{method="{method}",route="/compat/emotechat{path}",status="405"}} "#
        );
        assert!(text.lines().any(|found| found.starts_with(&line)), "{text}");
    }
}

#[actix_web::test]
async fn a_listener_of_its_own_serves_nothing_else() {
    let api = World::new().start_mounted("emotechat");
    for path in ["/api/v1/me", "/docs", "/metrics", "/compat/emotechat/api/auth/validate"] {
        fails(&send(api.anybody(Method::GET, path).bearer_auth(TOKEN)).await, 404);
    }
}
