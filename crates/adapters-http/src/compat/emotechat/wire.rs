//! What goes over the wire.

use crate::dto::{Id, Time};
use serde::Serialize;
use tertulia_domain::{self as domain, Email};
use utoipa::ToSchema;

/// What happened, for people.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message<'a> {
    message: &'a str,
}

impl<'a> Message<'a> {
    pub(super) const fn new(message: &'a str) -> Self {
        Self { message }
    }
}

/// A user.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct User<'a> {
    pub(super) id: i64,
    /// The display name, or else the username.
    #[schema(required = true)]
    name: Option<&'a str>,
    #[schema(required = true)]
    email: Option<&'a str>,
}

impl<'a> User<'a> {
    pub(super) fn new(user: &'a domain::User) -> Self {
        Self {
            id: user.number,
            name: user.shown_name(),
            email: user.email.as_ref().map(Email::as_str),
        }
    }
}

/// What happened, and to whom.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageAndUser<'a> {
    pub(super) message: &'a str,
    pub(super) user: User<'a>,
}

/// Somebody who has logged in.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedIn<'a> {
    pub(super) message: &'a str,
    pub(super) user: User<'a>,
    /// What requests send as `Authorization: Bearer`; it is in that header of the answer, too.
    pub(super) token: &'a str,
}

/// A message that was sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct SocketMessage<'a> {
    /// Empty for a message that is nothing but files.
    pub(super) message: &'a str,
    pub(super) sender: i64,
    pub(super) receiver: i64,
    pub(super) time: Time,
    pub(super) id: Id,
}

/// A frame that was not handled.
#[derive(Serialize, ToSchema)]
pub(crate) struct SocketFailure<'a> {
    /// What happened, for people.
    pub(super) error: &'a str,
}
