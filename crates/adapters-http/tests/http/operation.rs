//! Health, metrics and documentation.

use crate::world::{World, errors, send};
use reqwest::Method;
use serde_json::json;
use tertulia_application::ports::BusError;
use tertulia_domain::repository::RepositoryError;

#[actix_web::test]
async fn health() {
    let api = World::new().start();
    assert_eq!(
        send(api.anybody(Method::GET, "/healthz")).await.json(200),
        json!({"status": "ok"})
    );
}

#[actix_web::test]
async fn readiness() {
    let mut world = World::new();
    world.maintenance.expect_check().times(2).returning(|| Ok(()));
    world
        .maintenance
        .expect_check()
        .returning(|| Err(RepositoryError::Unavailable("10.0.0.7 refused".into())));
    world.bus.expect_check().once().returning(|| Ok(()));
    world
        .bus
        .expect_check()
        .returning(|| Err(BusError("10.0.0.8 refused".into())));
    let api = world.start();
    assert_eq!(
        send(api.anybody(Method::GET, "/readyz")).await.json(200),
        json!({"status": "ok"})
    );
    for faults in [
        &[("bus", "unavailable")][..],
        &[("database", "unavailable"), ("bus", "unavailable")],
    ] {
        let answer = send(api.anybody(Method::GET, "/readyz")).await;
        assert_eq!(answer.problem(503, "unavailable"), errors(faults));
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert!(!String::from_utf8(answer.bytes).unwrap().contains("10.0.0."));
    }
}

#[actix_web::test]
async fn metrics() {
    let api = World::new().start();
    send(api.ana(Method::GET, "/chats/x")).await.problem(404, "not_found");
    send(api.anybody(Method::from_bytes(b"BREW").unwrap(), "/no/such/path"))
        .await
        .problem(404, "not_found");
    let answer = send(api.anybody(Method::GET, "/metrics")).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = String::from_utf8(answer.bytes).unwrap();
    for line in [
        "# TYPE tertulia_http_requests_total counter",
        "# TYPE tertulia_http_request_seconds histogram",
        r#"tertulia_http_requests_total{method="GET",route="/api/v1/chats/{id}",status="404"} "#,
        r#"tertulia_http_requests_total{method="other",route="unmatched",status="404"} "#,
        r#"tertulia_http_request_seconds_bucket{method="GET",route="/api/v1/chats/{id}",status="404",le="0.0005"} "#,
    ] {
        assert!(
            text.lines().any(|found| found.starts_with(line)),
            "{line}\nis not in\n{text}"
        );
    }
    assert!(!text.contains("BREW") && !text.contains("/no/such/path"));
}

#[actix_web::test]
async fn documentation_needs_no_internet() {
    let api = World::new().start();
    let page = send(api.anybody(Method::GET, "/docs")).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let html = String::from_utf8(page.bytes).unwrap();
    let mut files = 0;
    for reference in html
        .split(['"'])
        .skip(1)
        .step_by(2)
        .filter(|text| text.contains('.') && !text.contains(' '))
    {
        let file = send(api.anybody(Method::GET, &format!("/{reference}"))).await;
        assert_eq!(file.status, 200, "{reference}");
        files += 1;
    }
    assert!(files >= 5, "{html}");
    let script = send(api.anybody(Method::GET, "/docs/swagger-initializer.js")).await;
    let script = String::from_utf8(script.bytes).unwrap();
    assert!(script.contains("openapi.json") && !script.contains("http"), "{script}");
}
