use super::file_store::FileStoreUrl;
use super::list::{self, List};
use super::mailbox::Mailbox;
use super::mount::Mount;
use super::origin::Origin;
use super::proxies::{self, Proxies};
use super::rate::Limit;
use super::values::{Count, LogFilter, LogFormat, Secret, Size, Span, from_file};
use super::web_url::WebUrl;
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

    /// Serve a contract at the root of a listener of its own, like `emotechat=127.0.0.1:4000`; may be given several times,
    /// or several parted by commas [default: none; all of them are at `/compat/NAME`]
    #[arg(long, value_name = "NAME=ADDRESS", env = "TERTULIA_MOUNT", hide_env_values = true)]
    #[serde(deserialize_with = "list::repeated_from_file")]
    pub mount: Option<Vec<List<Mount>>>,

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

    /// Where users find the service, for links in mails [default: `http://` and the address it serves on]
    #[arg(long, value_name = "URL", env = "TERTULIA_PUBLIC_URL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub public_url: Option<WebUrl>,

    /// The largest file that is taken, like `25MiB` [default: 25MiB]
    #[arg(long, value_name = "SIZE", env = "TERTULIA_MAX_FILE_SIZE", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub max_file_size: Option<Size>,

    /// Where files are kept: `local` (the folder `files` in the data folder) or `s3://BUCKET/PREFIX` [default: local]
    #[arg(long, value_name = "PLACE", env = "TERTULIA_FILE_STORE", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub file_store: Option<FileStoreUrl>,

    /// The server that has the bucket, if it isn't Amazon's; its buckets are named in the path
    #[arg(long, value_name = "URL", env = "TERTULIA_S3_ENDPOINT", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub s3_endpoint: Option<WebUrl>,

    /// The region of the bucket [default: `AWS_REGION`, or else us-east-1]
    #[arg(long, value_name = "NAME", env = "TERTULIA_S3_REGION", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub s3_region: Option<String>,

    /// The access key for the bucket [default: as for Amazon's tools, `AWS_ACCESS_KEY_ID` and so on]
    #[arg(long, value_name = "ID", env = "TERTULIA_S3_ACCESS_KEY_ID", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub s3_access_key_id: Option<String>,

    /// The secret half of the access key; better given by the environment or a file
    #[arg(
        long,
        value_name = "TEXT",
        env = "TERTULIA_S3_SECRET_ACCESS_KEY",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "from_file")]
    pub s3_secret_access_key: Option<Secret>,

    /// How often files that nothing uses any more are removed from the store [default: 10m]
    #[arg(long, value_name = "TIME", env = "TERTULIA_TIDY_INTERVAL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub tidy_interval: Option<Span>,

    /// The mail server: `smtp://USER:PASSWORD@HOST:PORT` (STARTTLS, port 587), `smtps://` (TLS, port 465) or
    /// `smtp+insecure://` (no TLS, port 25) [default: none; mails become files in the folder `outbox` of the data
    /// folder]
    #[arg(long, value_name = "URL", env = "TERTULIA_SMTP_URL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub smtp_url: Option<Secret>,

    /// File with the certificate of an authority that the mail server's is from, in PEM [default: the system's authorities]
    #[arg(long, value_name = "FILE", env = "TERTULIA_SMTP_CA", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub smtp_ca: Option<PathBuf>,

    /// Whom mails come from: `ADDRESS` or `NAME <ADDRESS>`; by default tertulia@ and the host of the public URL
    #[arg(long, value_name = "MAILBOX", env = "TERTULIA_MAIL_FROM", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub mail_from: Option<Mailbox>,

    /// The NATS server over which the processes on one database tell each other what happens:
    /// `nats://USER:PASSWORD@HOST:PORT/SUBJECT`, or `tls://` to insist on TLS; also `TOKEN@HOST` [default: none, for a
    /// single process]
    #[arg(long, value_name = "URL", env = "TERTULIA_NATS_URL", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub nats_url: Option<Secret>,

    /// Whether an e-mail address becomes a user's only after they answered a mail to it [default: false]
    #[arg(long, value_name = "BOOL", env = "TERTULIA_VERIFY_EMAIL", hide_env_values = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(deserialize_with = "from_file")]
    pub verify_email: Option<bool>,

    /// Whether requests and attempts to guess passwords are limited at all [default: true]
    #[arg(long, value_name = "BOOL", env = "TERTULIA_RATE_LIMITS", hide_env_values = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[serde(deserialize_with = "from_file")]
    pub rate_limits: Option<bool>,

    /// Attempts to register, log in or refresh, and mails asked for, from one address [default: 600/m]
    #[arg(long, value_name = "RATE", env = "TERTULIA_RATE_LIMIT_AUTH", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub rate_limit_auth: Option<Limit>,

    /// Other requests from one address [default: 100000/s]
    #[arg(
        long,
        value_name = "RATE",
        env = "TERTULIA_RATE_LIMIT_ADDRESS",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "from_file")]
    pub rate_limit_address: Option<Limit>,

    /// Requests of one account that look at something [default: 100000/s]
    #[arg(long, value_name = "RATE", env = "TERTULIA_RATE_LIMIT_READS", hide_env_values = true)]
    #[serde(deserialize_with = "from_file")]
    pub rate_limit_reads: Option<Limit>,

    /// Requests of one account that change something [default: 100000/s]
    #[arg(
        long,
        value_name = "RATE",
        env = "TERTULIA_RATE_LIMIT_WRITES",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "from_file")]
    pub rate_limit_writes: Option<Limit>,

    /// Files that one account uploads [default: 100000/s]
    #[arg(
        long,
        value_name = "RATE",
        env = "TERTULIA_RATE_LIMIT_UPLOADS",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "from_file")]
    pub rate_limit_uploads: Option<Limit>,

    /// Proxies whose `X-Forwarded-For` is believed: networks or addresses, parted by commas [default: none]
    #[arg(
        long,
        value_name = "NETWORKS",
        env = "TERTULIA_TRUSTED_PROXIES",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "proxies::from_file")]
    pub trusted_proxies: Option<Proxies>,

    /// Origins whose web pages may use the service, like `https://chat.example.org`, parted by commas [default: only its
    /// own]
    #[arg(
        long,
        value_name = "ORIGINS",
        env = "TERTULIA_ALLOWED_ORIGINS",
        hide_env_values = true
    )]
    #[serde(deserialize_with = "list::from_file")]
    pub allowed_origins: Option<List<Origin>>,

    /// The same as `--rate-limits=false`
    #[arg(long)]
    #[serde(skip)]
    pub no_rate_limits: bool,

    /// Which log lines to write, like `warn,tertulia_server=debug` [default:
    /// `info,actix_server=warn,async_nats=warn`]
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
            mount: self.mount.or(other.mount),
            data_dir: self.data_dir.or(other.data_dir),
            database_url: self.database_url.or(other.database_url),
            database_connections: self.database_connections.or(other.database_connections),
            workers: self.workers.or(other.workers),
            hash_threads: self.hash_threads.or(other.hash_threads),
            access_token_ttl: self.access_token_ttl.or(other.access_token_ttl),
            session_ttl: self.session_ttl.or(other.session_ttl),
            shutdown_timeout: self.shutdown_timeout.or(other.shutdown_timeout),
            public_url: self.public_url.or(other.public_url),
            max_file_size: self.max_file_size.or(other.max_file_size),
            file_store: self.file_store.or(other.file_store),
            s3_endpoint: self.s3_endpoint.or(other.s3_endpoint),
            s3_region: self.s3_region.or(other.s3_region),
            s3_access_key_id: self.s3_access_key_id.or(other.s3_access_key_id),
            s3_secret_access_key: self.s3_secret_access_key.or(other.s3_secret_access_key),
            tidy_interval: self.tidy_interval.or(other.tidy_interval),
            smtp_url: self.smtp_url.or(other.smtp_url),
            smtp_ca: self.smtp_ca.or(other.smtp_ca),
            mail_from: self.mail_from.or(other.mail_from),
            nats_url: self.nats_url.or(other.nats_url),
            verify_email: self.verify_email.or(other.verify_email),
            rate_limits: self.rate_limits.or(other.rate_limits),
            rate_limit_auth: self.rate_limit_auth.or(other.rate_limit_auth),
            rate_limit_address: self.rate_limit_address.or(other.rate_limit_address),
            rate_limit_reads: self.rate_limit_reads.or(other.rate_limit_reads),
            rate_limit_writes: self.rate_limit_writes.or(other.rate_limit_writes),
            rate_limit_uploads: self.rate_limit_uploads.or(other.rate_limit_uploads),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            allowed_origins: self.allowed_origins.or(other.allowed_origins),
            no_rate_limits: self.no_rate_limits || other.no_rate_limits,
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
        }
    }
}
