//! Which web page a request comes from: browsers send a user's cookies along, whoever wrote the page.

use super::Extract;
use crate::problem::{Kind, Problem};
use actix_web::dev::Payload;
use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::{HttpRequest, web};

/// Fetch Metadata (W3C), as browsers send it to servers that they trust to be the ones they asked for.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A request that no page of another site caused: what changes something by the word of a cookie takes this.
pub(crate) struct SameSite;

/// The origins whose pages are no other site's, wherever the request came in.
pub(crate) struct Origins(Vec<String>);

impl Origins {
    /// Those that may use the service, and that of the address under which users find it.
    pub(crate) fn new(allowed: &[String], public_url: Option<&str>) -> Self {
        let public = public_url.map(|url| origin_of(url).to_owned());
        Self(allowed.iter().cloned().chain(public).collect())
    }

    fn hold(&self, origin: &str) -> bool {
        self.0.iter().any(|known| is_same(known, origin))
    }

    fn is_of_another_site(&self, headers: &HeaderMap) -> bool {
        let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
        let origin = text(&ORIGIN);
        if origin.is_some_and(|origin| self.hold(origin)) {
            return false;
        }
        let site = text(&SEC_FETCH_SITE).unwrap_or_default();
        let own = |origin: &str| text(&HOST).is_some_and(|host| is_at(origin, host));
        matches!(site, "cross-site" | "same-site") || origin.is_some_and(|origin| !own(origin))
    }
}

impl Extract for SameSite {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        let origins: &web::Data<Origins> = request
            .app_data()
            .ok_or_else(|| Problem::internal("the app was configured without its origins"))?;
        if origins.is_of_another_site(request.headers()) {
            return Err(Problem::new(Kind::Forbidden, "The request comes from another site."));
        }
        Ok(Self)
    }
}

/// Scheme, host and port of an address.
fn origin_of(url: &str) -> &str {
    let place = url.find("://").map_or(0, |scheme| scheme + 3);
    let end = url[place..].find('/').map_or(url.len(), |path| place + path);
    &url[..end]
}

fn is_same(one: &str, other: &str) -> bool {
    match (one.split_once("://"), other.split_once("://")) {
        (Some((scheme, one)), Some((as_well, other))) => {
            scheme.eq_ignore_ascii_case(as_well) && is_same_place(scheme, one, other)
        }
        _ => false,
    }
}

/// Whether an origin is that host. By which scheme the client came is not known behind a proxy.
fn is_at(origin: &str, host: &str) -> bool {
    let parts = origin.split_once("://");
    parts.is_some_and(|(scheme, place)| is_same_place(scheme, place, host))
}

/// Whether two hosts with or without port are the same.
fn is_same_place(scheme: &str, one: &str, other: &str) -> bool {
    let own_port = if scheme.eq_ignore_ascii_case("https") {
        ":443"
    } else {
        ":80"
    };
    let plain = |place: &str| place.strip_suffix(own_port).unwrap_or(place).to_ascii_lowercase();
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn is_refused(host: &str, headers: &[(&str, &str)]) -> bool {
        let allowed = ["https://friend.example".to_owned()];
        let origins = Origins::new(&allowed, Some("https://Chat.example.org:443/chat"));
        let mut request = TestRequest::default().insert_header((HOST, host));
        for header in headers {
            request = request.insert_header(*header);
        }
        origins.is_of_another_site(request.to_http_request().headers())
    }

    #[test]
    fn whoever_is_no_browser_or_at_home_may() {
        for (host, headers) in [
            ("localhost:8080", &[][..]),
            ("localhost:8080", &[("Origin", "http://localhost:8080")]),
            ("LOCALHOST", &[("Origin", "http://localhost")]),
            ("localhost:80", &[("Origin", "http://localhost")]),
            ("x.org", &[("Origin", "https://x.org:443")]),
            ("[::1]:80", &[("Origin", "http://[::1]")]),
            ("10.0.0.7:8080", &[("Origin", "https://chat.example.org")]),
            ("10.0.0.7:8080", &[("Origin", "https://friend.example")]),
            (
                "x.org",
                &[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://x.org")],
            ),
            ("x.org", &[("Sec-Fetch-Site", "none")]),
            (
                "x.org",
                &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://friend.example")],
            ),
        ] {
            assert!(!is_refused(host, headers), "{host} {headers:?}");
        }
    }

    #[test]
    fn other_sites_may_not() {
        for (host, headers) in [
            ("localhost:8080", &[("Origin", "http://localhost:3000")][..]),
            ("localhost:8080", &[("Origin", "http://localhost")]),
            ("x.org", &[("Origin", "https://x.org:8443")]),
            ("x.org", &[("Origin", "https://x.org.evil.example")]),
            ("x.org", &[("Origin", "https://sub.x.org")]),
            ("x.org", &[("Origin", "http://chat.example.org")]),
            ("x.org", &[("Origin", "null")]),
            ("x.org", &[("Origin", "")]),
            ("x.org", &[("Sec-Fetch-Site", "cross-site")]),
            ("x.org", &[("Sec-Fetch-Site", "same-site")]),
            ("x.org", &[("Sec-Fetch-Site", "same-site"), ("Origin", "https://x.org")]),
            (
                "x.org",
                &[("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
            ),
        ] {
            assert!(is_refused(host, headers), "{host} {headers:?}");
        }
    }
}
