use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

/// Drops slashes at the end of a path that lies below that one.
pub(crate) fn trim_slashes(below: &str, request: &mut ServiceRequest) {
    let path = request.path();
    if !path.ends_with('/') || !is_below(below, path) {
        return;
    }
    let trimmed = path.trim_end_matches('/');
    let trimmed = if trimmed.is_empty() { "/" } else { trimmed };
    let target = match request.query_string() {
        "" => trimmed.to_owned(),
        query => format!("{trimmed}?{query}"),
    };
    let mut parts = request.uri().clone().into_parts();
    // Part of what was a path and a query is one.
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

fn is_below(place: &str, path: &str) -> bool {
    let rest = path.strip_prefix(place.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn trims_below_a_place() {
        for (below, before, after) in [
            ("/compat", "/compat/x/", "/compat/x"),
            ("/compat", "/compat/x//?a=/", "/compat/x?a=/"),
            ("/compat", "/compat/x", "/compat/x"),
            ("/compat", "/compatible/", "/compatible/"),
            ("/compat", "/api/v1/me/", "/api/v1/me/"),
            ("/", "/api/users/", "/api/users"),
            ("/", "/", "/"),
            ("/", "//", "/"),
            ("/", "/a/?b", "/a?b"),
        ] {
            let mut request = TestRequest::with_uri(before).to_srv_request();
            trim_slashes(below, &mut request);
            assert_eq!(request.uri().to_string(), after);
            assert_eq!(request.match_info().as_str(), after.split('?').next().unwrap());
        }
    }
}
