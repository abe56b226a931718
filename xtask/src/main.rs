//! Development tasks, run as `cargo xtask TASK`.
//!
//! They need rustup's toolchain and a C compiler; what else the tests need (databases and the
//! like) they find on the machine or install.

mod cargo;
mod ci;
mod deps;
mod licences;
mod services;
mod tests_run;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask test [-- ARGS]             every test, with the services they need; ARGS go to `cargo test`
cargo xtask ci                         the gate: format, lints, dependency edges, licences, documentation
cargo xtask deps                       only the dependency edges
cargo xtask licences                   only licences, banned crates and sources
cargo xtask postgres [-- CMD ARGS]     a private PostgreSQL while CMD runs, or until Ctrl-C
cargo xtask s3 [-- CMD ARGS]           the same with a server that speaks S3
cargo xtask smtp [-- CMD ARGS]         the same with a mail server
cargo xtask nats [-- CMD ARGS]         the same with a NATS server
cargo xtask npm [-- CMD ARGS]          the same with clients from npm, and Node.js to run them";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let mut rest: Vec<String> = arguments.collect();
    if rest.first().is_some_and(|first| first == "--") {
        rest.remove(0);
    } else if !rest.is_empty() {
        bail!("arguments of a task come after `--`\n{USAGE}");
    }
    match (task.as_str(), rest.is_empty()) {
        ("test", _) => tests_run::run(&rest),
        ("postgres", _) => services::hold(services::postgres::start, &rest),
        ("s3", _) => services::hold(services::s3::start, &rest),
        ("smtp", _) => services::hold(services::smtp::start, &rest),
        ("nats", _) => services::hold(services::nats::start, &rest),
        ("npm", _) => services::hold(services::npm::start, &rest),
        ("ci", true) => ci::run(),
        ("deps", true) => deps::check().map(|()| ExitCode::SUCCESS),
        ("licences", true) => licences::check().map(|()| ExitCode::SUCCESS),
        ("ci" | "deps" | "licences", false) => bail!("`{task}` takes no arguments\n{USAGE}"),
        ("" | "help" | "-h" | "--help", _) => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("no such task: {task}\n{USAGE}"),
    }
}
