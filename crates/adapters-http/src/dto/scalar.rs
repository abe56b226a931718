use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};
use tertulia_domain::{ChatId, FileId, MessageId, ReportId, SessionId, Timestamp, UserId};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// An identifier: a UUID in its hyphenated form.
#[derive(Clone, Copy)]
pub(crate) struct Id(Uuid);

macro_rules! ids {
    ($($id:ty)+) => {$(
        impl From<$id> for Id {
            fn from(id: $id) -> Self {
                Self(*id.as_uuid())
            }
        }
    )+};
}

ids!(ChatId FileId MessageId ReportId SessionId UserId);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Uuid::encode_buffer();
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut text))
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        text("uuid", "A version 7 UUID (RFC 9562).")
    }
}

impl ToSchema for Id {}

/// A point in time: RFC 3339, UTC, with milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time(Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A timestamp lies in the years 1970 to 9999, which chrono knows all of.
        let at = DateTime::from_timestamp_millis(self.0.as_millis()).unwrap_or_default();
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        text(
            "date-time",
            "RFC 3339 in UTC, always with milliseconds: `2024-03-08T19:30:00.000Z`.",
        )
    }
}

impl ToSchema for Time {}

fn text(format: &str, description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom(format.to_owned())))
        .description(Some(description))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds_always() {
        let shown = |millis| serde_json::to_string(&Time(Timestamp::from_millis(millis))).unwrap();
        assert_eq!(shown(1_709_926_200_000), r#""2024-03-08T19:30:00.000Z""#);
        assert_eq!(shown(1_709_926_200_007), r#""2024-03-08T19:30:00.007Z""#);
        assert_eq!(shown(0), r#""1970-01-01T00:00:00.000Z""#);
        assert_eq!(shown(i64::MAX), r#""9999-12-31T23:59:59.999Z""#);
    }

    #[test]
    fn ids_are_hyphenated() {
        let id = UserId::from_uuid(Uuid::from_u128(0xABC));
        let shown = serde_json::to_string(&Id::from(id)).unwrap();
        assert_eq!(shown, r#""00000000-0000-0000-0000-000000000abc""#);
    }
}
