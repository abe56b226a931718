use super::PATIENCE;
use serde_json::{Value, json};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// The client of Phoenix channels from npm, in a process of its own. It is killed when this is dropped.
pub(crate) struct Phoenix {
    child: Child,
    input: ChildStdin,
    told: UnboundedReceiver<Value>,
}

impl Phoenix {
    /// One of the socket of that URL, by a token and in that version of the protocol.
    pub(crate) fn start(url: &str, token: &str, vsn: &str) -> Self {
        let [node, modules] = ["TEST_NODE", "TEST_NODE_MODULES"].map(|name| {
            env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run the tests by `cargo xtask test`, which installs the client")
            })
        });
        let mut child = Command::new(node)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/clients/phoenix.mjs"))
            .args([url, token, vsn])
            .env("TEST_NODE_MODULES", modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, told) = unbounded_channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Whether anybody listens or not.
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self { child, input, told }
    }

    /// One that has joined the room of `company`, below that base.
    pub(crate) async fn joined(base: &str, token: &str, vsn: &str) -> Self {
        let mut phoenix = Self::start(&format!("{}/socket", base.replacen("http", "ws", 1)), token, vsn);
        phoenix.does(&json!({"do": "connect"}));
        assert_eq!(phoenix.hears().await, json!({"socket": "opened"}));
        phoenix.does(&json!({"do": "join", "topic": "room:chat"}));
        assert_eq!(phoenix.hears().await, json!({"join": "ok", "response": {}}));
        phoenix
    }

    /// Has it do something.
    pub(crate) fn does(&mut self, command: &Value) {
        writeln!(self.input, "{command}").unwrap();
    }

    /// The next thing that happens to it.
    pub(crate) async fn hears(&mut self) -> Value {
        let told = timeout(PATIENCE, self.told.recv()).await;
        told.expect("nothing happened").expect("it ended")
    }

    /// Pushes an event; the answer must have that status.
    pub(crate) async fn pushes(&mut self, event: &str, payload: Value, status: &str) -> Value {
        self.does(&json!({"do": "push", "event": event, "payload": payload}));
        let mut answer = self.hears().await;
        assert_eq!(answer["push"], status, "{answer}");
        answer["response"].take()
    }

    /// The next thing, which must be a message that was received.
    pub(crate) async fn receives(&mut self) -> Value {
        let mut heard = self.hears().await;
        assert!(heard.get("received").is_some(), "{heard}");
        heard["received"].take()
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
