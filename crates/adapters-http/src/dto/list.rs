use crate::cursor::{self, Cursor};
use serde::Serialize;
use tertulia_domain::Page;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    #[schema(required = true)]
    pub(crate) next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A page, each of its items shown.
    pub(crate) fn of<'a, D, C: Cursor>(page: &'a Page<D, C>, show: impl FnMut(&'a D) -> T) -> Self {
        Self {
            items: page.items.iter().map(show).collect(),
            next_cursor: page.next.as_ref().map(cursor::encode),
        }
    }
}
