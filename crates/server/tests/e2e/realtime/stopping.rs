use super::two;
use crate::support::{Database, Process, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    who_listens_is_told_when_to_come_back
    what_happened_before_a_kill_is_told_after_it
}

async fn who_listens_is_told_when_to_come_back(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let mut server = Process::start(&database, data.path());
    let (ana, bob, chat) = two(&server).await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(ana.listen().await);
    }
    let mut stream = bob.stream(None).await;
    assert_eq!(stream.next().await.data["type"], "ready");
    ana.send(&chat, "goodbye").await;
    for socket in &mut sockets {
        assert_eq!(socket.event().await["data"]["body"], "goodbye");
    }
    server.process().signal("TERM");
    let mut delays = Vec::new();
    for socket in &mut sockets {
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 1012, "{reason}");
        let reason: Value = serde_json::from_str(&reason).unwrap();
        delays.push(reason["reconnect_after_ms"].as_u64().unwrap());
    }
    assert!(delays.iter().all(|delay| *delay < 10_000), "{delays:?}");
    delays.dedup();
    assert!(delays.len() > 1, "all at once");
    assert_eq!(stream.next().await.data["data"]["body"], "goodbye");
    assert!(stream.try_next().await.is_none());
    // Nobody who listens holds it up.
    assert!(server.process().ended().await.success());
}

async fn what_happened_before_a_kill_is_told_after_it(database: Database) {
    let data = tempfile::tempdir().unwrap();
    let server = Process::start(&database, data.path());
    let (ana, bob, chat) = two(&server).await;
    let (mut socket, _, token) = bob.resume(json!({})).await;
    ana.send(&chat, "heard").await;
    assert_eq!(socket.event().await["data"]["body"], "heard");
    drop(socket);
    ana.send(&chat, "missed").await;
    server.kill();
    let again = Process::start(&database, data.path());
    let (_, missed, _) = bob.at(&again).resume(json!({"token": token})).await;
    assert_eq!(super::bodies(&missed), ["heard", "missed"]);
    let (_, missed, _) = bob.at(&again).resume(super::positions(&[(&chat, 2)])).await;
    assert_eq!(super::bodies(&missed), ["missed"]);
}
