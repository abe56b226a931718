use crate::compat::socket_io::Sockets;
use crate::compat::{self, CONTRACTS, Contract, Mount};
use crate::endpoint::Endpoint;
use crate::extract::{Origins, State};
use crate::middleware::{CrossOrigin, Observer, describe, trim_slashes};
use crate::problem::{Kind, Problem};
use crate::traffic::{RateLimits, Traffic, whole_seconds};
use crate::{HttpState, api, docs, live, operation, uploads};
use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, HttpResponse, HttpServer, web};
use ipnet::IpNet;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How the server treats its connections.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Threads that serve requests, at least 1.
    pub workers: usize,
    /// How long requests under way may take once the server is to stop; to the whole second, rounded up.
    pub shutdown_timeout: Duration,
    /// How long an idle connection is kept open.
    pub keep_alive: Duration,
    /// How long a client may take to send the head of a request.
    pub client_request_timeout: Duration,
    /// How long a client may take to close a connection that is being shut down.
    pub client_disconnect_timeout: Duration,
    /// Open connections at the most, over all workers; further ones wait to be accepted.
    pub max_connections: usize,
    /// How much addresses and accounts may ask for.
    pub rate_limits: RateLimits,
    /// The proxies whose `X-Forwarded-For` is believed; nobody's when there are none.
    pub trusted_proxies: Vec<IpNet>,
    /// The web pages of which origins, like `https://chat.example.org`, may use the service besides those of its own.
    pub allowed_origins: Vec<String>,
    /// Where users find the service, if that is known: its pages are the service's own, whatever `Host` a proxy passes on.
    pub public_url: Option<String>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, Into::into),
            shutdown_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            client_request_timeout: Duration::from_secs(10),
            client_disconnect_timeout: Duration::from_secs(2),
            max_connections: 50_000,
            rate_limits: RateLimits::default(),
            trusted_proxies: Vec::new(),
            allowed_origins: Vec::new(),
            public_url: None,
        }
    }
}

/// Makes servers that share the use cases and count requests together.
///
/// A server serves while it is awaited, inside a tokio runtime. It does not handle signals: whoever runs the process
/// does, and stops it through its [`handle`](Server::handle). A metrics recorder has to be installed before.
pub struct HttpServers {
    state: Arc<HttpState>,
    traffic: Arc<Traffic>,
    sockets: Arc<Sockets>,
    options: HttpOptions,
}

impl HttpServers {
    /// They will work with that.
    pub fn new(state: HttpState, options: HttpOptions) -> Self {
        describe();
        let traffic = Traffic::new(&options.rate_limits, options.trusted_proxies.clone());
        let state = Arc::new(state);
        Self {
            sockets: Arc::new(Sockets::new(Arc::clone(&state))),
            state,
            traffic: Arc::new(traffic),
            options,
        }
    }

    /// One that answers on `listener`, to everything: the native API at `/api/v1`, every contract at `/compat/NAME`.
    pub fn main(&self, listener: TcpListener) -> io::Result<Server> {
        self.server(listener, None)
    }

    /// One that answers on `listener` to the contract of that name alone, at the root. [`io::ErrorKind::NotFound`] when
    /// there is no such contract.
    pub fn mounted(&self, contract: &str, listener: TcpListener) -> io::Result<Server> {
        let contract = Contract::named(contract).ok_or(io::ErrorKind::NotFound)?;
        self.server(listener, Some(contract))
    }

    fn server(&self, listener: TcpListener, alone: Option<&'static Contract>) -> io::Result<Server> {
        let Self {
            state,
            traffic,
            sockets,
            options,
        } = self;
        let (state, traffic, allowed) = (Arc::clone(state), Arc::clone(traffic), options.allowed_origins.clone());
        let origins = Origins::new(&allowed, options.public_url.as_deref());
        let origins = web::Data::new(origins);
        let sockets = web::Data::from(Arc::clone(sockets));
        let workers = options.workers.max(1);
        let server = HttpServer::new(move || app(alone, &state, &traffic, &sockets, &allowed, &origins))
            .workers(workers)
            .shutdown_timeout(whole_seconds(options.shutdown_timeout))
            .keep_alive(options.keep_alive)
            .client_request_timeout(options.client_request_timeout)
            .client_disconnect_timeout(options.client_disconnect_timeout)
            .max_connections(options.max_connections.div_ceil(workers))
            .tcp_nodelay(true)
            .disable_signals()
            .listen(listener)?
            .run();
        Ok(server)
    }
}

/// One worker's app: everything that is served, and what happens around it.
fn app(
    alone: Option<&'static Contract>,
    state: &Arc<HttpState>,
    traffic: &Arc<Traffic>,
    sockets: &web::Data<Sockets>,
    allowed: &[String],
    origins: &web::Data<Origins>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>
    + use<>,
> {
    let observer = Rc::new(Observer::new(Arc::clone(&state.ids)));
    let cross_origin = Rc::new(CrossOrigin::new(allowed));
    // The native API has no paths that end with a slash.
    let tolerant = if alone.is_some() { "/" } else { compat::PREFIX };
    App::new()
        .app_data(State::from(Arc::clone(state)))
        .app_data(web::Data::from(Arc::clone(traffic)))
        .app_data(sockets.clone())
        .app_data(origins.clone())
        .configure(|config| match alone {
            Some(contract) => configure_alone(config, contract),
            None => configure(config),
        })
        .wrap(cross_origin.middleware())
        .wrap(from_fn(move |mut request, next| {
            trim_slashes(tolerant, &mut request);
            cross_origin.ignore_strangers(&mut request);
            let observer = Rc::clone(&observer);
            async move { observer.observe(request, next).await }
        }))
}

/// Everything.
fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::scope(api::v1::PREFIX).configure(|scope| register(scope, api::v1::PREFIX, api::v1::endpoints())));
    for contract in CONTRACTS {
        let scope = web::scope(&contract.prefix())
            .app_data(Mount::beside_others(contract))
            .configure(|scope| register(scope, &contract.prefix(), contract.routes()));
        config.service(scope.default_service(web::to(nothing_here)));
    }
    register(config, "", operation::endpoints());
    register(config, "", uploads::endpoints());
    register(config, "", live::document::endpoints());
    register(config, "", docs::endpoints());
    config.default_service(web::to(nothing_here));
}

/// One contract.
fn configure_alone(config: &mut web::ServiceConfig, contract: &'static Contract) {
    config.app_data(Mount::alone(contract));
    register(config, &contract.prefix(), contract.routes());
    config.default_service(web::to(nothing_here));
}

fn register(config: &mut web::ServiceConfig, prefix: &str, endpoints: Vec<Endpoint>) {
    for endpoint in endpoints {
        endpoint.register(prefix, config);
    }
}

async fn nothing_here() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Kind::NotFound, "There is nothing at this path."))
}
