use super::{Database, Server, value};
use std::env;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use tertulia_server::config::Settings;

/// The bucket that `cargo xtask test` makes.
const BUCKET: &str = "tertulia";

/// A database and a file store, empty and of their own.
pub(crate) struct Site {
    database: Database,
    store: Store,
}

enum Store {
    Local,
    S3 { prefix: String },
}

impl Site {
    pub(crate) fn local(database: Database) -> Self {
        Self {
            database,
            store: Store::Local,
        }
    }

    pub(crate) fn s3(database: Database) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("e2e/{}-{number}", process::id());
        Self {
            database,
            store: Store::S3 { prefix },
        }
    }

    /// A server there, which removes every second what nothing uses any more.
    pub(crate) async fn server(&self) -> Server {
        self.server_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn server_with(&self, change: impl FnOnce(&mut Settings)) -> Server {
        Server::with(&self.database, |settings| {
            settings.tidy_interval = value("1s");
            if let Store::S3 { prefix } = &self.store {
                settings.file_store = value(&format!("s3://{BUCKET}/{prefix}"));
                settings.s3_endpoint = value(&endpoint());
                settings.s3_access_key_id = value("test");
                settings.s3_secret_access_key = value("test");
            }
            change(settings);
        })
        .await
    }

    /// The objects that the store keeps for that server, and what belongs to unfinished ones.
    pub(crate) async fn objects(&self, server: &Server) -> Vec<String> {
        let mut found = Vec::new();
        match &self.store {
            Store::Local => files(&server.data().join("files"), &mut found),
            Store::S3 { prefix } => {
                for question in ["list-type=2", "uploads"] {
                    let url = format!("{}/{BUCKET}?{question}&prefix={prefix}/", endpoint());
                    let answer = reqwest::get(url).await.unwrap().text().await.unwrap();
                    let keys = answer.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next());
                    found.extend(keys.map(str::to_owned));
                }
            }
        }
        // The one with which the store was tried.
        found.retain(|name| !name.ends_with("/check"));
        found.sort();
        found
    }
}

/// Where the S3 server is.
fn endpoint() -> String {
    env::var("TEST_S3_ENDPOINT").unwrap_or_else(|_| {
        panic!("TEST_S3_ENDPOINT is not set: run the tests by `cargo xtask test`, which starts a server")
    })
}

fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path.display().to_string());
        }
    }
}

/// Makes a test of each `async fn(Site)`, for each database with a folder and for one with S3: `sqlite::local::name`,
/// `postgres::local::name` and `postgres::s3::name`.
macro_rules! on_each_store {
    ($($case:ident)+) => {
        mod sqlite {
            mod local {
                use crate::support::{Database, Site};
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        super::super::$case(Site::local(Database::sqlite())).await;
                    }
                )+
            }
        }

        mod postgres {
            mod local {
                use crate::support::{Database, Site};
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        super::super::$case(Site::local(Database::postgres())).await;
                    }
                )+
            }

            mod s3 {
                use crate::support::{Database, Site};
                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        super::super::$case(Site::s3(Database::postgres())).await;
                    }
                )+
            }
        }
    };
}
pub(crate) use on_each_store;
