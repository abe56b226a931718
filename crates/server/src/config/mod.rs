//! The settings, and where they come from: the command line, the environment, a file, defaults, in this order.

mod database_url;
mod file;
mod settings;
mod values;

pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use settings::Settings;
pub use values::{Count, CountError, LogFilter, LogFormat, Secret, Span, SpanError};

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use tertulia_adapters_http::HttpOptions;
use tertulia_adapters_system::HasherOptions;
use tertulia_application::account::SessionPolicy;
use thiserror::Error;

/// Everything that the server needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to serve.
    pub listen: SocketAddr,
    /// The folder for the signing key and, by default, the database.
    pub data_dir: PathBuf,
    /// The database.
    pub database_url: DatabaseUrl,
    /// Connections to it at the most; `None` leaves it to the adapter.
    pub database_connections: Option<NonZeroU32>,
    /// Threads that serve requests.
    pub workers: usize,
    /// How passwords are hashed.
    pub hasher: HasherOptions,
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// How long sessions live.
    pub sessions: SessionPolicy,
    /// How long requests under way may take once the server is told to stop.
    pub shutdown_timeout: Duration,
    /// Which log lines to write.
    pub log: LogFilter,
    /// How they look.
    pub log_format: LogFormat,
}

/// Why there is no configuration. The message says where the mistake is, and shows no secrets.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file that was named can't be read.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML, or has an unknown key or a bad value.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        reason: String,
    },
    /// The database's address is no address.
    #[error("bad database URL (--database-url, TERTULIA_DATABASE_URL or database_url)")]
    DatabaseUrl(#[from] DatabaseUrlError),
}

impl Config {
    /// Completes what the command line and the environment set by the file and the defaults.
    pub fn load(given: Settings) -> Result<Self, ConfigError> {
        let file = file::read(given.config.as_deref())?;
        Self::resolve(given.or(file))
    }

    fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let data_dir = settings.data_dir.unwrap_or_else(|| "data".into());
        let database_url = match settings.database_url {
            Some(url) => DatabaseUrl::parse(url.expose())?,
            None => DatabaseUrl::Sqlite(data_dir.join("tertulia.db")),
        };
        let http = HttpOptions::default();
        let mut hasher = HasherOptions::default();
        if let Some(threads) = settings.hash_threads {
            hasher.threads = threads.get().into();
        }
        let mut sessions = SessionPolicy::default();
        if let Some(idle) = settings.session_ttl {
            sessions.idle = idle.get();
        }
        Ok(Self {
            listen: settings
                .listen
                .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            data_dir,
            database_url,
            database_connections: settings.database_connections.map(|count| count.get().into()),
            workers: settings.workers.map_or(http.workers, |count| count.get().get().into()),
            hasher,
            access_token_ttl: settings.access_token_ttl.map_or(Duration::from_mins(15), Span::get),
            sessions,
            shutdown_timeout: settings.shutdown_timeout.map_or(http.shutdown_timeout, Span::get),
            log: settings.log.unwrap_or_default(),
            log_format: settings.log_format.unwrap_or_default(),
        })
    }
}

/// As a configuration file that would set the same, without passwords.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listen = \"{}\"", self.listen)?;
        writeln!(f, "data_dir = {:?}", self.data_dir.display().to_string())?;
        writeln!(f, "database_url = {:?}", self.database_url.to_string())?;
        if let Some(connections) = self.database_connections {
            writeln!(f, "database_connections = {connections}")?;
        }
        writeln!(f, "workers = {}", self.workers)?;
        writeln!(f, "hash_threads = {}", self.hasher.threads)?;
        writeln!(f, "access_token_ttl = \"{}\"", Span::from(self.access_token_ttl))?;
        writeln!(f, "session_ttl = \"{}\"", Span::from(self.sessions.idle))?;
        writeln!(f, "shutdown_timeout = \"{}\"", Span::from(self.shutdown_timeout))?;
        writeln!(f, "log = {:?}", self.log.as_str())?;
        write!(f, "log_format = \"{}\"", self.log_format)
    }
}
