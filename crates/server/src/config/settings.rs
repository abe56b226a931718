use super::values::{Count, LogFilter, LogFormat, Secret, Span, from_file};
use clap::Args;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What one source sets: the command line with the environment, or a file. The comments are the help text.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// File with settings in TOML, named like the flags with `_` for `-` [default: tertulia.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "TERTULIA_CONFIG", hide_env_values = true)]
    #[serde(skip)]
    pub config: Option<PathBuf>,

    /// Address and port to serve on; port 0 is any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "TERTULIA_LISTEN", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub listen: Option<SocketAddr>,

    /// Folder for the signing key and, by default, the database; made if it is missing [default: data]
    #[arg(long, value_name = "FOLDER", env = "TERTULIA_DATA_DIR", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub data_dir: Option<PathBuf>,

    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/DATABASE` [default: tertulia.db in the data folder]
    #[arg(long, value_name = "URL", env = "TERTULIA_DATABASE_URL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub database_url: Option<Secret>,

    /// Connections to the database at the most [default: by the database and the number of processors]
    #[arg(
        long,
        value_name = "NUMBER",
        env = "TERTULIA_DATABASE_CONNECTIONS",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "from_file")]
    pub database_connections: Option<Count<1_000>>,

    /// Threads that serve requests [default: one a processor]
    #[arg(long, value_name = "NUMBER", env = "TERTULIA_WORKERS", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub workers: Option<Count<512>>,

    /// Threads that hash passwords, 19 MiB of memory each [default: one for every two processors]
    #[arg(long, value_name = "NUMBER", env = "TERTULIA_HASH_THREADS", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub hash_threads: Option<Count<512>>,

    /// How long an access token is good [default: 15m]
    #[arg(long, value_name = "TIME", env = "TERTULIA_ACCESS_TOKEN_TTL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub access_token_ttl: Option<Span>,

    /// How long a session lives after its last refresh [default: 30d]
    #[arg(long, value_name = "TIME", env = "TERTULIA_SESSION_TTL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub session_ttl: Option<Span>,

    /// How long requests under way may take once the server is told to stop [default: 30s]
    #[arg(long, value_name = "TIME", env = "TERTULIA_SHUTDOWN_TIMEOUT", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub shutdown_timeout: Option<Span>,

    /// Which log lines to write, like `warn,tertulia_server=debug` [default: `info,actix_server=warn`]
    #[arg(long, value_name = "FILTER", env = "TERTULIA_LOG", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub log: Option<LogFilter>,

    /// How log lines look [default: text]
    #[arg(long, value_name = "FORMAT", env = "TERTULIA_LOG_FORMAT", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub log_format: Option<LogFormat>,
}

impl Settings {
    /// These, and where these say nothing, the others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            config: self.config.or(other.config),
            listen: self.listen.or(other.listen),
            data_dir: self.data_dir.or(other.data_dir),
            database_url: self.database_url.or(other.database_url),
            database_connections: self.database_connections.or(other.database_connections),
            workers: self.workers.or(other.workers),
            hash_threads: self.hash_threads.or(other.hash_threads),
            access_token_ttl: self.access_token_ttl.or(other.access_token_ttl),
            session_ttl: self.session_ttl.or(other.session_ttl),
            shutdown_timeout: self.shutdown_timeout.or(other.shutdown_timeout),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
        }
    }
}
