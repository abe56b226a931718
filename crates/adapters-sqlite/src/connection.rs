//! How a connection is set up.

use crate::error::is_busy;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{CustomizeConnection, Error as R2d2Error};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, ConnectionError, ConnectionResult, QueryResult};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a statement waits for another process to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause before the mode of a file is asked for again.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read alone.
    Read,
    /// To write.
    Write,
}

/// Pragmas hold for a connection, so each one gets them.
///
/// `synchronous = FULL`: in WAL mode, anything less loses acknowledged commits in a power cut.
const PRAGMAS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 67108864;
";

impl Purpose {
    /// Sizes of the cache are in KiB where they are negative. The writer has one for all, and moves its log into the
    /// file only every 16 MB: the same pages are written again and again.
    const fn pragmas(self) -> &'static str {
        match self {
            Self::Read => "PRAGMA cache_size = -8000; PRAGMA query_only = ON;",
            Self::Write => "PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 4000;",
        }
    }
}

impl CustomizeConnection<SqliteConnection, R2d2Error> for Purpose {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), R2d2Error> {
        set_up(conn, *self).map_err(R2d2Error::QueryError)
    }
}

/// Opens the file by its name.
pub(crate) fn establish(name: &str, purpose: Purpose) -> ConnectionResult<SqliteConnection> {
    let mut conn = SqliteConnection::establish(name)?;
    set_up(&mut conn, purpose).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

fn set_up(conn: &mut SqliteConnection, purpose: Purpose) -> QueryResult<()> {
    // First, because the others may have to wait.
    wait_when_busy(conn, BUSY_TIMEOUT)?;
    use_wal(conn)?;
    conn.batch_execute(PRAGMAS)?;
    conn.batch_execute(purpose.pragmas())
}

/// How long statements of this connection wait for the file.
pub(crate) fn wait_when_busy(conn: &mut SqliteConnection, time: Duration) -> QueryResult<()> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", time.as_millis()))
}

/// The mode is a property of the file: only the first connection ever changes it. Of several at once, SQLite refuses
/// all but one without waiting for it.
fn use_wal(conn: &mut SqliteConnection) -> QueryResult<()> {
    let begun = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY_TIMEOUT => sleep(BUSY_PAUSE),
            outcome => return outcome,
        }
    }
}
