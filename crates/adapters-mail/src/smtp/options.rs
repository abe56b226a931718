use lettre::transport::smtp::Error as SmtpError;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS after a plain greeting; a server that doesn't offer it gets no mail. Port 587 unless said otherwise.
    StartTls,
    /// TLS from the first byte. Port 465 unless said otherwise.
    Tls,
    /// None: for a relay on the same machine or network. Port 25 unless said otherwise.
    None,
}

/// A name and a password at the mail server.
#[derive(Clone)]
pub struct SmtpCredentials {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for SmtpCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpCredentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Which mail server to hand mails to, and how.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Its host name or address, which its certificate must be for.
    pub host: String,
    /// Its port, if it isn't the usual one.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// Who we are to it, if it wants to know.
    pub credentials: Option<SmtpCredentials>,
    /// Certificate authorities to trust besides the system's, in PEM.
    pub root_certificates: Option<Vec<u8>>,
    /// How long handing over a mail may take, from looking the host up to the server's last word.
    pub timeout: Duration,
}

/// Why no mailer could be made.
#[derive(Debug, Error)]
#[error("bad settings of the mail server")]
pub struct SmtpSetupError(#[source] pub(super) SmtpError);
