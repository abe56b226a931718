//! Statements in SQLite's own words, prepared once for each connection.
//!
//! For what the query builder can't say (row values, unions with a limit, a table that is joined to itself), and for
//! the updates of the hot paths: diesel has SQLite parse every `update` and every `sql_query` anew on every call.

use crate::id::DbId;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, RunQueryDsl};
use std::marker::PhantomData;

/// A statement whose rows have the columns `ST`.
pub(crate) struct Sql<ST> {
    text: &'static [&'static str],
    values: Vec<Value>,
    columns: PhantomData<ST>,
}

/// What can stand for a question mark.
enum Value {
    Id(DbId),
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
    Null,
}

impl<ST> Sql<ST> {
    /// A statement, in one or more parts. A `?` is always the place of a value.
    ///
    /// `LIMIT +?`, never `LIMIT ?`: SQLite plans a statement for the very number that is bound there, and therefore
    /// parses it anew on every call. A number that is computed it leaves alone.
    pub(crate) fn new(text: &'static [&'static str]) -> Self {
        debug_assert!(!text.iter().any(|part| part.contains("LIMIT ?")), "{text:?}");
        Self {
            text,
            values: Vec::with_capacity(8),
            columns: PhantomData,
        }
    }

    /// An identifier for the next question mark.
    pub(crate) fn id(self, id: impl Into<DbId>) -> Self {
        self.value(Value::Id(id.into()))
    }

    /// A number for the next question mark.
    pub(crate) fn integer(self, integer: i64) -> Self {
        self.value(Value::Integer(integer))
    }

    /// A text for the next question mark.
    pub(crate) fn text(self, text: impl Into<String>) -> Self {
        self.value(Value::Text(text.into()))
    }

    /// Bytes for the next question mark.
    pub(crate) fn bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.value(Value::Bytes(bytes.into()))
    }

    /// An identifier or nothing for the next question mark.
    pub(crate) fn optional_id(self, id: Option<impl Into<DbId>>) -> Self {
        self.value(id.map_or(Value::Null, |id| Value::Id(id.into())))
    }

    /// A number or nothing for the next question mark.
    pub(crate) fn optional_integer(self, integer: Option<i64>) -> Self {
        self.value(integer.map_or(Value::Null, Value::Integer))
    }

    /// A text or nothing for the next question mark.
    pub(crate) fn optional_text(self, text: Option<impl Into<String>>) -> Self {
        self.value(text.map_or(Value::Null, |text| Value::Text(text.into())))
    }

    fn value(mut self, value: Value) -> Self {
        self.values.push(value);
        self
    }
}

impl<ST> QueryFragment<Sqlite> for Sql<ST> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut values = self.values.iter();
        for part in self.text {
            for (index, piece) in part.split('?').enumerate() {
                if index > 0 {
                    match values.next() {
                        Some(Value::Id(id)) => out.push_bind_param::<Binary, _>(id)?,
                        Some(Value::Integer(integer)) => out.push_bind_param::<BigInt, _>(integer)?,
                        Some(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                        Some(Value::Bytes(bytes)) => out.push_bind_param::<Binary, _>(bytes)?,
                        Some(Value::Null) => out.push_bind_param::<Nullable<BigInt>, _>(&None::<i64>)?,
                        None => return Err(DieselError::QueryBuilderError("a value is missing".into())),
                    }
                }
                out.push_sql(piece);
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Sql<ST> {
    type QueryId = ();
    // The type doesn't tell the text: prepared statements are found by the text itself.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Sql<ST> {
    type SqlType = ST;
}

impl<ST> RunQueryDsl<SqliteConnection> for Sql<ST> {}
