//! Every operation of every API, with whatever schemathesis makes of its OpenAPI document, against a real server.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cargo::command;
use crate::services::python;
use crate::services::server::Server;

const SCRIPT: &str = include_str!("fuzz.py");

/// All APIs that have a document.
const NAMES: [&str; 6] = ["native", "amigos", "company", "cookies", "emotechat", "participants"];

/// Cases per operation that are made up at random, besides those that follow from the document.
const CASES: u32 = 50;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    names: Vec<&'static str>,
    cases: u32,
}

/// Sends what the words ask for, one API after the other; fails if any of them answers what it should not.
pub(crate) fn run(words: &[String]) -> Result<ExitCode> {
    let wish = Wish::read(words)?;
    let python = python::environment()?;
    let server = Server::start()?;
    let mut failed = Vec::new();
    for name in wish.names {
        let status = command(&python)
            // Isolated: the caller's own settings for Python stay out.
            .args(["-I", "-c", SCRIPT, &server.url, name])
            .arg(wish.cases.to_string())
            .current_dir(server.folder())
            .status()
            .with_context(|| format!("cannot run {}", python.display()))?;
        if !status.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for line in server.log().lines().filter(|line| line.contains("ERROR")) {
        eprintln!("{line}");
    }
    bail!("answers that no document tells: {}", failed.join(", "))
}

impl Wish {
    /// `[NAME...] [--cases N]`; without a name, all.
    fn read(words: &[String]) -> Result<Self> {
        let mut wish = Self {
            names: Vec::new(),
            cases: CASES,
        };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            if word == "--cases" {
                let number = words.next().and_then(|number| number.parse().ok());
                wish.cases = number
                    .filter(|number| *number > 0)
                    .context("--cases needs a number above 0")?;
            } else {
                let name = NAMES.into_iter().find(|name| *name == word);
                let name = name.with_context(|| format!("there is no API {word}; there are {}", NAMES.join(", ")))?;
                wish.names.push(name);
            }
        }
        if wish.names.is_empty() {
            wish.names = NAMES.to_vec();
        }
        Ok(wish)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Wish> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Wish::read(&words)
    }

    #[test]
    fn names_and_a_number() {
        let wish = |names: &[&'static str], cases| Wish {
            names: names.to_vec(),
            cases,
        };
        assert_eq!(read("").unwrap(), wish(&NAMES, CASES));
        assert_eq!(read("--cases 7").unwrap(), wish(&NAMES, 7));
        assert_eq!(
            read("cookies --cases 7 native").unwrap(),
            wish(&["cookies", "native"], 7)
        );
        for wrong in ["cookie", "--cases", "--cases 0", "--cases x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
