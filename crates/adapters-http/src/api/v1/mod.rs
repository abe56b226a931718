//! Version 1, one file a resource: what it can do, what it takes, and the use cases behind it.

pub(crate) mod admin;
pub(crate) mod auth;
pub(crate) mod blocks;
pub(crate) mod chats;
pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod me;
pub(crate) mod members;
mod message_form;
pub(crate) mod messages;
mod page;
pub(crate) mod reports;
pub(crate) mod users;

use files::FileForm;
use page::PageQuery;

use crate::endpoint::Endpoint;

/// Where the API lives.
pub(crate) const PREFIX: &str = "/api/v1";

/// Everything that the API can do; paths are tried in this order, so what is asked for most stands first.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        messages::endpoints(),
        chats::endpoints(),
        members::endpoints(),
        files::endpoints(),
        me::endpoints(),
        users::endpoints(),
        auth::endpoints(),
        blocks::endpoints(),
        keys::endpoints(),
        reports::endpoints(),
        admin::endpoints(),
        crate::live::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
