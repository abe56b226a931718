//! The contracts of other services: each of them in a file, beside the others and on a listener of its own.

mod participants;

use crate::support::{Api, Database, Process, Started};
use serde_json::Value;
use std::path::Path;

/// A server with a contract mounted: both.
fn start(contract: &str, database: &Database, data: &Path) -> (Process, Api) {
    let mount = format!("--mount={contract}=127.0.0.1:0");
    let mut started = Started::with(&database.url(), data, &[&mount]);
    let place = format!("{contract} is at ");
    let line = started.logs(&place);
    let (_, address) = line.split_once(&place).unwrap();
    let mounted = Api::at(address.trim().to_owned());
    (started.serving(), mounted)
}

/// Whether that is a time as contracts show it.
fn is_time(value: &Value) -> bool {
    let form = "0000-00-00T00:00:00.000Z";
    value.as_str().is_some_and(|text| {
        let fits = |(c, like): (char, char)| if like == '0' { c.is_ascii_digit() } else { c == like };
        text.len() == form.len() && text.chars().zip(form.chars()).all(fits)
    })
}
