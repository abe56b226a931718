//! The contracts of other services, as their own documents tell them: beside the others and on a listener of their own.

mod amigos;

use crate::support::{Answer, Api, Database, Process, Started};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

/// A contract, at one of the places where it is served.
pub(crate) struct Door {
    server: Process,
    api: Api,
    base: String,
    database: Database,
    _data: TempDir,
}

impl Door {
    /// A server with an empty database, and the contract at that place.
    fn open(database: Database, contract: &str, alone: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mount = format!("--mount={contract}=127.0.0.1:0");
        let mut started = Started::with(&database.url(), data.path(), &[&mount]);
        let line = started.logs(&format!("{contract} is at "));
        let (_, mounted) = line.split_once(" is at ").unwrap();
        let mounted = Api::at(mounted.trim().to_owned());
        let server = started.serving();
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
            _data: data,
        }
    }

    /// The native API of the same server.
    fn native(&self) -> &Api {
        &self.server
    }

    fn database(&self) -> &Database {
        &self.database
    }

    /// A request to a path of the contract.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.api.request_root(method, &format!("{}{path}", self.base))
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
