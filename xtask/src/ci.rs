//! The gate: all that must hold of a change besides its tests.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, root};
use crate::{deps, licences};

/// Runs every step in order and stops at the first that fails.
pub(crate) fn run() -> Result<ExitCode> {
    step("format", || succeed(&mut cargo(["fmt", "--all", "--", "--check"])))?;
    step("lints", || {
        succeed(&mut cargo([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    })?;
    step("dependency edges", deps::check)?;
    step("licences, banned crates, sources", licences::check)?;
    step("cargo-deny", cargo_deny)?;
    step("documentation", || {
        succeed(cargo(["doc", "--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    println!("\nci: all steps passed");
    Ok(ExitCode::SUCCESS)
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n==> {name}");
    let start = Instant::now();
    work().with_context(|| format!("step `{name}` failed"))?;
    println!("    {name}: ok in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    let shown = format!("cargo {}", words.join(" "));
    println!("    {shown}");
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// A second opinion where it is installed: it also reads licence files. Our own check of the same
/// `deny.toml` has run by then, so nothing is skipped without it.
fn cargo_deny() -> Result<()> {
    let installed = Command::new("cargo-deny")
        .arg("--version")
        .current_dir(root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !installed {
        println!("    not installed; the step before has checked deny.toml's lists");
        return Ok(());
    }
    succeed(&mut cargo(["deny", "--locked", "check", "licenses", "bans", "sources"]))
}
