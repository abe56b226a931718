//! Blocking, reports, suspension, and the log of such acts.

mod audit;
mod blocks;
mod reports;
mod suspension;

pub use blocks::BlockUserError;
pub use reports::{ListReports, ReportMessage, ReportMessageError, ResolveReportError};
pub use suspension::SuspendError;

use crate::Failure;
use crate::ports::{Clock, IdGenerator};
use crate::realtime::Hub;
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use tertulia_domain::repository::{MessageRepository, ModerationRepository};
use tertulia_domain::{Caller, Role};
use thiserror::Error;

/// Blocking, reports, suspension, and the log of such acts.
pub struct ModerationService {
    moderation: Arc<dyn ModerationRepository>,
    messages: Arc<dyn MessageRepository>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

/// Why something that only service admins may do was not done.
#[derive(Debug, Error)]
pub enum AdminError {
    /// The caller is no service admin.
    #[error("only admins may do that")]
    Forbidden,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl ModerationService {
    pub(crate) fn new(repositories: &Repositories, ports: &Ports, hub: Arc<Hub>) -> Self {
        Self {
            moderation: Arc::clone(&repositories.moderation),
            messages: Arc::clone(&repositories.messages),
            hub,
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
        }
    }
}

fn admins_only(caller: Caller) -> Result<(), AdminError> {
    if caller.role == Role::Admin {
        Ok(())
    } else {
        Err(AdminError::Forbidden)
    }
}
