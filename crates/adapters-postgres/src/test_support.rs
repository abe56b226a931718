//! Databases for tests: each its own, cheaply cloned from one that was migrated once.

use crate::database::{PgDatabase, PgOptions};
use crate::migrations::{lock, migrate};
use crate::statement::{Statement, prepared};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use std::env;
use std::error::Error as StdError;

/// The environment variable with the URL of a server on which tests may create databases.
const VARIABLE: &str = "TEST_DATABASE_URL";

/// Which schema the template has, by the contents of its migrations.
const TEMPLATE: &str = concat!("tertulia_template_", env!("MIGRATIONS_FINGERPRINT"));

/// Names the advisory lock under which the template is made: "template" in ASCII.
const LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A migrated, empty database of its own; gone when this is dropped.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Creates one on the server that `TEST_DATABASE_URL` names. Blocks for some 50 milliseconds.
    ///
    /// # Panics
    ///
    /// When there is no such server: a test that can't run has not passed.
    pub fn create() -> Self {
        unwrap(create(Some(TEMPLATE)))
    }

    /// The same without a schema.
    ///
    /// # Panics
    ///
    /// When there is no such server.
    pub fn create_empty() -> Self {
        unwrap(create(None))
    }

    /// Where it is.
    pub fn url(&self) -> String {
        url_of(&self.server, &self.name)
    }

    /// A pool of so many connections to it.
    ///
    /// # Panics
    ///
    /// When its URL is of no use.
    pub fn connect(&self, max_connections: u32) -> PgDatabase {
        let options = PgOptions {
            max_connections,
            ..PgOptions::default()
        };
        unwrap(PgDatabase::connect(&self.url(), &options).map_err(Into::into))
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = PgConnection::establish(&self.server).map(|mut connection| {
            connection.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
        });
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the database {} of a test is left behind: {dropped:?}", self.name);
        }
    }
}

type Failure = Box<dyn StdError + Send + Sync>;

fn unwrap<T>(outcome: Result<T, Failure>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => panic!("no database for this test: {error}"),
    }
}

struct Exists;

impl Statement for Exists {
    type Columns = Bool;
    const SQL: &'static str = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
}

struct FreshName;

impl Statement for FreshName {
    type Columns = Text;
    const SQL: &'static str = "SELECT 't_' || replace(gen_random_uuid()::text, '-', '')";
}

fn create(template: Option<&str>) -> Result<TestDatabase, Failure> {
    let server = env::var(VARIABLE)
        .map_err(|_| format!("{VARIABLE} is not set. `cargo xtask test` starts a PostgreSQL and sets it"))?;
    let mut connection = PgConnection::establish(&server)?;
    if let Some(template) = template {
        provide_template(&mut connection, &server, template)?;
    }
    let name: String = prepared::<FreshName, _>(()).get_result(&mut connection)?;
    let template = template.unwrap_or("template1");
    connection.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))?;
    Ok(TestDatabase { server, name })
}

/// Makes the template unless there is one. It gets its name when it is complete.
fn provide_template(connection: &mut PgConnection, server: &str, name: &str) -> Result<(), Failure> {
    if exists(connection, name)? {
        return Ok(());
    }
    lock(connection, LOCK)?;
    // Another process may have made it in the meantime.
    if !exists(connection, name)? {
        let draft = format!("{name}_draft");
        connection.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"))?;
        connection.batch_execute(&format!("CREATE DATABASE {draft}"))?;
        migrate(&url_of(server, &draft))?;
        connection.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}"))?;
    }
    Ok(())
}

fn exists(connection: &mut PgConnection, name: &str) -> QueryResult<bool> {
    prepared::<Exists, _>((name.into_sql::<Text>(),)).get_result(connection)
}

/// The server's URL with another database's name.
fn url_of(server: &str, name: &str) -> String {
    let (place, query) = match server.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (server, None),
    };
    let authority = place.find("://").map_or(0, |scheme| scheme + 3);
    let end = place[authority..]
        .find('/')
        .map_or(place.len(), |slash| authority + slash);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &place[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_another_database() {
        for (server, expected) in [
            ("postgres://u:p@h:1/postgres", "postgres://u:p@h:1/x"),
            ("postgres://h", "postgres://h/x"),
            ("postgres:///postgres?host=/tmp/s", "postgres:///x?host=/tmp/s"),
        ] {
            assert_eq!(url_of(server, "x"), expected);
        }
    }
}
