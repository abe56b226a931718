use std::collections::VecDeque;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use super::PATIENCE;
use serde_json::Value;

/// A script that leads clients from npm by lines of JSON. It is killed when this is dropped.
pub(crate) struct Script {
    child: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    /// What came before what was waited for.
    kept: VecDeque<Value>,
}

impl Script {
    /// Runs the script of that name.
    pub(crate) fn start(name: &str) -> Self {
        let program = env::var_os("TEST_NODE").unwrap_or_else(|| {
            panic!("TEST_NODE is not set: run the tests by `cargo xtask test`, which puts clients from npm in place")
        });
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/e2e/clients")
            .join(name);
        let mut child = Command::new(program)
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, output) = channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        Self {
            input: child.stdin.take().unwrap(),
            child,
            output,
            kept: VecDeque::new(),
        }
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, line: &Value) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// The next line of that kind, however many others come before; they stay.
    pub(crate) fn hears(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.kept.iter().position(&is) {
            return self.kept.remove(place).unwrap();
        }
        loop {
            let line = self.output.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|error| panic!("{error}; there were {:?}", self.kept));
            if is(&line) {
                return line;
            }
            self.kept.push_back(line);
        }
    }
}

impl Script {
    /// Whether there is such a line that nobody waited for.
    pub(crate) fn has_kept(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.kept.iter().any(is)
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to be done.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
