use super::responses::{FAILURES, contract_failures, failure, failure_ref};
use crate::api::v1;
use crate::compat::{self, Contract};
use crate::extract::Entry;
use crate::problem::ProblemBody;
use crate::{live, operation, respond, uploads};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{RefOr, Server};

/// What is outside of every API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tertulia",
        description = "A chat backend. Failures are `application/problem+json` (RFC 9457); programs go by their `code`. \
                       Every answer has an `X-Request-Id`: the client's own if it sent one of 1 to 128 characters of \
                       `A-Z a-z 0-9 . _ -`, and `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` \
                       (seconds) where requests are counted. Lists are read to the end by passing `next_cursor` on as `cursor`.",
    ),
    paths(operation::healthz, operation::readyz, operation::metrics, operation::openapi, live::document::asyncapi, uploads::show),
    components(schemas(ProblemBody)),
    tags(
        (name = "auth", description = "Accounts and sessions"),
        (name = "me", description = "The caller"),
        (name = "keys", description = "The caller's API keys"),
        (name = "blocks", description = "Whom the caller blocks"),
        (name = "users", description = "Everybody"),
        (name = "chats", description = "Chats, direct and group"),
        (name = "members", description = "Who is in a chat"),
        (name = "messages", description = "What is said there"),
        (name = "files", description = "What hangs on messages"),
        (name = "realtime", description = "What happens, as it happens"),
        (name = "admin", description = "For service admins"),
        (name = "operation", description = "The service itself"),
    ),
    security(("bearer" = []))
)]
struct Root;

/// The native API.
#[derive(OpenApi)]
#[openapi(paths(
    v1::auth::register,
    v1::auth::log_in,
    v1::auth::refresh,
    v1::auth::log_out,
    v1::auth::list_sessions,
    v1::auth::end_session,
    v1::auth::request_reset,
    v1::auth::reset_password,
    v1::auth::verify_email,
    v1::auth::request_verification,
    v1::me::show,
    v1::me::update,
    v1::me::delete,
    v1::me::change_password,
    v1::me::set_avatar,
    v1::me::delete_avatar,
    v1::keys::create,
    v1::keys::list,
    v1::keys::revoke,
    v1::blocks::list,
    v1::blocks::block,
    v1::blocks::unblock,
    v1::users::list,
    v1::users::show,
    v1::chats::create,
    v1::chats::list,
    v1::chats::show,
    v1::chats::rename,
    v1::chats::delete,
    v1::chats::mark_read,
    v1::chats::set_avatar,
    v1::members::list,
    v1::members::add,
    v1::members::change_role,
    v1::members::remove,
    v1::messages::send,
    v1::messages::list,
    v1::messages::show,
    v1::messages::edit,
    v1::messages::delete,
    v1::reports::report,
    v1::files::upload,
    v1::files::show,
    v1::admin::list_reports,
    v1::admin::resolve_report,
    v1::admin::suspend,
    v1::admin::unsuspend,
    v1::admin::remove_message,
    v1::admin::list_audit,
    live::socket::connect,
    live::socket::ticket,
    live::stream::events,
    live::sync::sync,
))]
struct V1;

/// What every contract has besides its own.
#[derive(OpenApi)]
#[openapi(
    paths(compat::openapi),
    tags((name = "operation", description = "The service itself"))
)]
struct Shared;

/// The document of the native API, as JSON.
pub(crate) fn document() -> Bytes {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| respond::to_json(&open_api()).into());
    DOCUMENT.clone()
}

fn open_api() -> utoipa::openapi::OpenApi {
    let mut document = Root::openapi().nest(v1::PREFIX, V1::openapi());
    add_bearer(&mut document);
    add_scopes(&mut document);
    add_failures(&mut document);
    document
}

/// The document of a contract for those who come to it at that base, as JSON.
pub(crate) fn contract_document(contract: &Contract, base: &str) -> Bytes {
    let mut document = (contract.document)();
    document.merge(Shared::openapi());
    document.servers = Some(vec![Server::new(if base.is_empty() { "/" } else { base })]);
    let components = document.components.get_or_insert_default();
    if components.security_schemes.is_empty() {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
    for operation in operations_mut(&mut document) {
        let mut failures = failures_of(operation);
        // What is said of an operation that the native API has as well.
        operation.responses.responses.retain(|status, response| {
            let own = matches!(response, RefOr::T(_));
            if !own {
                failures.extend(status.parse::<StatusCode>());
            }
            own
        });
        let failures = contract_failures(contract, &failures);
        for (status, response) in failures {
            operation.responses.responses.entry(status).or_insert(response);
        }
    }
    respond::to_json(&document).into()
}

/// The way to authenticate.
fn add_bearer(document: &mut utoipa::openapi::OpenApi) {
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "The `access_token` of a session, or an API key. An operation names the scope that a key needs; one that \
             names none is not for keys.",
        ));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
}

/// What each operation demands of its caller, as its handler says: nothing that could be forgotten here.
fn add_scopes(document: &mut utoipa::openapi::OpenApi) {
    for endpoint in v1::endpoints() {
        for (method, path, entry) in endpoint.operations(v1::PREFIX) {
            let item = document.paths.paths.get_mut(&path);
            let Some(operation) = item.and_then(|item| operation_mut(item, &method)) else {
                continue;
            };
            let (scopes, hint) = match entry {
                // Such an operation says so itself.
                Entry::Open => continue,
                Entry::Scope(scope) => (
                    vec![scope.as_str()],
                    format!("API keys need the scope `{}`.", scope.as_str()),
                ),
                Entry::LoggedIn => (Vec::new(), "Not for API keys.".to_owned()),
            };
            operation.security = Some(vec![SecurityRequirement::new("bearer", scopes)]);
            let description = operation.description.take().filter(|text| !text.is_empty());
            operation.description = Some(match description {
                Some(text) => format!("{text}\n\n{hint}"),
                None => hint,
            });
        }
    }
}

fn operation_mut<'a>(item: &'a mut PathItem, method: &Method) -> Option<&'a mut Operation> {
    let operation = match *method {
        Method::GET => &mut item.get,
        Method::POST => &mut item.post,
        Method::PUT => &mut item.put,
        Method::PATCH => &mut item.patch,
        Method::DELETE => &mut item.delete,
        _ => return None,
    };
    operation.as_mut()
}

/// The failures that follow from an operation's shape; those that follow from what it does stand with the operation.
fn add_failures(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    for (status, name) in FAILURES {
        components.responses.insert(name.to_owned(), failure(status).into());
    }
    for operation in operations_mut(document) {
        let failures = failures_of(operation).into_iter().filter_map(failure_ref);
        operation.responses.responses.extend(failures);
    }
}

fn operations_mut(document: &mut utoipa::openapi::OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        operations.into_iter().flatten()
    })
}

fn failures_of(operation: &Operation) -> Vec<StatusCode> {
    use StatusCode as S;
    let has = |place: ParameterIn| {
        let mut parameters = operation.parameters.iter().flatten();
        parameters.any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == place))
    };
    // An operation that needs no authentication says so by requirements of its own.
    let security = serde_json::to_value(&operation.security).unwrap_or_default();
    let public = security == serde_json::json!([{}]);
    let body = operation.request_body.is_some();
    let values = body || has(ParameterIn::Query) || has(ParameterIn::Header);
    let possible = [
        (true, S::INTERNAL_SERVER_ERROR),
        (!public || body, S::SERVICE_UNAVAILABLE),
        (!public, S::UNAUTHORIZED),
        (!public, S::FORBIDDEN),
        (!public || body || has(ParameterIn::Path), S::TOO_MANY_REQUESTS),
        (has(ParameterIn::Path), S::NOT_FOUND),
        (values, S::BAD_REQUEST),
        (values, S::UNPROCESSABLE_ENTITY),
        (body, S::PAYLOAD_TOO_LARGE),
        (body, S::UNSUPPORTED_MEDIA_TYPE),
    ];
    let follow = possible.into_iter().filter(|(follows, _)| *follows);
    follow.map(|(_, status)| status).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// An API, with what is served and what is said of it.
    struct Described {
        name: &'static str,
        served: Vec<(Method, String, Entry)>,
        document: Value,
    }

    fn all() -> Vec<Described> {
        let served = |prefix: &str, endpoints: Vec<Endpoint>| -> Vec<_> {
            let operations = endpoints
                .into_iter()
                .map(|endpoint| endpoint.operations(prefix).collect::<Vec<_>>());
            operations.flatten().collect()
        };
        let mut native = served(v1::PREFIX, v1::endpoints());
        native.extend(served("", operation::endpoints()));
        native.extend(served("", uploads::endpoints()));
        native.extend(served("", live::document::endpoints()));
        let native = Described {
            name: "native",
            served: native,
            document: serde_json::from_slice(&document()).unwrap(),
        };
        let contracts = compat::CONTRACTS.iter().map(|contract| Described {
            name: contract.name,
            served: served("", contract.routes()),
            document: serde_json::from_slice(&contract_document(contract, &contract.prefix())).unwrap(),
        });
        [native].into_iter().chain(contracts).collect()
    }

    /// Method, path and description of every operation in the document.
    fn documented(document: &Value) -> Vec<(String, String, Value)> {
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        });
        operations.collect()
    }

    #[test]
    fn every_route_is_documented_and_nothing_else() {
        for api in all() {
            let served = api
                .served
                .into_iter()
                .map(|(method, path, _)| (method.to_string(), path));
            let documented = documented(&api.document)
                .into_iter()
                .map(|(method, path, _)| (method, path));
            assert_eq!(
                served.collect::<BTreeSet<_>>(),
                documented.collect::<BTreeSet<_>>(),
                "{}",
                api.name
            );
        }
    }

    #[test]
    fn only_what_is_open_is_documented_as_open() {
        for api in all() {
            let open = api.served.iter().filter(|(.., entry)| *entry == Entry::Open);
            let open: BTreeSet<_> = open
                .map(|(method, path, _)| (method.to_string(), path.clone()))
                .collect();
            let documented = documented(&api.document).into_iter();
            let documented = documented.filter(|(.., operation)| operation["security"] == serde_json::json!([{}]));
            let documented: BTreeSet<_> = documented.map(|(method, path, _)| (method, path)).collect();
            assert_eq!(open, documented, "{}", api.name);
        }
    }

    #[test]
    fn every_operation_is_fully_described() {
        for api in all() {
            let mut ids = BTreeSet::new();
            for (method, path, operation) in documented(&api.document) {
                let at = format!("{}: {method} {path}", api.name);
                is_fully_described(&path, &operation, &at);
                assert!(
                    ids.insert(operation["operationId"].to_string()),
                    "{at} has no operation id of its own"
                );
                let body = operation.get("requestBody").is_some();
                let bare = ["/logout", "/verification", "/me/blocks/{user_id}", "/ws/ticket"];
                let takes_body = matches!(method.as_str(), "POST" | "PUT" | "PATCH")
                    && !bare.iter().any(|bare| path.ends_with(bare));
                // Which operations of a contract take nothing is for the contract to say.
                assert!(body == takes_body || api.name != "native", "{at}");
            }
        }
    }

    fn is_fully_described(path: &str, operation: &Value, at: &str) {
        assert!(
            !operation["summary"].as_str().unwrap_or_default().is_empty(),
            "{at} has no summary"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at} has no tag");
        let segments: BTreeSet<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let described = parameters.iter().filter(|parameter| parameter["in"] == "path");
        assert_eq!(
            segments,
            described.map(|parameter| parameter["name"].as_str().unwrap()).collect(),
            "{at}"
        );
        let responses = operation["responses"].as_object().unwrap();
        // 101: it becomes a WebSocket.
        assert!(
            responses
                .keys()
                .any(|status| status.starts_with('2') || status == "101"),
            "{at}"
        );
        assert!(responses.contains_key("500"), "{at}");
    }

    #[test]
    fn contracts_name_their_place() {
        let contract = &compat::CONTRACTS[0];
        for (base, url) in [("", "/"), ("/compat/x", "/compat/x")] {
            let document: Value = serde_json::from_slice(&contract_document(contract, base)).unwrap();
            assert_eq!(document["servers"], serde_json::json!([{"url": url}]));
        }
    }

    /// Also where it is no object, which would be a plain text if nothing were said.
    #[test]
    fn what_contracts_answer_is_json_and_files_are_anything() {
        for Described { name, document, .. } in all().into_iter().filter(|api| api.name != "native") {
            for (method, path, operation) in documented(&document) {
                let file = path.starts_with("/uploads/");
                let expected = match path.as_str() {
                    _ if file => "*/*",
                    // Packets of Engine.IO.
                    "/socket.io" => "text/plain",
                    _ => "application/json",
                };
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let media_types = response["content"].as_object().into_iter().flatten();
                    for (media_type, _) in media_types.filter(|_| status.starts_with('2')) {
                        assert_eq!(media_type, expected, "{name}: {method} {path} {status}");
                    }
                }
            }
        }
    }

    #[test]
    fn that_nobody_leaves_a_direct_chat_is_documented() {
        let document: Value = serde_json::from_slice(&document()).unwrap();
        let remove = &document["paths"]["/api/v1/chats/{id}/members/{user_id}"]["delete"];
        assert!(remove["responses"]["422"].is_object());
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, document: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(Value::String(reference)) = fields.get("$ref") {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                    }
                    fields.values().for_each(|value| walk(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
                _ => {}
            }
        }
        for Described { document, .. } in all() {
            assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
            walk(&document, &document);
        }
    }

    #[test]
    fn every_kind_of_failure_is_in_the_document() {
        for kind in crate::problem::Kind::ALL {
            let status = kind.face().status;
            assert!(failure_ref(status).is_some(), "{kind:?}");
        }
    }
}
