//! What is done with connections when they are opened, and when that fails.

use super::PgOptions;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{CustomizeConnection, Error, HandleError};

/// Puts the settings of a session in place, in one round trip. (diesel sets UTC and UTF-8 itself.)
#[derive(Debug)]
pub(super) struct Customizer {
    settings: String,
}

impl Customizer {
    pub(super) fn new(options: &PgOptions) -> Self {
        let settings = [
            format!(
                "SET application_name = '{}'",
                options.application_name.replace('\'', "''")
            ),
            format!("SET statement_timeout = {}", options.statement_timeout.as_millis()),
            // A transaction that is neither working nor over holds locks for nothing: its process hangs.
            "SET idle_in_transaction_session_timeout = '60s'".to_owned(),
            // Every statement here is short: compiling it, or sharing it among workers, takes longer than it saves.
            "SET jit = off".to_owned(),
            "SET max_parallel_workers_per_gather = 0".to_owned(),
        ];
        Self {
            settings: settings.join("; "),
        }
    }
}

impl CustomizeConnection<PgConnection, Error> for Customizer {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), Error> {
        connection.batch_execute(&self.settings).map_err(Error::QueryError)
    }
}

/// Logs why connections can't be opened. Those who wait for one are told by the pool.
#[derive(Debug)]
pub(super) struct LogErrors;

impl HandleError<Error> for LogErrors {
    fn handle_error(&self, error: Error) {
        tracing::warn!(%error, "can't open a connection to the database");
    }
}
