//! The server itself, built from this workspace, on an empty SQLite database and without rate limits.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::sandbox::{RunAs, Sandbox};
use crate::cargo::cargo;

const START_LIMIT: Duration = Duration::from_mins(1);

/// One that is up; it stops when this is dropped, and also when xtask is killed.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it answers.
    pub(crate) url: String,
    sandbox: Sandbox,
}

impl Server {
    /// Builds it and starts it.
    pub(crate) fn start() -> Result<Self> {
        let program = build()?;
        let mut sandbox = Sandbox::create("server", RunAs::Oneself)?;
        let data = sandbox.folder().join("data");
        fs::create_dir(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let mut command = sandbox.command(program)?;
        command.args(["serve", "--listen=127.0.0.1:0", "--no-rate-limits", "--data-dir"]);
        command.arg(&data).arg("--database-url");
        command.arg(format!("sqlite://{}", data.join("fuzz.db").display()));
        for (name, _) in env::vars_os().filter(|(name, _)| is_setting(name)) {
            command.env_remove(name);
        }
        sandbox.serve(&mut command, "TERM")?;
        let url = wait(&mut sandbox)?;
        Ok(Self { url, sandbox })
    }

    /// A temporary folder that goes with it.
    pub(crate) fn folder(&self) -> &Path {
        self.sandbox.folder()
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        self.sandbox.log()
    }
}

/// The caller's own settings stay out.
fn is_setting(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("TERTULIA_")
}

fn build() -> Result<PathBuf> {
    let status = cargo(["build", "--locked", "--package", "tertulia-server"]).status();
    if !status.context("cannot run cargo build")?.success() {
        bail!("the server cannot be built");
    }
    // xtask is built in the same profile.
    let own = env::current_exe().context("cannot tell where cargo puts its results")?;
    Ok(own.with_file_name("tertulia"))
}

fn wait(sandbox: &mut Sandbox) -> Result<String> {
    let limit = Instant::now() + START_LIMIT;
    loop {
        let log = sandbox.log();
        if let Some(url) = address(&log) {
            return Ok(url.to_owned());
        }
        if sandbox.has_ended() || Instant::now() > limit {
            bail!("the server did not start; its log:\n{log}");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Where it says that it listens, once that line is complete.
fn address(log: &str) -> Option<&str> {
    let (_, rest) = log.split_once("listening on ")?;
    rest.split_once('\n').map(|(url, _)| url.trim())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_address_is_taken_from_a_whole_line() {
        assert_eq!(address("INFO listening on http://127.0.0.1:40"), None);
        let log = "INFO hello\nINFO listening on http://127.0.0.1:4000\nINFO x\n";
        assert_eq!(address(log), Some("http://127.0.0.1:4000"));
    }
}
