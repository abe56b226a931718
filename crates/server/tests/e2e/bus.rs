//! The NATS server over which processes tell each other what happens.

use crate::support::{Database, Line, Process, Server, Started, eventually, on_each_database};
use std::env;
use std::process;

on_each_database! {
    a_server_with_a_bus_is_ready
    the_bus_may_go_and_come_back
}

/// A URL of the server that `cargo xtask test` starts, with a subject that no other test has.
pub(crate) fn bus_url(database: &Database) -> String {
    let url = env::var("TEST_NATS_URL").unwrap_or_else(|_| {
        panic!("TEST_NATS_URL is not set: run the tests by `cargo xtask test`, which starts a server")
    });
    let of: String = database.url().chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}/test.{}.{of}", url.trim_end_matches('/'), process::id())
}

async fn until_ready(server: &Process) {
    eventually("readiness", async || {
        (server.get_root("/readyz").await.status == 200).then_some(())
    })
    .await;
}

async fn metric(server: &Process, name: &str) -> String {
    let text = String::from_utf8(server.get_root("/metrics").await.body).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("{name} is not in\n{text}"))
        .trim()
        .to_owned()
}

async fn a_server_with_a_bus_is_ready(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let argument = format!("--nats-url={}", bus_url(&database));
    let server = Process::start_with(&database, data.path(), &[&argument]);
    until_ready(&server).await;
    eventually("the metric", async || {
        (metric(&server, "tertulia_bus_connected ").await == "1").then_some(())
    })
    .await;
    for total in ["published", "received", "dropped"] {
        metric(&server, &format!("tertulia_bus_{total}_total ")).await;
    }
    // One without others has nobody to tell.
    let alone = Server::on(&database).await;
    alone.get_root("/readyz").await.is(200);
}

async fn the_bus_may_go_and_come_back(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let (mut line, url) = Line::to(&bus_url(&database));
    let url = url.replacen("nats://", "nats://ana:secret@", 1);
    let mut started = Started::with(
        &database.url(),
        data.path(),
        &["--log=trace", &format!("--nats-url={url}")],
    );
    let mut log = vec![started.logs("there is no connection to the NATS server")];
    let mut server = started.serving();
    for _ in 0..2 {
        eventually("the loss of the bus", async || {
            let answer = server.get_root("/readyz").await;
            (answer.status != 200).then(|| {
                assert!(answer.header("retry-after").is_some());
                let problem = answer.problem(503, "unavailable");
                assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
                assert_eq!(problem["errors"][0]["field"], "bus");
            })
        })
        .await;
        server.get_root("/healthz").await.is(200);
        server.register(&format!("ana-{}", log.len())).await;
        line.mend();
        until_ready(&server).await;
        log.push(server.process().logs("other processes are heard"));
        line.cut().await;
    }
    server.process().signal("TERM");
    assert!(server.process().ended().await.success());
    log.extend(server.process().rest_of_log());
    assert!(!log.iter().any(|line| line.contains("secret")), "{log:?}");
}
