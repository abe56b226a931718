//! Mail: over SMTP, or into a folder where there is no mail server.

mod eml;
mod message;
mod smtp;

pub use eml::EmlMailer;
pub use message::{Sender, SenderError};
pub use smtp::{Encryption, SmtpCredentials, SmtpMailer, SmtpOptions, SmtpSetupError};
