//! The contracts of other services: each of them in a file, beside the others and on a listener of its own.

mod cookies;
mod participants;

use crate::support::{Api, Database, Process, Started};
use serde_json::Value;
use std::path::Path;

/// A server process with that contract mounted, and what is served there.
fn mounted(database: &Database, data: &Path, contract: &str) -> (Process, Api) {
    let mount = format!("--mount={contract}=127.0.0.1:0");
    let mut started = Started::with(&database.url(), data, &[&mount]);
    let line = started.logs(&format!("{contract} is at "));
    let (_, address) = line.split_once(" is at ").unwrap();
    let mounted = Api::at(address.trim().to_owned());
    (started.serving(), mounted)
}

/// A UUID of version 7, given back.
#[track_caller]
fn id(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let form = text.bytes().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'7',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    });
    assert!(form && text.len() == 36, "{value} is no id");
    text.to_owned()
}

/// A time in UTC with milliseconds, given back.
#[track_caller]
fn time(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    let digits: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(digits, "0000-00-00T00:00:00.000Z", "{value} is no time");
    text.to_owned()
}

/// Whether that is a time as contracts show it.
fn is_time(value: &Value) -> bool {
    let form = "0000-00-00T00:00:00.000Z";
    value.as_str().is_some_and(|text| {
        let fits = |(c, like): (char, char)| if like == '0' { c.is_ascii_digit() } else { c == like };
        text.len() == form.len() && text.chars().zip(form.chars()).all(fits)
    })
}
