//! A private server that speaks S3: moto's.

use anyhow::Result;

use super::{Service, python};

const VARIABLES: &[&str] = &["TEST_S3_ENDPOINT"];

/// Starts it. It has one bucket, `tertulia`, and takes any credentials.
pub(crate) fn start() -> Result<Service> {
    python::start("s3", include_str!("s3.py"), VARIABLES)
}
