use super::{Id, OwnUser, Sight, Time};
use serde::Serialize;
use std::net::IpAddr;
use tertulia_application::account::Grant;
use tertulia_domain::{self as domain, SessionId};
use utoipa::ToSchema;

/// A session with the credentials for it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Session<'a> {
    /// What requests send as `Authorization: Bearer`.
    access_token: &'a str,
    #[schema(examples("Bearer"))]
    token_type: &'static str,
    /// Seconds until the access token is refused.
    expires_in: u64,
    /// What the next session answer is got for; works once.
    refresh_token: &'a str,
    user: OwnUser<'a>,
}

/// One of a user's log-ins.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionInfo<'a> {
    id: Id,
    /// What the client called itself.
    #[schema(required = true)]
    device: Option<&'a str>,
    /// The address that the user logged in from.
    #[schema(required = true, value_type = Option<String>)]
    ip: Option<IpAddr>,
    created_at: Time,
    last_used_at: Time,
    /// Whether it is the session of this very request.
    current: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(grant: &'a Grant, sight: &Sight) -> Self {
        Self {
            access_token: &grant.access.token,
            token_type: "Bearer",
            expires_in: grant.access.expires_in.as_secs(),
            refresh_token: &grant.refresh_token,
            user: OwnUser::new(&grant.user, sight),
        }
    }
}

impl<'a> SessionInfo<'a> {
    pub(crate) fn new(session: &'a domain::Session, current: SessionId) -> Self {
        Self {
            id: session.id.into(),
            device: session.device.as_ref().map(domain::DeviceName::as_str),
            ip: session.ip,
            created_at: session.created_at.into(),
            last_used_at: session.last_used_at.into(),
            current: session.id == current,
        }
    }
}
