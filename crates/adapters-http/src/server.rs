use crate::endpoint::Endpoint;
use crate::extract::State;
use crate::middleware::{Observer, describe};
use crate::problem::{Kind, Problem};
use crate::traffic::{RateLimits, Traffic, whole_seconds};
use crate::{HttpState, api, docs, operation, uploads};
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
        }
    }
}

/// Makes the server that answers on `listener`. It serves while the returned future is awaited, inside a tokio runtime.
///
/// It does not handle signals: whoever runs the process does, and stops the server through its
/// [`handle`](Server::handle). A metrics recorder has to be installed before.
pub fn server(listener: TcpListener, state: HttpState, options: HttpOptions) -> io::Result<Server> {
    describe();
    let state = Arc::new(state);
    let traffic = Arc::new(Traffic::new(&options.rate_limits, options.trusted_proxies));
    let workers = options.workers.max(1);
    let server = HttpServer::new(move || app(Arc::clone(&state), Arc::clone(&traffic)))
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

/// One worker's app: everything that is served, and what happens around it.
pub(crate) fn app(
    state: Arc<HttpState>,
    traffic: Arc<Traffic>,
) -> App<
    impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<BoxBody>, Error = Error, InitError = ()>,
> {
    let observer = Rc::new(Observer::new(Arc::clone(&state.ids)));
    App::new()
        .configure(|config| configure(config, state, traffic))
        .wrap(from_fn(move |request, next| {
            let observer = Rc::clone(&observer);
            async move { observer.observe(request, next).await }
        }))
}

fn configure(config: &mut web::ServiceConfig, state: Arc<HttpState>, traffic: Arc<Traffic>) {
    config.app_data(State::from(state));
    config.app_data(web::Data::from(traffic));
    config
        .service(web::scope(api::v1::PREFIX).configure(|scope| register(scope, api::v1::PREFIX, api::v1::endpoints())));
    register(config, "", operation::endpoints());
    register(config, "", uploads::endpoints());
    register(config, "", docs::endpoints());
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
