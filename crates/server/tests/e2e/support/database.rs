use super::{PASSWORD, command, run};
use tempfile::TempDir;
use tertulia_adapters_postgres::test_support::TestDatabase;

/// An empty database of its own, gone when this is dropped.
pub(crate) enum Database {
    Sqlite(TempDir),
    Postgres(TestDatabase),
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(TestDatabase::create())
    }

    /// Another one of the same kind, in which nothing is yet: not even tables.
    pub(crate) fn without_schema(&self) -> Self {
        match self {
            Self::Sqlite(_) => Self::sqlite(),
            Self::Postgres(_) => Self::Postgres(TestDatabase::create_empty()),
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("tertulia.db").display()),
            Self::Postgres(database) => database.url(),
        }
    }
}

impl Database {
    /// Makes a service admin under that name, as an operator does.
    pub(crate) fn make_admin(&self, username: &str) {
        let mut command = command(&["admin", "create-user", "--log=warn", "--database-url", &self.url()]);
        let (code, _, log) = run(command.args(["--role=admin", "--username", username, "--password", PASSWORD]));
        assert_eq!(code, 0, "{log}");
    }
}

/// Makes a test of each `async fn(Database)`, once for each database, as `sqlite::name` and `postgres::name`.
macro_rules! on_each_database {
    ($($case:ident)+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($crate::support::Database::sqlite()).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($crate::support::Database::postgres()).await;
                }
            )+
        }
    };
}
pub(crate) use on_each_database;
