//! The settings, and where they come from: the command line, the environment, a file, defaults, in this order.

mod database_url;
mod file;
mod file_store;
mod list;
mod mail;
mod mailbox;
mod mount;
mod nats_url;
mod origin;
mod percent;
mod place;
mod proxies;
mod rate;
mod settings;
mod smtp_url;
mod values;
mod web_url;

pub use database_url::{DatabaseUrl, DatabaseUrlError};
pub use file_store::{FileStoreConfig, FileStoreUrl, FileStoreUrlError};
pub use list::List;
pub use mail::MailConfig;
pub use mailbox::{Mailbox, MailboxError};
pub use mount::{Mount, MountError};
pub use origin::{Origin, OriginError};
pub use nats_url::{NatsUrl, NatsUrlError};
pub use proxies::{Proxies, ProxiesError};
pub use rate::{Limit, LimitError};
pub use settings::Settings;
pub use smtp_url::{SmtpUrl, SmtpUrlError};
pub use values::{Count, CountError, LogFilter, LogFormat, Secret, Size, SizeError, Span, SpanError};
pub use web_url::{WebUrl, WebUrlError};

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use tertulia_adapters_http::{HttpOptions, RateLimits};
use tertulia_adapters_system::HasherOptions;
use tertulia_application::account::AccountPolicy;
use tertulia_application::files::FilePolicy;
use thiserror::Error;

/// Everything that the server needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to serve.
    pub listen: SocketAddr,
    /// The contracts that have listeners of their own, each at most once.
    pub mounts: List<Mount>,
    /// The folder for the signing key and, by default, the database, files and mails.
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
    /// How long a session lives that is not refreshed.
    pub session_ttl: Duration,
    /// Where users find the service; `None` for the address that it serves on.
    pub public_url: Option<WebUrl>,
    /// Bytes of a file at the most.
    pub max_file_size: Size,
    /// Where files are kept.
    pub files: FileStoreConfig,
    /// How often files that nothing uses any more are removed from the store.
    pub tidy_interval: Duration,
    /// How mails go out.
    pub mail: MailConfig,
    /// Over what other processes are told of changes; `None` if there are no others.
    pub nats: Option<NatsUrl>,
    /// Whether an e-mail address becomes a user's only after they answered a mail to it.
    pub verify_email: bool,
    /// How much addresses and accounts may ask for.
    pub rate_limits: RateLimits,
    /// The proxies that are believed.
    pub trusted_proxies: Proxies,
    /// The web pages of which origins may use the service, besides those of its own.
    pub allowed_origins: List<Origin>,
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
    /// The mail server's address is no address.
    #[error("bad mail server (--smtp-url, TERTULIA_SMTP_URL or smtp_url)")]
    SmtpUrl(#[from] SmtpUrlError),
    /// The NATS server's address is no address.
    #[error("bad NATS server (--nats-url, TERTULIA_NATS_URL or nats_url)")]
    NatsUrl(#[from] NatsUrlError),
    /// One half of an access key.
    #[error("half an access key for S3: give both halves of it (--s3-access-key-id) or neither")]
    HalfAKey,
    /// A contract with two listeners of its own.
    #[error("the contract {0} is mounted twice (--mount, TERTULIA_MOUNT or mount)")]
    MountedTwice(&'static str),
    /// Nobody that mails could come from.
    #[error("bad sender of mails (--mail-from, TERTULIA_MAIL_FROM or mail_from)")]
    MailFrom(#[from] MailboxError),
}

impl Config {
    /// Completes what the command line and the environment set by the file and the defaults.
    pub fn load(given: Settings) -> Result<Self, ConfigError> {
        let file = file::read(given.config.as_deref())?;
        Self::resolve(given.or(file))
    }

    fn resolve(settings: Settings) -> Result<Self, ConfigError> {
        let http = HttpOptions::default();
        let files = FileStoreConfig::resolve(&settings)?;
        let rate_limits = rate_limits(&settings, http.rate_limits);
        let mail = MailConfig::resolve(&settings)?;
        let mounts = mounts(settings.mount.unwrap_or_default())?;
        let nats = settings.nats_url.as_ref().map(|url| NatsUrl::parse(url.expose()));
        let data_dir = settings.data_dir.unwrap_or_else(|| "data".into());
        let database_url = match settings.database_url {
            Some(url) => DatabaseUrl::parse(url.expose())?,
            None => DatabaseUrl::Sqlite(data_dir.join("tertulia.db")),
        };
        let accounts = AccountPolicy::default();
        let mut hasher = HasherOptions::default();
        if let Some(threads) = settings.hash_threads {
            hasher.threads = threads.get().into();
        }
        Ok(Self {
            listen: settings
                .listen
                .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))),
            mounts,
            data_dir,
            database_url,
            database_connections: settings.database_connections.map(|count| count.get().into()),
            workers: settings.workers.map_or(http.workers, |count| count.get().get().into()),
            hasher,
            access_token_ttl: settings.access_token_ttl.map_or(Duration::from_mins(15), Span::get),
            session_ttl: settings.session_ttl.map_or(accounts.idle, Span::get),
            mail,
            nats: nats.transpose()?,
            public_url: settings.public_url,
            max_file_size: settings
                .max_file_size
                .unwrap_or_else(|| FilePolicy::default().max_bytes.into()),
            files,
            tidy_interval: settings.tidy_interval.map_or(Duration::from_mins(10), Span::get),
            verify_email: settings.verify_email.unwrap_or(accounts.verify_email),
            rate_limits,
            trusted_proxies: settings.trusted_proxies.unwrap_or_default(),
            allowed_origins: settings.allowed_origins.unwrap_or_default(),
            shutdown_timeout: settings.shutdown_timeout.map_or(http.shutdown_timeout, Span::get),
            log: settings.log.unwrap_or_default(),
            log_format: settings.log_format.unwrap_or_default(),
        })
    }
}

fn mounts(given: Vec<List<Mount>>) -> Result<List<Mount>, ConfigError> {
    let mounts: List<Mount> = given.into_iter().flatten().collect();
    let mut contracts = HashSet::new();
    let twice = mounts.items().iter().find(|mount| !contracts.insert(mount.contract));
    match twice {
        Some(mount) => Err(ConfigError::MountedTwice(mount.contract)),
        None => Ok(mounts),
    }
}

fn rate_limits(settings: &Settings, default: RateLimits) -> RateLimits {
    let or = |given: Option<Limit>, default| given.map_or(default, Limit::get);
    RateLimits {
        enabled: !settings.no_rate_limits && settings.rate_limits.unwrap_or(default.enabled),
        auth: or(settings.rate_limit_auth, default.auth),
        address: or(settings.rate_limit_address, default.address),
        reads: or(settings.rate_limit_reads, default.reads),
        writes: or(settings.rate_limit_writes, default.writes),
        uploads: or(settings.rate_limit_uploads, default.uploads),
    }
}

/// As a configuration file that would set the same, without passwords.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listen = \"{}\"", self.listen)?;
        writeln!(f, "mount = \"{}\"", self.mounts)?;
        writeln!(f, "data_dir = {:?}", self.data_dir.display().to_string())?;
        writeln!(f, "database_url = {:?}", self.database_url.to_string())?;
        if let Some(connections) = self.database_connections {
            writeln!(f, "database_connections = {connections}")?;
        }
        writeln!(f, "workers = {}", self.workers)?;
        writeln!(f, "hash_threads = {}", self.hasher.threads)?;
        writeln!(f, "access_token_ttl = \"{}\"", Span::from(self.access_token_ttl))?;
        writeln!(f, "session_ttl = \"{}\"", Span::from(self.session_ttl))?;
        if let Some(url) = &self.public_url {
            writeln!(f, "public_url = \"{url}\"")?;
        }
        writeln!(f, "max_file_size = \"{}\"", self.max_file_size)?;
        write!(f, "{}", self.files)?;
        writeln!(f, "tidy_interval = \"{}\"", Span::from(self.tidy_interval))?;
        write!(f, "{}", self.mail)?;
        if let Some(url) = &self.nats {
            writeln!(f, "nats_url = \"{url}\"")?;
        }
        writeln!(f, "verify_email = {}", self.verify_email)?;
        let limits = &self.rate_limits;
        writeln!(f, "rate_limits = {}", limits.enabled)?;
        writeln!(f, "rate_limit_auth = \"{}\"", Limit::from(limits.auth))?;
        writeln!(f, "rate_limit_address = \"{}\"", Limit::from(limits.address))?;
        writeln!(f, "rate_limit_reads = \"{}\"", Limit::from(limits.reads))?;
        writeln!(f, "rate_limit_writes = \"{}\"", Limit::from(limits.writes))?;
        writeln!(f, "rate_limit_uploads = \"{}\"", Limit::from(limits.uploads))?;
        writeln!(f, "trusted_proxies = \"{}\"", self.trusted_proxies)?;
        writeln!(f, "allowed_origins = \"{}\"", self.allowed_origins)?;
        writeln!(f, "shutdown_timeout = \"{}\"", Span::from(self.shutdown_timeout))?;
        writeln!(f, "log = {:?}", self.log.as_str())?;
        write!(f, "log_format = \"{}\"", self.log_format)
    }
}
