//! A private mail server: aiosmtpd's.

use anyhow::Result;

use super::{Service, python};

const VARIABLES: &[&str] = &[
    "TEST_SMTP_URL",
    "TEST_SMTP_STARTTLS_URL",
    "TEST_SMTP_TLS_URL",
    "TEST_SMTP_CA",
    "TEST_SMTP_MAILDIR",
];

/// Starts it: plain, with STARTTLS and with implicit TLS. It keeps every mail in a folder.
pub(crate) fn start() -> Result<Service> {
    python::start("smtp", include_str!("smtp.py"), VARIABLES)
}
