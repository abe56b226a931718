use super::Id;
use serde::Serialize;
use std::fmt::Write;
use tertulia_domain as domain;
use utoipa::ToSchema;

/// An uploaded file.
#[derive(Serialize, ToSchema)]
pub(crate) struct File<'a> {
    id: Id,
    /// What its owner called it, made harmless.
    name: &'a str,
    /// What it is, told from its bytes.
    #[schema(examples("image/png"))]
    mime: &'a str,
    /// Bytes.
    #[schema(minimum = 1)]
    size: u64,
    /// Where it is, relative to the root; to be read with an access token.
    url: String,
    /// Pixels; only of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    width: Option<u32>,
    /// Pixels; only of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    height: Option<u32>,
    /// Where a small picture of it is, some moments after it was uploaded; only of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    thumbnail_url: Option<String>,
}

impl<'a> From<&'a domain::File> for File<'a> {
    fn from(file: &'a domain::File) -> Self {
        let url = url(file);
        Self {
            id: file.id.into(),
            name: file.name.as_str(),
            mime: file.media_type.as_str(),
            size: file.size,
            width: file.dimensions.map(|dimensions| dimensions.width),
            height: file.dimensions.map(|dimensions| dimensions.height),
            thumbnail_url: file.is_image().then(|| format!("{url}?thumbnail=true")),
            url,
        }
    }
}

/// Where a file is.
pub(crate) fn url(file: &domain::File) -> String {
    let prefix = crate::api::v1::PREFIX;
    format!("{prefix}/files/{}/{}", file.id, percent_encoded(file.name.as_str()))
}

/// A text with everything percent-encoded but the unreserved characters (RFC 3986): safe as a segment of a path and as
/// an extended parameter of a header (RFC 8187).
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_safe_everywhere() {
        assert_eq!(percent_encoded("plain-name_1.~png"), "plain-name_1.~png");
        assert_eq!(percent_encoded("a b\"c;%/?#.txt"), "a%20b%22c%3B%25%2F%3F%23.txt");
        assert_eq!(percent_encoded("naïve €.txt"), "na%C3%AFve%20%E2%82%AC.txt");
    }
}
