//! The contracts of other services, as their own documents tell them: beside the others and on a listener of their own.

mod amigos;
mod company;
mod company_socket;
mod cookies;
mod crossing;
mod emotechat;
mod emotechat_socket;
mod face;
mod participants;
mod rules;
mod socket_io;

use crate::support::{Answer, Api, Database, Process, Started};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

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

/// A contract, at one of the places where it is served.
pub(crate) struct Door {
    server: Process,
    api: Api,
    base: String,
    database: Database,
    data: TempDir,
}

impl Door {
    /// A server with an empty database, and the contract at that place.
    fn open(database: Database, contract: &str, alone: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let (server, mounted) = mounted(&database, data.path(), contract);
        let (api, base) = if alone {
            (mounted, String::new())
        } else {
            (Api::at(server.base().to_owned()), format!("/compat/{contract}"))
        };
        Self {
            server,
            api,
            base,
            database,
            data,
        }
    }

    /// The native API of the same server.
    fn native(&self) -> &Api {
        &self.server
    }

    fn database(&self) -> &Database {
        &self.database
    }

    fn data(&self) -> &Path {
        self.data.path()
    }

    /// What stands before the contract's paths.
    fn base(&self) -> &str {
        &self.base
    }

    /// The URL of a path of the contract.
    fn url(&self, path: &str) -> String {
        format!("{}{}{path}", self.api.base(), self.base)
    }

    /// A request to a path of the contract.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.request_root(method, &format!("{}{path}", self.base))
    }

    /// A request to a path as it stands, at the same listener.
    fn request_root(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.request_root(method, path)
    }

    /// GET, by whoever has that token.
    async fn get(&self, token: &str, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path).bearer_auth(token)).await
    }

    /// POST, by whoever has that token; by a stranger without.
    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        let request = self.request(Method::POST, path).json(&body);
        let request = if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        };
        Answer::to(request).await
    }
}

/// The case at both places, each with an empty database.
async fn through_each_door(database: Database, contract: &str, case: impl AsyncFn(&Door)) {
    let another = database.without_schema();
    case(&Door::open(database, contract, false)).await;
    case(&Door::open(another, contract, true)).await;
}

/// Makes a test of each `async fn(&Door)`, once for each database, as `sqlite::name` and `postgres::name`.
macro_rules! at_each_door {
    ($contract:literal: $($case:ident)+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let database = $crate::support::Database::sqlite();
                    $crate::contracts::through_each_door(database, $contract, super::$case).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let database = $crate::support::Database::postgres();
                    $crate::contracts::through_each_door(database, $contract, super::$case).await;
                }
            )+
        }
    };
}
pub(crate) use at_each_door;
