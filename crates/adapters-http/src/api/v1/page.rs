use crate::cursor::Cursor;
use crate::extract::{cursor, limit};
use crate::problem::Problem;
use serde::Deserialize;
use tertulia_domain::Limit;
use utoipa::IntoParams;

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Items at the most.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    pub(super) fn limit(&self) -> Result<Limit, Problem> {
        limit(self.limit.as_deref())
    }

    pub(super) fn cursor<C: Cursor>(&self) -> Result<Option<C>, Problem> {
        cursor(self.cursor.as_deref())
    }
}
