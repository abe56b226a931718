use crate::compat::CONTRACTS;
use crate::endpoint::Endpoint;
use crate::extract::Path;
use crate::problem::{Kind, Problem};
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::{Config, SwaggerFile, Url, serve};

/// A page to read the documents on and to try them out; all of it is in the binary.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/docs").get(page),
        Endpoint::new("/docs/{file}").get(asset),
    ]
}

/// Swagger UI runs its own scripts alone, and talks to this server alone. It sets styles on elements as it goes, and its
/// pictures come as `data:`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

async fn page() -> Result<HttpResponse, Problem> {
    let index = file("index.html")?;
    // The page's files are beside it, as if it were `/docs/`: relative, so that it also works behind a proxy that adds
    // a prefix.
    let html = String::from_utf8_lossy(&index.bytes)
        .replace("href=\"./", "href=\"docs/")
        .replace("href=\"index.css", "href=\"docs/index.css")
        .replace("src=\"./", "src=\"docs/");
    let mut answer = respond::bytes(
        StatusCode::OK,
        HeaderValue::from_static("text/html; charset=utf-8"),
        html,
    );
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(answer)
}

async fn asset(Path(name): Path<String>) -> Result<HttpResponse, Problem> {
    let file = file(&name)?;
    let media_type = HeaderValue::from_str(&file.content_type).map_err(Problem::internal)?;
    let mut answer = respond::bytes(StatusCode::OK, media_type, file.bytes.into_owned());
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    Ok(answer)
}

/// Relative, as the page's files are.
fn documents() -> Vec<Url<'static>> {
    let native = Url::from("openapi.json".to_owned());
    let contracts = CONTRACTS.iter().map(|contract| {
        let place = format!("{}/openapi.json", contract.prefix());
        Url::from(place.trim_start_matches('/').to_owned())
    });
    [native].into_iter().chain(contracts).collect()
}

fn file(name: &str) -> Result<SwaggerFile<'static>, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
        // Without a validator: by default the page shows the document to one on the Internet.
        Arc::new(Config::new(documents()).validator_url("none"))
    });
    serve(name, Arc::clone(&CONFIG))
        .map_err(|error| Problem::internal(error.to_string()))?
        .ok_or_else(|| Problem::new(Kind::NotFound, Cow::Borrowed("There is nothing at this path.")))
}
