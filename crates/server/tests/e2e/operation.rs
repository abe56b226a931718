//! What operators ask.

use crate::support::{Database, Server, on_each_database};
use serde_json::json;

on_each_database! {
    it_is_alive_and_ready
    metrics_are_in_prometheus_form
    the_api_is_documented
}

async fn it_is_alive_and_ready(database: Database) {
    let server = Server::on(&database).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.get_root(path).await.is(200), json!({"status": "ok"}));
    }
}

async fn metrics_are_in_prometheus_form(database: Database) {
    let server = Server::on(&database).await;
    server.register("ana").await.get("/me").await.is(200);
    let answer = server.get_root("/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    let text = String::from_utf8(answer.body).unwrap();
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    for line in [
        "tertulia_http_requests_total{method=\"GET\",route=\"/api/v1/me\",status=\"200\"}",
        "tertulia_http_request_seconds_bucket{method=\"POST\",route=\"/api/v1/auth/register\",status=\"201\",le=\"0.0005\"}",
        "tertulia_password_hash_seconds_bucket{le=\"10\"}",
        "tertulia_password_hash_waiting 0",
        "tertulia_db_connections_max{",
    ] {
        assert!(has(line), "{line} is not in\n{text}");
    }
    assert!(
        !text.contains("quantile="),
        "histograms can be added up over processes, quantiles can't"
    );
}

async fn the_api_is_documented(database: Database) {
    let server = Server::on(&database).await;
    let document = server.get_root("/openapi.json").await.is(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(document["paths"]["/api/v1/chats/{id}/messages"]["post"].is_object());
    let page = server.get_root("/docs").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
}
