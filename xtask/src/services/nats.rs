//! A private NATS server from the machine's own binary.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::sandbox::{RunAs, Sandbox};
use super::{Service, apt};

const URL: &str = "TEST_NATS_URL";
/// The program, for tests that start servers of their own.
const PROGRAM: &str = "TEST_NATS_SERVER";
const START_LIMIT: Duration = Duration::from_mins(1);

/// Starts it, installing it first if the machine has none.
pub(crate) fn start() -> Result<Service> {
    if let Some(given) = Service::given(&[URL, PROGRAM]) {
        return Ok(given);
    }
    let program = match find_program() {
        Some(program) => program,
        None => install()?,
    };
    let mut sandbox = Sandbox::create("nats", RunAs::Oneself)?;
    let mut command = sandbox.command(&program)?;
    // Port -1 is any free one; which, stands in a file there.
    command.args(["--addr", "127.0.0.1", "--port", "-1", "--ports_file_dir"]);
    command.arg(sandbox.folder());
    sandbox.serve(&mut command, "TERM")?;
    let url = wait(&mut sandbox)?;
    let variables = vec![(URL, url), (PROGRAM, program.display().to_string())];
    Ok(Service::ours(variables, sandbox))
}

fn install() -> Result<PathBuf> {
    apt::install("nats-server", "NATS (program nats-server)")?;
    find_program().context("the package `nats-server` is installed, but its program is not to be found")
}

/// Debian puts it where not everybody's PATH leads.
fn find_program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/bin".into()])
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
}

fn wait(sandbox: &mut Sandbox) -> Result<String> {
    let limit = Instant::now() + START_LIMIT;
    loop {
        if let Some(url) = read_url(sandbox) {
            return Ok(url);
        }
        if sandbox.has_ended() {
            bail!("the NATS server did not start; its log:\n{}", sandbox.log());
        }
        if Instant::now() > limit {
            bail!(
                "the NATS server was not ready after {} s; its log:\n{}",
                START_LIMIT.as_secs(),
                sandbox.log()
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// The server writes the file `NAME_PID.ports` once it listens.
fn read_url(sandbox: &Sandbox) -> Option<String> {
    let mut entries = fs::read_dir(sandbox.folder()).ok()?.filter_map(Result::ok);
    let file = entries.find(|entry| entry.path().extension().is_some_and(|extension| extension == "ports"))?;
    first_url(&fs::read_to_string(file.path()).ok()?)
}

/// Of `{"nats":["nats://127.0.0.1:4222"], ...}`; none of a part of it.
fn first_url(ports: &str) -> Option<String> {
    let ports: serde_json::Value = serde_json::from_str(ports).ok()?;
    Some(ports.get("nats")?.get(0)?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_url;

    #[test]
    fn a_file_that_is_being_written_says_nothing_yet() {
        let whole = r#"{"nats":["nats://127.0.0.1:41234"]}"#;
        assert_eq!(first_url(whole).as_deref(), Some("nats://127.0.0.1:41234"));
        for part in 0..whole.len() {
            assert_eq!(first_url(whole.get(..part).unwrap()), None);
        }
    }
}
