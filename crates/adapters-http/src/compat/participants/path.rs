//! Ids in paths: one of the wrong form is nobody's.

use super::words::{CHAT_NOT_FOUND, USER_NOT_FOUND};
use crate::extract::{Extract, Path};
use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use tertulia_domain::{ChatId, UserId};

/// The chat that the path names.
pub(crate) struct OfChat(pub(super) ChatId);

/// The user that the path names.
pub(crate) struct OfUser(pub(super) UserId);

impl Extract for OfChat {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let id = Path::<ChatId>::extract(request, payload).await;
        id.map(|Path(id)| Self(id))
            .map_err(|problem| problem.worded(CHAT_NOT_FOUND))
    }
}

impl Extract for OfUser {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let id = Path::<UserId>::extract(request, payload).await;
        id.map(|Path(id)| Self(id))
            .map_err(|problem| problem.worded(USER_NOT_FOUND))
    }
}
