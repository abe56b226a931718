use crate::docs::responses::Conflict;
use crate::dto::{ApiKey, Id, List, NewApiKey, Scope};
use crate::endpoint::Endpoint;
use crate::extract::{Account, Authenticated, Body, Check, Field, Input, Path, State, by_ref, time};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tertulia_application::account::CreateApiKey;
use tertulia_domain::{DeviceName, Scopes, ScopesError, SessionId};
use utoipa::ToSchema;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/me/keys").get(list).post(create),
        Endpoint::new("/me/keys/{id}").delete(revoke),
    ]
}

/// A key to be made.
#[derive(Deserialize, ToSchema)]
pub(crate) struct KeyRequest {
    /// What its owner calls it.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 100)]
    #[serde(default)]
    name: Field<String>,
    /// What it may be used for.
    #[schema(value_type = Vec<Scope>, required = true, min_items = 1)]
    #[serde(default)]
    scopes: Field<Vec<Value>>,
    /// When it stops being accepted: RFC 3339; never when nothing is said.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default)]
    expires_at: Field<String>,
}

impl Input for KeyRequest {
    type Output = CreateApiKey;

    fn parse(self, mut check: Check) -> Result<CreateApiKey, Problem> {
        let name = check.required("name", self.name, by_ref(DeviceName::new));
        let scopes = check.required("scopes", self.scopes, |words| scopes(&words));
        let expires_at = check.optional("expires_at", self.expires_at, by_ref(time));
        check.finish(name.zip(scopes).map(|(name, scopes)| CreateApiKey {
            name,
            scopes,
            expires_at,
        }))
    }
}

fn scopes(words: &[Value]) -> Result<Scopes, ScopesError> {
    let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
    Scopes::parse(words.ok_or(ScopesError)?)
}

/// Make an API key
///
/// For bots and backends: it acts as the caller, within its scopes. The key itself is shown this once.
#[utoipa::path(
    post,
    path = "/me/keys",
    tag = "keys",
    operation_id = "create_api_key",
    request_body = KeyRequest,
    responses((status = 201, description = "The key", body = NewApiKey), Conflict)
)]
pub(crate) async fn create(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Body(command): Body<KeyRequest>,
) -> Result<HttpResponse, Problem> {
    let created = state.services.accounts.create_api_key(caller, command).await?;
    Ok(respond::json(StatusCode::CREATED, &NewApiKey::from(&created)))
}

/// List one's API keys
///
/// All of them at once, newest first.
#[utoipa::path(
    get,
    path = "/me/keys",
    tag = "keys",
    operation_id = "list_api_keys",
    responses((status = 200, description = "The keys", body = List<ApiKey>))
)]
pub(crate) async fn list(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
) -> Result<HttpResponse, Problem> {
    let keys = state.services.accounts.api_keys(caller).await?;
    let list = List {
        items: keys.iter().map(ApiKey::from).collect(),
        next_cursor: None,
    };
    Ok(respond::json(StatusCode::OK, &list))
}

/// Revoke one of one's API keys
///
/// From the next request on it is refused.
#[utoipa::path(
    delete,
    path = "/me/keys/{id}",
    tag = "keys",
    operation_id = "revoke_api_key",
    params(("id" = Id, Path, description = "The key")),
    responses((status = 204, description = "Revoked"))
)]
pub(crate) async fn revoke(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path(id): Path<SessionId>,
) -> Result<HttpResponse, Problem> {
    state.services.accounts.revoke_api_key(caller, id).await?;
    Ok(respond::no_content())
}
