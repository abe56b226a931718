use super::body::{Body, Input};
use super::payload::{claims, malformed, read};
use super::{Check, Extract};
use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use serde_json::{Map, Value};

/// What browsers send forms as that hold no files.
const FORM: &str = "application/x-www-form-urlencoded";

/// What was made of a form (`application/x-www-form-urlencoded`). Its values are texts, their line ends `\n`; of a field
/// that comes twice the last one counts.
pub(crate) struct Form<T: Input>(pub(crate) T::Output);

/// What was made of a form, or of JSON with the same fields.
pub(crate) struct JsonOrForm<T: Input>(pub(crate) T::Output);

impl<T: Input> Extract for Form<T> {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        parse::<T>(&read(request, payload, FORM).await?).map(Self)
    }
}

impl<T: Input> Extract for JsonOrForm<T> {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        if claims(request, FORM) {
            Form::<T>::extract(request, payload)
                .await
                .map(|Form(output)| Self(output))
        } else {
            Body::<T>::extract(request, payload)
                .await
                .map(|Body(output)| Self(output))
        }
    }
}

fn parse<T: Input>(body: &[u8]) -> Result<T::Output, Problem> {
    let fields = fields(body).ok_or_else(|| malformed("The form is not UTF-8."))?;
    let input: T = serde_json::from_value(Value::Object(fields))
        .map_err(|error| malformed(format!("Not such a form: {error}.")))?;
    input.parse(Check::default())
}

/// The fields of a form, if all of it is UTF-8.
fn fields(body: &[u8]) -> Option<Map<String, Value>> {
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    let fields = pairs.map(|pair| {
        let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (&pair[..end], pair.get(end + 1..).unwrap_or_default());
        Some((decoded(name)?, Value::String(decoded(value)?.replace("\r\n", "\n"))))
    });
    fields.collect()
}

/// A `%` before anything but two hexadecimal digits stands for itself, as in browsers.
fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match (*first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match hex(*high).zip(hex(*low)) {
                Some((high, low)) => {
                    rest = after;
                    high << 4 | low
                }
                None => b'%',
            },
            (byte, _) => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &[u8]) -> Option<Value> {
        fields(body).map(Value::Object)
    }

    #[test]
    fn reads_a_form() {
        for (body, expected) in [
            (&b""[..], json!({})),
            (b"&&", json!({})),
            (b"a=1&b=x+y&c=%C3%A9%26%3d", json!({"a": "1", "b": "x y", "c": "é&="})),
            (b"a&b=&=c&d=e=f", json!({"a": "", "b": "", "": "c", "d": "e=f"})),
            (b"a=1&a=2", json!({"a": "2"})),
            (b"a=x%0D%0Ay%0Dz%0A", json!({"a": "x\ny\rz\n"})),
            (b"a=100%&b=%4&c=%zz", json!({"a": "100%", "b": "%4", "c": "%zz"})),
            ("ñ=ü".as_bytes(), json!({"ñ": "ü"})),
        ] {
            assert_eq!(read(body), Some(expected), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn refuses_what_is_no_text() {
        for body in [&b"a=\xff"[..], b"a=%ff", b"%c3=a", b"a=1&b=%ed%a0%80"] {
            assert_eq!(read(body), None, "{}", String::from_utf8_lossy(body));
        }
    }
}
