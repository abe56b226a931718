use super::{Api, Database, eventually};
use std::io::{BufRead, BufReader, Write};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

/// The real binary, with nothing of the surroundings' settings.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tertulia"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("TERTULIA_") || text.starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end: exit code, standard output, standard error.
pub(crate) fn run(command: &mut Command) -> (i32, String, String) {
    finished(command.output().unwrap())
}

/// The same with something to read.
pub(crate) fn run_with_input(command: &mut Command, input: &str) -> (i32, String, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    finished(child.wait_with_output().unwrap())
}

fn finished(output: Output) -> (i32, String, String) {
    let code = output.status.code().expect("it ended by itself");
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (code, stdout, stderr)
}

/// A server process and its log. It is killed when this is dropped.
pub(crate) struct Started {
    child: Child,
    log: Receiver<String>,
}

impl Started {
    /// Starts one on any free port, which need not come to serving.
    pub(crate) fn on(database_url: &str, data: &Path) -> Self {
        Self::with(database_url, data, &[])
    }

    /// The same with further arguments.
    pub(crate) fn with(database_url: &str, data: &Path, arguments: &[&str]) -> Self {
        let data = data.to_str().unwrap();
        let mut command = command(&[
            "serve",
            "--listen=127.0.0.1:0",
            "--data-dir",
            data,
            "--database-url",
            database_url,
            "--database-connections=6",
            "--hash-threads=1",
        ]);
        Self::by(command.args(arguments))
    }

    /// Starts one by that command.
    pub(crate) fn by(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, log) = channel();
        // To the end, whether anybody listens or not: a full pipe would block the server.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                eprintln!("{line}");
                let _ = sender.send(line);
            }
        });
        Self { child, log }
    }

    /// The next line of the log in which that stands.
    pub(crate) fn logs(&mut self, text: &str) -> String {
        let line = self.log.iter().find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("it ended without logging {text:?}: {:?}", self.child.wait()))
    }

    /// What is still to come of the log: once the process has ended.
    pub(crate) fn rest_of_log(&self) -> Vec<String> {
        self.log.iter().collect()
    }

    /// Waits until it serves.
    pub(crate) fn serving(mut self) -> Process {
        let line = self.logs("listening on ");
        let (_, address) = line.split_once("listening on ").unwrap();
        Process {
            api: Api::at(address.trim().to_owned()),
            started: self,
        }
    }

    /// Sends a signal by its name. The shell has that built in, whatever programs the machine has.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        eventually("the end of a process", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to be done.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that serves, in a process of its own.
pub(crate) struct Process {
    api: Api,
    started: Started,
}

impl Process {
    /// One on that database, on any free port.
    pub(crate) fn start(database: &Database, data: &Path) -> Self {
        Started::on(&database.url(), data).serving()
    }

    /// One with further arguments.
    pub(crate) fn start_with(database: &Database, data: &Path, arguments: &[&str]) -> Self {
        Started::with(&database.url(), data, arguments).serving()
    }

    /// SIGKILL.
    pub(crate) fn kill(self) {
        drop(self.started);
    }

    /// The process.
    pub(crate) fn process(&mut self) -> &mut Started {
        &mut self.started
    }
}

impl Deref for Process {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}
