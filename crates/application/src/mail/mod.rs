//! Mails: what they say, and how they get out.

mod deliver;
pub(crate) mod texts;

use crate::ports::{Clock, Mailer};
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use tertulia_domain::repository::OutboxRepository;

/// Sends what waits in the outbox.
pub struct MailService {
    outbox: Arc<dyn OutboxRepository>,
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
}

impl MailService {
    pub(crate) fn new(repositories: &Repositories, ports: &Ports) -> Self {
        Self {
            outbox: Arc::clone(&repositories.outbox),
            mailer: Arc::clone(&ports.mailer),
            clock: Arc::clone(&ports.clock),
        }
    }
}
