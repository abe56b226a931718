//! Installing what is missing, on Debian and its kin.

use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Installs a package as root, or through sudo. `what` says in words what it is for.
pub(super) fn install(package: &str, what: &str) -> Result<()> {
    let advice = || format!("{what} is not installed; install it (on Debian: apt-get install {package})");
    let prefix = privilege().with_context(advice)?;
    eprintln!("xtask: {what} is not installed; installing Debian's package `{package}` with apt-get");
    // A repository that cannot be reached now need not be the one that has the package.
    if apt_get(&prefix, &["update"]).is_err() {
        eprintln!("xtask: apt-get update failed; trying with the package lists as they are");
    }
    apt_get(&prefix, &["install", "--yes", "--no-install-recommends", package]).with_context(advice)
}

/// The words before `env ... apt-get`.
fn privilege() -> Result<Vec<&'static str>> {
    if !runs("apt-get") {
        bail!("there is no apt-get here to install it with");
    }
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    if root {
        return Ok(Vec::new());
    }
    if !runs("sudo") {
        bail!("installing needs root, and there is no sudo");
    }
    // Nobody can type a password where there is no terminal.
    Ok(if io::stdin().is_terminal() {
        vec!["sudo"]
    } else {
        vec!["sudo", "-n"]
    })
}

fn runs(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
    let (program, rest) = words.split_first().context("an empty command")?;
    let status = Command::new(program)
        .args(rest)
        // Another apt-get may be at work, as on a machine that has just been set up.
        .args(["-o", "DPkg::Lock::Timeout=120"])
        // Standard output is for the tests' results.
        .stdout(io::stderr())
        .status()
        .with_context(|| format!("cannot run {program}"))?;
    if !status.success() {
        bail!("`{}` ended with {status}", words.join(" "));
    }
    Ok(())
}
