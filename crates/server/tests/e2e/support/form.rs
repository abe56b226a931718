use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;

const BOUNDARY: &str = "----a-line-that-no-part-has";

/// A form with files (RFC 7578), put together by hand: clients that mean harm do so, too.
pub(crate) struct Form(Vec<u8>);

impl Form {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// With a text.
    pub(crate) fn text(mut self, field: &str, text: &str) -> Self {
        self.part(&format!("form-data; name=\"{field}\""), text.as_bytes());
        self
    }

    /// With a file of that name in the field `file`. It claims to be a picture, whatever it is.
    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        self.file_called(&format!("filename=\"{quoted}\""), bytes)
    }

    /// The same with the name's parameter as it stands.
    pub(crate) fn file_called(mut self, parameter: &str, bytes: &[u8]) -> Self {
        self.part(
            &format!("form-data; name=\"file\"; {parameter}\r\nContent-Type: image/png"),
            bytes,
        );
        self
    }

    /// The same in another field.
    pub(crate) fn file_in(mut self, field: &str, name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("form-data; name=\"{field}\"; filename=\"{name}\""), bytes);
        self
    }

    fn part(&mut self, disposition: &str, content: &[u8]) {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n");
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
    }

    /// The type of a request with such a body.
    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// What a file's bytes come after, if it is the only part.
    pub(crate) fn beginning(name: &str) -> Vec<u8> {
        let mut begun = Self::new().file(name, &[]).0;
        begun.truncate(begun.len() - 2);
        begun
    }

    /// The request with this as its body.
    pub(crate) fn on(mut self, request: RequestBuilder) -> RequestBuilder {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        request.header(CONTENT_TYPE, Self::content_type()).body(self.0)
    }
}
