//! Services that are Python packages, driven by a script of ours.
//!
//! The packages are installed from Python's package index into an environment of their own among cargo's
//! build results. It stays there until the list of packages changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::sandbox::{RunAs, Sandbox};
use super::tools::{self, succeed};
use super::{Service, apt};

/// Every package with its version.
const REQUIREMENTS: &str = include_str!("requirements.txt");
const START_LIMIT: Duration = Duration::from_mins(1);

/// Starts a script and waits until it has written the values of the variables to the file `ready`.
pub(super) fn start(name: &str, script: &str, variables: &[&'static str]) -> Result<Service> {
    if let Some(given) = Service::given(variables) {
        return Ok(given);
    }
    let python = environment()?;
    let mut sandbox = Sandbox::create(name, RunAs::Oneself)?;
    let path = sandbox.folder().join("service.py");
    fs::write(&path, script).with_context(|| format!("cannot write {}", path.display()))?;
    let mut command = sandbox.command(python)?;
    // Isolated: the caller's own settings for Python stay out.
    command.arg("-I").arg(path);
    sandbox.serve(&mut command, "TERM")?;
    let ready = wait(&mut sandbox, name)?;
    let values = variables.iter().map(|variable| {
        let value = value(&ready, variable).with_context(|| format!("the {name} server does not say {variable}"))?;
        Ok((*variable, value.to_owned()))
    });
    let values = values.collect::<Result<_>>()?;
    Ok(Service::ours(values, sandbox))
}

fn wait(sandbox: &mut Sandbox, name: &str) -> Result<String> {
    let limit = Instant::now() + START_LIMIT;
    loop {
        if let Ok(ready) = fs::read_to_string(sandbox.folder().join("ready")) {
            return Ok(ready);
        }
        if sandbox.has_ended() {
            bail!("the {name} server did not start; its log:\n{}", sandbox.log());
        }
        if Instant::now() > limit {
            bail!(
                "the {name} server was not ready after {} s; its log:\n{}",
                START_LIMIT.as_secs(),
                sandbox.log()
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// What stands behind `NAME=` in one of the lines.
fn value<'t>(lines: &'t str, name: &str) -> Option<&'t str> {
    lines
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

/// The interpreter of the environment that has the packages, made or remade if need be.
fn environment() -> Result<PathBuf> {
    let folder = tools::folder("python", REQUIREMENTS, install);
    let folder = folder.context("cannot install the Python packages that tests need")?;
    Ok(folder.join("bin/python"))
}

fn install(folder: &Path) -> Result<()> {
    let base = find_base().map_or_else(install_base, Ok)?;
    eprintln!("xtask: installing Python packages from PyPI into {}", folder.display());
    succeed(Command::new(base).args(["-m", "venv"]).arg(folder))?;
    let list = folder.join("wanted.txt");
    fs::write(&list, REQUIREMENTS)?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    succeed(Command::new(folder.join("bin/python")).args(pip).arg(list))
}

fn install_base() -> Result<&'static str> {
    apt::install("python3-venv", "Python 3 with its module venv")?;
    find_base().context("the package `python3-venv` is installed, but there is no such Python")
}

/// A Python that can make environments with pip in them: Debian parts that from the rest.
fn find_base() -> Option<&'static str> {
    ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        Command::new(python)
            .args(["-c", "import ensurepip, venv"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn values_are_found_by_their_whole_name() {
        let ready = "TEST_A=1\nTEST_A_B=x=y\n";
        assert_eq!(value(ready, "TEST_A"), Some("1"));
        assert_eq!(value(ready, "TEST_A_B"), Some("x=y"));
        assert_eq!(value(ready, "TEST"), None);
    }
}
