use super::error;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use std::fmt;
use std::time::Duration;
use tertulia_application::ports::StoreError;

/// Where a bucket is, and how to get in.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// The bucket; it is there already.
    pub bucket: String,
    /// Its region. Servers that have none take any.
    pub region: String,
    /// The server's URL, if it isn't Amazon's. Unless `path_style` is set, it names the bucket in its host.
    pub endpoint: Option<String>,
    /// The keys. Without, they come from the environment: the variables, roles and instance profiles of Amazon's tools.
    pub credentials: Option<S3Credentials>,
    /// Allows an endpoint without TLS.
    pub allow_http: bool,
    /// Names the bucket in the path and not in the host, as most servers but Amazon's want it.
    pub path_style: bool,
    /// What all keys begin with, so that a bucket can be shared; may be empty.
    pub prefix: String,
}

/// An access key.
#[derive(Clone)]
pub struct S3Credentials {
    /// Its public half.
    pub access_key: String,
    /// Its secret half.
    pub secret_key: String,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

pub(super) fn connect(options: &S3Options) -> Result<AmazonS3, StoreError> {
    let builder = match &options.credentials {
        Some(keys) => AmazonS3Builder::new()
            .with_access_key_id(&keys.access_key)
            .with_secret_access_key(&keys.secret_key),
        None => AmazonS3Builder::from_env(),
    };
    let builder = builder
        .with_bucket_name(&options.bucket)
        .with_region(&options.region)
        .with_virtual_hosted_style_request(!options.path_style)
        // Deletes one object with DELETE, which every server knows.
        .with_disable_bulk_delete(true)
        .with_retry(retries())
        .with_client_options(timeouts().with_allow_http(options.allow_http));
    let builder = match &options.endpoint {
        Some(endpoint) => builder.with_endpoint(endpoint),
        None => builder,
    };
    builder.build().map_err(error::of_writing)
}

/// Enough for a hiccup. Whoever waits for an answer is better told soon of anything longer.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 3,
        retry_timeout: Duration::from_secs(20),
    }
}

/// No limit for a whole request: a reader may take its time.
fn timeouts() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_secs(30))
        .with_timeout_disabled()
}
