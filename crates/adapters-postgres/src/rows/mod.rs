//! Rows, and what the domain makes of them.
//!
//! A module here has for its kind of row the struct, the SQL types of its columns, and a macro for the columns' names in
//! a statement, all in the same order.

mod chat;
mod file;
mod member;
mod message;
mod note;
mod session;
mod user;

pub(crate) use chat::{ChatColumns, ChatRow, blocked_between, chat_blocked, chat_columns};
pub(crate) use file::{StoredFileColumns, StoredFileRow, file_shared, file_view, stored_file_columns};
pub(crate) use member::{MemberColumns, MemberRow, MembershipColumns, MembershipRow, membership_columns};
pub(crate) use message::{
    AuthorColumns, AuthorRow, MessageColumns, MessageRow, ReplyColumns, ReplyRow, message_columns, message_joins,
    reply_columns,
};
pub(crate) use note::{NoteColumns, NoteRow, note_columns};
pub(crate) use session::{SessionColumns, SessionRow, session_columns, session_lives};
pub(crate) use user::{UserColumns, UserRow, user_columns};

use serde_json::Value;
use std::fmt::{self, Display};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{File, Seq};
use tertulia_sql_support::{file_from_json, files_from_json, inconsistent};

/// Reads values of one row; names the row when the domain refuses one.
pub(crate) struct Reader<K> {
    pub(crate) table: &'static str,
    pub(crate) key: K,
}

impl<K: Display> Reader<K> {
    pub(crate) fn refuse(&self, reason: impl Display) -> RepositoryError {
        inconsistent(self.table, &self.key, reason)
    }

    pub(crate) fn word<T>(&self, word: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, RepositoryError> {
        parse(word).ok_or_else(|| self.refuse(format_args!("unknown word {word:?}")))
    }

    pub(crate) fn text<T, E: Display>(
        &self,
        text: Option<&str>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Option<T>, RepositoryError> {
        text.map(parse).transpose().map_err(|error| self.refuse(error))
    }

    pub(crate) fn seq(&self, number: i64) -> Result<Seq, RepositoryError> {
        Seq::new(number).ok_or_else(|| self.refuse(format_args!("the place {number}")))
    }

    /// A file as it is shown, from a column that may have none.
    fn file(&self, view: Option<Value>) -> Result<Option<File>, RepositoryError> {
        view.map(file_from_json).transpose().map_err(|error| self.refuse(error))
    }

    /// The same of several files.
    fn files(&self, views: Option<Value>) -> Result<Vec<File>, RepositoryError> {
        match views {
            None => Ok(Vec::new()),
            Some(views) => files_from_json(views).map_err(|error| self.refuse(error)),
        }
    }
}

/// A key of two columns.
struct Pair<A, B>(A, B);

impl<A: Display, B: Display> Display for Pair<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.0, self.1)
    }
}

/// Turns all rows into what they stand for.
pub(crate) fn read_all<T, R>(rows: Vec<R>) -> Result<Vec<T>, RepositoryError>
where
    T: TryFrom<R, Error = RepositoryError>,
{
    rows.into_iter().map(T::try_from).collect()
}
