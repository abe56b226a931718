//! How a server ends.

use crate::support::{Database, PASSWORD, Process, eventually, on_each_database};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use tokio::task::spawn_blocking;

on_each_database! {
    a_request_under_way_is_finished
    a_second_signal_waits_for_nothing
    an_idle_connection_holds_nothing_up
    who_was_here_is_written_down_at_the_end
}

/// A registration whose head the server has read, and whose body is still to come.
struct UnderWay {
    stream: BufReader<TcpStream>,
    body: String,
}

impl UnderWay {
    async fn begin(server: &Process, username: &str) -> Self {
        let address = server.base().strip_prefix("http://").unwrap().to_owned();
        let body = json!({"username": username, "password": PASSWORD}).to_string();
        spawn_blocking(move || {
            let mut stream = BufReader::new(TcpStream::connect(&address).unwrap());
            let length = body.len();
            let head = format!(
                "POST /api/v1/auth/register HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
            );
            stream.get_mut().write_all(head.as_bytes()).unwrap();
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
            stream.read_line(&mut line).unwrap();
            Self { stream, body }
        })
        .await
        .unwrap()
    }

    /// Sends the body and gives the whole answer: the connection is closed after it.
    async fn finish(mut self) -> String {
        spawn_blocking(move || {
            self.stream.get_mut().write_all(self.body.as_bytes()).unwrap();
            let mut answer = String::new();
            self.stream.read_to_string(&mut answer).unwrap();
            answer
        })
        .await
        .unwrap()
    }
}

/// Waits until nobody new is let in.
async fn closed(server: &Process) {
    let address = server.base().strip_prefix("http://").unwrap();
    eventually("the end of accepting", async || {
        TcpStream::connect(address).is_err().then_some(())
    })
    .await;
}

async fn a_request_under_way_is_finished(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(&database, data.path());
    let request = UnderWay::begin(&server, "ana").await;
    server.process().signal("TERM");
    closed(&server).await;
    let answer = request.finish().await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(answer.contains("access_token"), "{answer}");
    let status = server.process().ended().await;
    assert!(status.success(), "{status}");

    let again = Process::start(&database, data.path());
    again.log_in("ana").await;
}

async fn a_second_signal_waits_for_nothing(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(&database, data.path());
    let _request = UnderWay::begin(&server, "ana").await;
    server.process().signal("TERM");
    closed(&server).await;
    server.process().signal("TERM");
    assert_eq!(server.process().ended().await.code(), Some(1));
    let log = server.process().rest_of_log();
    assert!(log.last().unwrap().contains("cut off"), "{log:?}");
}

async fn an_idle_connection_holds_nothing_up(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(&database, data.path());
    // The client keeps the connection for its next request.
    server.get_root("/healthz").await.is(200);
    let begun = std::time::Instant::now();
    server.process().signal("TERM");
    assert!(server.process().ended().await.success());
    // It would be held up for 30 seconds.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert!(server.process().rest_of_log().last().unwrap().contains("stopped"));
}

async fn who_was_here_is_written_down_at_the_end(database: Database) {
    let (data, more_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut server = Process::start(&database, data.path());
    let ana = server.register("ana").await;
    server.process().signal("TERM");
    assert!(server.process().ended().await.success());

    let other = Process::start(&database, more_data.path());
    let bob = other.register("bob").await;
    bob.group("Both", &[&ana]).await;
    let seen = bob.get(&format!("/users/{}", ana.id)).await.is(200);
    assert!(seen["last_seen_at"].is_string(), "{seen}");
    assert_eq!(seen["online"], true);
}
