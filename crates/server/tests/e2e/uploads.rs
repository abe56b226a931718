//! An upload that is too large is refused while it still comes in.

use crate::support::{Database, Form, Server, on_each_database, value};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::spawn_blocking;

on_each_database! {
    what_is_announced_too_large_is_refused_at_once
    what_grows_too_large_is_refused_when_it_does
}

/// Chunks that a client would send whom nobody stops: 10 GiB.
const MANY: usize = 163_840;

/// A connection on which a file is being uploaded.
async fn upload(server: &Server, length: &str) -> TcpStream {
    let ana = server.register("ana").await;
    let address = server.base().strip_prefix("http://").unwrap().to_owned();
    let head = format!(
        "POST /api/v1/files HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: {}\r\n{length}\r\n\r\n",
        ana.access,
        Form::content_type(),
    );
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

/// The first bytes of the answer.
fn begin_of_answer(stream: &mut TcpStream) -> String {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

async fn what_is_announced_too_large_is_refused_at_once(database: Database) {
    let server = Server::on(&database).await;
    let mut stream = upload(&server, "Content-Length: 1073741824").await;
    let answer = spawn_blocking(move || begin_of_answer(&mut stream)).await.unwrap();
    assert_eq!(answer, "HTTP/1.1 413");
}

async fn what_grows_too_large_is_refused_when_it_does(database: Database) {
    let server = Server::with(&database, |settings| settings.max_file_size = value("1MiB")).await;
    let mut stream = upload(&server, "Transfer-Encoding: chunked").await;
    let mut reading = stream.try_clone().unwrap();
    let answered = Arc::new(AtomicBool::new(false));
    let writing = {
        let answered = Arc::clone(&answered);
        spawn_blocking(move || {
            let mut chunk = |bytes: &[u8]| {
                let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
                stream.write_all(&framed).is_ok()
            };
            assert!(chunk(&Form::beginning("endless.bin")));
            let zeros = vec![0; 65_536];
            // Until there is an answer, or the server no longer listens.
            let mut going_on = |_: &usize| !answered.load(Ordering::SeqCst) && chunk(&zeros);
            (0..MANY).take_while(|n| going_on(n)).count()
        })
    };
    let answer = spawn_blocking(move || begin_of_answer(&mut reading)).await.unwrap();
    answered.store(true, Ordering::SeqCst);
    assert_eq!(answer, "HTTP/1.1 413");
    let sent = writing.await.unwrap();
    assert!(sent < MANY, "{sent} chunks of 64 KiB");
}
