use super::options::{Encryption, SmtpCredentials, SmtpOptions};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::fmt;
use std::time::Duration;

/// How long one of a host's addresses is tried before the next.
const ADDRESS_LIMIT: Duration = Duration::from_secs(10);

/// Opens connections that are ready to take a mail.
pub(super) struct Dialer {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    /// What we call ourselves: the machine's name.
    name: ClientId,
}

enum Security {
    StartTls(TlsParameters),
    Tls(TlsParameters),
    None,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialer({}:{})", self.host, self.port)
    }
}

impl Dialer {
    pub(super) fn new(options: SmtpOptions) -> Result<Self, SmtpError> {
        let (security, port) = match options.encryption {
            Encryption::StartTls => (Security::StartTls(tls(&options)?), 587),
            Encryption::Tls => (Security::Tls(tls(&options)?), 465),
            Encryption::None => (Security::None, 25),
        };
        let credentials = |SmtpCredentials { user, password }| Credentials::new(user, password);
        Ok(Self {
            host: options.host,
            port: options.port.unwrap_or(port),
            security,
            credentials: options.credentials.map(credentials),
            name: ClientId::default(),
        })
    }

    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let server = (self.host.as_str(), self.port);
        let tls = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::None => None,
        };
        let limit = Some(ADDRESS_LIMIT);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, limit, &self.name, tls, None).await?;
        if let Security::StartTls(tls) = &self.security {
            connection.starttls(tls.clone(), &self.name).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

fn tls(options: &SmtpOptions) -> Result<TlsParameters, SmtpError> {
    let mut builder = TlsParameters::builder(options.host.clone());
    if let Some(pem) = &options.root_certificates {
        builder = builder.add_root_certificate(Certificate::from_pem(pem)?);
    }
    builder.build_rustls()
}
