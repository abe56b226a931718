//! Clients that are npm packages, run by Node.js from scripts of the tests.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::{Service, apt, tools};

/// Every package with its version.
const PACKAGES: &str = include_str!("package.json");

/// The folder that the packages are in.
const MODULES: &str = "TEST_NODE_MODULES";
/// The program that runs scripts.
const NODE: &str = "TEST_NODE";

/// Nothing runs: the packages are put in place, and Node.js with them if the machine has none.
pub(crate) fn start() -> Result<Service> {
    if let Some(given) = Service::given(&[MODULES, NODE]) {
        return Ok(given);
    }
    if !is_there() {
        apt::install("npm", "Node.js with npm")?;
    }
    let folder = tools::folder("npm", PACKAGES, install).context("cannot install the npm packages that tests need")?;
    let modules = folder.join("node_modules");
    Ok(Service::in_place(vec![
        (MODULES, modules.display().to_string()),
        (NODE, "node".to_owned()),
    ]))
}

fn is_there() -> bool {
    ["node", "npm"].into_iter().all(|program| {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

fn install(folder: &Path) -> Result<()> {
    eprintln!("xtask: installing packages from npm into {}", folder.display());
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), PACKAGES)?;
    let quietly = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
    let install = ["install", "--ignore-scripts", "--no-package-lock"];
    tools::succeed(Command::new("npm").args(install).args(quietly).current_dir(folder))
}
