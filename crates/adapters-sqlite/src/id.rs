//! Identifiers as they are stored: the 16 bytes of the UUID.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Binary;
use diesel::sqlite::{Sqlite, SqliteValue};
use std::fmt;
use tertulia_domain::{ChatId, FileId, MailId, MessageId, ReportId, SessionId, UserId};
use uuid::Uuid;

/// Any identifier. Version 7 UUIDs compare as blobs in the order of their making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub(crate) struct DbId(Uuid);

impl DbId {
    /// Smaller than any identifier.
    pub(crate) const NIL: Self = Self(Uuid::nil());

    /// As SQLite's `unhex` reads it.
    pub(crate) fn hex(self) -> String {
        self.0.as_simple().to_string()
    }

    /// Many as one value, for SQLite's `json_each` and `unhex`.
    pub(crate) fn hex_list(ids: &[Self]) -> String {
        let ids: Vec<_> = ids.iter().map(|id| id.hex()).collect();
        serde_json::json!(ids).to_string()
    }
}

impl fmt::Display for DbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl ToSql<Binary, Sqlite> for DbId {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<Binary, Sqlite> for DbId {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.read_blob())?))
    }
}

macro_rules! stored {
    ($($id:ident)*) => {
        $(
            impl From<$id> for DbId {
                fn from(id: $id) -> Self {
                    Self(*id.as_uuid())
                }
            }

            impl From<DbId> for $id {
                fn from(id: DbId) -> Self {
                    Self::from_uuid(id.0)
                }
            }
        )*
    };
}

stored! { ChatId FileId MailId MessageId ReportId SessionId UserId }
