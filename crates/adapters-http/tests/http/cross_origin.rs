//! Web pages of other origins.

use crate::world::{Answer, Api, World, send};
use reqwest::Method;

const FRIEND: &str = "https://chat.example.org";

fn world(origins: &[&str]) -> World {
    let mut world = World::new();
    world.options.allowed_origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    world
}

async fn pre_flight(api: &Api, origin: &str, path: &str) -> Answer {
    let request = api
        .anybody(Method::OPTIONS, path)
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type");
    send(request).await
}

async fn asked_by(api: &Api, origin: &str, path: &str) -> Answer {
    send(api.anybody(Method::GET, path).header("Origin", origin)).await
}

/// Nothing in the head lets a browser show the answer to a page of another origin.
#[track_caller]
fn is_closed(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[actix_web::test]
async fn friends_may_use_everything() {
    let apis = world(&["http://localhost:3000", FRIEND]).start_listeners(&["emotechat"]);
    for (api, path) in [
        (&apis[0], "/api/v1/auth/login"),
        (&apis[0], "/compat/emotechat/api/auth/login"),
        (&apis[0], "/compat/emotechat/api/auth/login/"),
        (&apis[0], "/nothing"),
        (&apis[1], "/api/auth/login"),
    ] {
        let answer = pre_flight(api, FRIEND, path).await;
        answer.empty(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("authorization"), "{headers}");
        assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"));
        assert!(answer.header("x-request-id").is_some());
    }
    // Failures are for friends to read, too.
    for (path, status) in [("/healthz", 200), ("/api/v1/me", 401), ("/compat/emotechat/x", 404)] {
        let answer = asked_by(&apis[0], FRIEND, path).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRIEND), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert!(answer.header("vary").unwrap().to_lowercase().contains("origin"));
        let exposed = answer.header("access-control-expose-headers").unwrap().to_lowercase();
        for name in [
            "location",
            "link",
            "authorization",
            "x-request-id",
            "retry-after",
            "ratelimit-limit",
        ] {
            assert!(exposed.contains(name), "{name} is not in {exposed}");
        }
    }
}

#[actix_web::test]
async fn strangers_are_answered_as_anybody() {
    for origins in [&[][..], &[FRIEND]] {
        let apis = world(origins).start_listeners(&["emotechat"]);
        for origin in ["https://evil.example.org", "null", "https://chat.example.org.evil", ""] {
            let native = pre_flight(&apis[0], origin, "/api/v1/auth/login").await;
            native.problem(405, "invalid_input");
            assert_eq!(native.header("allow"), Some("POST"));
            is_closed(&native);
            for (api, base) in [(&apis[0], "/compat/emotechat"), (&apis[1], "")] {
                let answer = pre_flight(api, origin, &format!("{base}/api/auth/login")).await;
                assert!(answer.json(405)["message"].is_string());
                is_closed(&answer);
                let answer = asked_by(api, origin, &format!("{base}/api/auth/validate")).await;
                assert!(answer.json(401)["message"].is_string());
                is_closed(&answer);
            }
            let health = asked_by(&apis[0], origin, "/healthz").await;
            assert_eq!(health.status, 200);
            is_closed(&health);
        }
    }
}

#[actix_web::test]
async fn the_same_origin_needs_no_leave() {
    for origins in [&[][..], &[FRIEND]] {
        let api = world(origins).start();
        let answer = asked_by(&api, &api.base, "/healthz").await;
        assert_eq!(answer.status, 200);
        is_closed(&answer);
    }
}
