use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The address of the client behind `peer`.
///
/// A peer that is no trusted proxy is the client itself: anybody can send the header. Otherwise every trusted proxy has
/// added its own peer to the right of `X-Forwarded-For`, so the first address from the right that is none of theirs is
/// the client's; what stands further left, anybody may have made up.
pub(super) fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    // Where the listener takes both families, an IPv4 address comes as one mapped into IPv6.
    let mut client = peer.to_canonical();
    if trusted.is_empty() {
        return client;
    }
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let lines: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    let mut named = lines.into_iter().rev().flat_map(|line| line.rsplit(','));
    while is_trusted(client) {
        match named.next().map(|text| address(text.trim())) {
            Some(Some(address)) => client = address,
            // The end, or something that is no address: nothing beyond it is worth believing.
            Some(None) | None => break,
        }
    }
    client
}

/// Reads `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let ip = bare.unwrap_or(text).parse().ok();
    let ip = ip.or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()));
    ip.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn client(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        behind(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn nobody_is_believed_unasked() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &[], &[]), "192.0.2.1");
    }

    #[test]
    fn trusted_proxies_are_skipped_from_the_right() {
        let trusted = ["10.0.0.0/8", "fd00::/8"];
        let client = |forwarded: &[&'static str]| client("10.0.0.1", forwarded, &trusted);
        assert_eq!(client(&[]), "10.0.0.1");
        assert_eq!(client(&["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(&["203.0.113.9, 198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(
            client(&["203.0.113.9", "198.51.100.7", "fd00::2,10.0.0.2"]),
            "198.51.100.7"
        );
        assert_eq!(client(&["198.51.100.7:4711"]), "198.51.100.7");
        assert_eq!(client(&["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(client(&["[2001:db8::1]"]), "2001:db8::1");
        // All of them proxies: the furthest.
        assert_eq!(client(&["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn nonsense_is_not_read_past() {
        let client = |forwarded: &[&'static str]| client("10.0.0.1", forwarded, &["10.0.0.0/8"]);
        assert_eq!(client(&["198.51.100.7, unknown"]), "10.0.0.1");
        assert_eq!(client(&["198.51.100.7, , 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client(&[""]), "10.0.0.1");
    }
}
