use super::{Id, Time};
use serde::Serialize;
use tertulia_application::account::CreatedApiKey;
use tertulia_domain as domain;
use utoipa::ToSchema;

/// A key for a bot or a backend.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKey<'a> {
    id: Id,
    /// What its owner calls it.
    name: &'a str,
    /// What it may be used for.
    scopes: Vec<Scope>,
    created_at: Time,
    last_used_at: Time,
    /// From then on it is refused; null for never.
    #[schema(required = true)]
    expires_at: Option<Time>,
}

/// A new key.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKey<'a> {
    #[serde(flatten)]
    about: ApiKey<'a>,
    /// What its holder sends as `Authorization: Bearer`; shown this once.
    key: &'a str,
}

/// What a key may be used for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// See users, chats, members, messages and files.
    Read,
    /// Send, edit, delete and report messages, upload files, move the read position.
    Write,
    /// Make, change and delete chats; add and remove members.
    Manage,
}

impl<'a> From<&'a domain::ApiKey> for ApiKey<'a> {
    fn from(key: &'a domain::ApiKey) -> Self {
        Self {
            id: key.id.into(),
            name: key.name.as_str(),
            scopes: domain::Scope::ALL
                .into_iter()
                .filter(|scope| key.scopes.allow(*scope))
                .map(Scope::from)
                .collect(),
            created_at: key.created_at.into(),
            last_used_at: key.last_used_at.into(),
            expires_at: key.expires_at.map(Time::from),
        }
    }
}

impl From<domain::Scope> for Scope {
    fn from(scope: domain::Scope) -> Self {
        match scope {
            domain::Scope::Read => Self::Read,
            domain::Scope::Write => Self::Write,
            domain::Scope::Manage => Self::Manage,
        }
    }
}

impl<'a> From<&'a CreatedApiKey> for NewApiKey<'a> {
    fn from(created: &'a CreatedApiKey) -> Self {
        Self {
            about: ApiKey::from(&created.key),
            key: &created.secret,
        }
    }
}
