//! Tools from package indexes, installed among cargo's build results.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Names the list that a folder was filled from, once it is complete.
const FINISHED: &str = "installed-from";

/// A folder that `install` fills with what `list` names. It stays until the list changes.
pub(super) fn folder(name: &str, list: &str, install: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let tools = tools().context("cannot tell where cargo puts its results")?;
    fs::create_dir_all(&tools).with_context(|| format!("cannot make {}", tools.display()))?;
    // Another xtask may be at it. The lock goes with the process.
    let lock = File::create(tools.join(format!("{name}.lock"))).and_then(|lock| lock.lock().map(|()| lock));
    let _lock = lock.with_context(|| format!("cannot lock {}", tools.display()))?;
    let folder = tools.join(name);
    let finished = folder.join(FINISHED);
    if !fs::read_to_string(&finished).is_ok_and(|installed| installed == list) {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        install(&folder)?;
        fs::write(&finished, list).with_context(|| format!("cannot write {}", finished.display()))?;
    }
    Ok(folder)
}

/// Next to the folder of the profile that xtask itself was built in.
fn tools() -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    Some(own.parent()?.parent()?.join("tools"))
}

/// Runs a command that has to succeed.
pub(super) fn succeed(command: &mut Command) -> Result<()> {
    // Standard output is for the tests' results.
    let status = command
        .stdout(io::stderr())
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}
