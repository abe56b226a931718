//! Every test of the workspace, with the services they need and a count at the end.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo::{cargo, exit_code};
use crate::services;

/// Runs `cargo test`, with `extra` added; without `-p` among it, for the whole workspace.
pub(crate) fn run(extra: &[String]) -> Result<ExitCode> {
    let services = services::start_all()?;
    let mut command = cargo(["test", "--locked", "--no-fail-fast"]);
    if !names_packages(extra) {
        command.arg("--workspace");
    }
    command.args(extra).stdout(Stdio::piped());
    for service in &services {
        command.envs(service.variables.iter().map(|(name, value)| (name, value)));
    }
    let mut child = command.spawn().context("cannot run cargo test")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let counted = stream(BufReader::new(output), io::stdout());
    let status = child.wait().context("cannot wait for cargo test")?;
    drop(services);
    let summary = counted.context("cannot pass on cargo test's output")?;

    println!("\non PostgreSQL: {}, on SQLite: {}", summary.postgres, summary.sqlite);
    println!(
        "tests: {} passed, {} failed, {} ignored",
        summary.passed, summary.failed, summary.ignored
    );
    if status.success() && summary.passed + summary.failed == 0 {
        bail!("no test ran");
    }
    Ok(exit_code(status))
}

/// Whether cargo's own arguments (those before a `--`) choose packages.
fn names_packages(extra: &[String]) -> bool {
    extra
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| word.starts_with("-p") || word.starts_with("--package"))
}

/// Passes the lines on as they come and counts them.
fn stream(mut from: impl BufRead, mut to: impl Write) -> io::Result<Summary> {
    let mut summary = Summary::default();
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        to.write_all(&line)?;
        to.flush()?;
        summary.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(summary)
}

/// Counts over all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    passed: u64,
    failed: u64,
    ignored: u64,
    /// Tests that ran, whatever their result, with a database's name in their path.
    postgres: u64,
    sqlite: u64,
}

impl Summary {
    /// Takes in a line of libtest's: `test NAME ... ok` or `test result: ok. 3 passed; 0 failed; ...`.
    fn add(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("test ") else {
            return;
        };
        if let Some(result) = rest.strip_prefix("result: ") {
            self.add_result(result);
        } else if let Some((name, outcome)) = rest.split_once(" ... ")
            && !outcome.starts_with("ignored")
        {
            self.postgres += u64::from(name.contains("postgres::"));
            self.sqlite += u64::from(name.contains("sqlite::"));
        }
    }

    fn add_result(&mut self, result: &str) {
        let counts = result.split_once(". ").map_or("", |(_, counts)| counts);
        for part in counts.split(';') {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let number = number.parse::<u64>().unwrap_or_default();
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 5 tests
test postgres::messages::pages_are_ordered ... ok
test sqlite::messages::pages_are_ordered ... FAILED
test sqlite::slow ... ignored, takes an hour
test rules::names - should panic ... ok
test mentions_postgres_without_a_path ... ok
test result: FAILED. 3 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s

running 1 test
test src/lib.rs - sqlite::Pool (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.31s
test result is what a test may print itself
";

    #[test]
    fn counts_are_summed_over_the_binaries() {
        let mut passed_on = Vec::new();
        let summary = stream(OUTPUT.as_bytes(), &mut passed_on).unwrap();
        assert_eq!(passed_on, OUTPUT.as_bytes());
        let expected = Summary {
            passed: 4,
            failed: 1,
            ignored: 1,
            postgres: 1,
            sqlite: 2,
        };
        assert_eq!(summary, expected);
    }

    #[test]
    fn packages_are_chosen_before_the_dashes_only() {
        let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert!(names_packages(&words("-p tertulia-domain")));
        assert!(names_packages(&words("--package=tertulia-domain")));
        assert!(!names_packages(&words("--release name -- -p")));
    }
}
