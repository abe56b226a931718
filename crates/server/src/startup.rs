//! How the server is put together, started and stopped. There is one way, for the binary and for tests.

use crate::background;
use crate::config::{Config, Mount};
use crate::database::{self, Database, WhenUnreachable};
use crate::outside::Outside;
use actix_web::dev::Server;
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use std::fs::DirBuilder;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tertulia_adapters_http::{HttpOptions, HttpServers, HttpState};
use tertulia_adapters_system::{
    Argon2PasswordHasher, Ed25519TokenIssuer, OsSecretGenerator, SigningKey, SystemClock, UuidV7Generator,
};
use tertulia_application::ports::Clock;
use tertulia_application::{Policy, Ports, Services};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;

/// Connections that may wait to be accepted; the operating system may allow fewer.
const BACKLOG: u32 = 1_024;

/// A server that is ready to serve.
pub struct Application {
    address: SocketAddr,
    server: Server,
    mounted: Vec<Mounted>,
    services: Services,
    metrics: PrometheusHandle,
    shutdown_timeout: Duration,
    tidy_interval: Duration,
}

/// A contract that has a listener of its own.
struct Mounted {
    contract: &'static str,
    address: SocketAddr,
    server: Server,
}

impl Application {
    /// Takes the ports, opens the database, bringing its schema up to date, and makes its signing key known there. A
    /// PostgreSQL that can't be reached is waited for. Needs a tokio runtime.
    pub async fn build(config: &Config, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            database = %config.database_url,
            data_dir = %config.data_dir.display(),
            "starting"
        );
        let listener = listen(config.listen)
            .with_context(|| format!("cannot listen on {} (another address: --listen)", config.listen))?;
        let address = listener.local_addr().context("the socket has no address")?;
        let mut mounts = Vec::new();
        for Mount { contract, address } in config.mounts.items() {
            let listener = listen(*address)
                .with_context(|| format!("cannot listen on {address} for {contract} (another address: --mount)"))?;
            let address = listener.local_addr().context("the socket has no address")?;
            mounts.push((*contract, address, listener));
        }
        let key = signing_key(&config.data_dir).with_context(|| {
            let folder = config.data_dir.display();
            format!("cannot use the data folder {folder} (another folder: --data-dir)")
        })?;
        let outside = Outside::open(config).await?;
        let database = database::open(config, WhenUnreachable::Wait).await?;
        let tokens = Ed25519TokenIssuer::new(key, Arc::clone(&database.keys), config.access_token_ttl);
        let published = tokens.publish(SystemClock.now()).await;
        published.context("cannot make the signing key known to the database")?;
        let public_url = match &config.public_url {
            Some(url) => url.as_str().to_owned(),
            None => format!("http://{address}"),
        };
        let services = services(&database, tokens, outside, config, public_url)?;
        let state = HttpState {
            services: services.clone(),
            metrics: metrics.clone(),
            ids: Arc::new(UuidV7Generator),
            public_url_is_https: config.public_url.as_ref().is_some_and(|url| !url.is_plain()),
        };
        let options = HttpOptions {
            workers: config.workers,
            shutdown_timeout: config.shutdown_timeout,
            rate_limits: config.rate_limits,
            trusted_proxies: config.trusted_proxies.networks().to_vec(),
            allowed_origins: config.allowed_origins.items().iter().map(ToString::to_string).collect(),
            ..HttpOptions::default()
        };
        let servers = HttpServers::new(state, options);
        let mounted = mounts.into_iter().map(|(contract, address, listener)| {
            let server = servers.mounted(contract, listener)?;
            Ok(Mounted {
                contract,
                address,
                server,
            })
        });
        let mounted: io::Result<_> = mounted.collect();
        Ok(Self {
            address,
            mounted: mounted.context("cannot start the HTTP server of a contract")?,
            server: servers.main(listener).context("cannot start the HTTP server")?,
            services,
            metrics,
            shutdown_timeout: config.shutdown_timeout,
            tidy_interval: config.tidy_interval,
        })
    }

    /// Where it serves: with port 0 in the configuration the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The contracts that have listeners of their own, and where.
    pub fn mounts(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        self.mounted.iter().map(|mounted| (mounted.contract, mounted.address))
    }

    /// Serves until `stop` is ready; then refuses new connections, finishes the requests under way and the mails that are
    /// being sent, as long as the configuration allows, and writes down what is still in memory.
    pub async fn run(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self {
            address,
            server,
            mounted,
            services,
            metrics,
            shutdown_timeout,
            tidy_interval,
        } = self;
        let mut handles = vec![server.handle()];
        let mut serving = JoinSet::new();
        serving.spawn(server);
        for Mounted {
            contract,
            address,
            server,
        } in mounted
        {
            handles.push(server.handle());
            serving.spawn(server);
            tracing::info!("{contract} is at http://{address}");
        }
        let background = background::start(&services, metrics, tidy_interval);
        tracing::info!("listening on http://{address}");
        tokio::select! {
            Some(ended) = serving.join_next() => {
                ended.context("the HTTP server broke down")??;
                anyhow::bail!("the HTTP server ended by itself");
            }
            () = stop => {}
        }
        tracing::info!("stopping");
        // All of them begin to stop here; waiting for one after the other takes no longer than the last of them.
        let stopping: Vec<_> = handles.iter().map(|handle| handle.stop(true)).collect();
        let stopped = async {
            for stopped in stopping {
                stopped.await;
            }
        };
        tokio::join!(stopped, background.stop(shutdown_timeout));
        let mut ended = Vec::new();
        while let Some(one) = serving.join_next().await {
            ended.push(one);
        }
        background::flush(&services.presence).await;
        for one in ended {
            one.context("the HTTP server broke down")??;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

/// The use cases on that database.
pub(crate) fn services(
    database: &Database,
    tokens: Ed25519TokenIssuer,
    outside: Outside,
    config: &Config,
    public_url: String,
) -> anyhow::Result<Services> {
    let hasher = Argon2PasswordHasher::start(config.hasher).context("cannot start threads that hash passwords")?;
    let ports = Ports {
        clock: Arc::new(SystemClock),
        ids: Arc::new(UuidV7Generator),
        secrets: Arc::new(OsSecretGenerator),
        hasher: Arc::new(hasher),
        tokens: Arc::new(tokens),
        store: outside.store,
        images: outside.images,
        mailer: outside.mailer,
        bus: outside.bus,
    };
    let policy = policy(config, public_url);
    Ok(Services::new(database.repositories.clone(), ports, policy))
}

fn policy(config: &Config, public_url: String) -> Policy {
    let mut policy = Policy::default();
    policy.accounts.idle = config.session_ttl;
    policy.accounts.verify_email = config.verify_email;
    policy.accounts.public_url = public_url;
    policy.accounts.throttle.enabled = config.rate_limits.enabled;
    policy.files.max_bytes = config.max_file_size.get();
    policy
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart need not wait until the last connections of the run before are forgotten.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The key in the data folder. Both are made if they have to be, for their owner alone.
fn signing_key(folder: &Path) -> anyhow::Result<SigningKey> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    Ok(SigningKey::load_or_create(folder)?)
}
