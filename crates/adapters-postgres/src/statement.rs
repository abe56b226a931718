//! Statements in PostgreSQL's own words, for what the query builder can't say or where the plan matters.
//!
//! diesel's `sql_query` is parsed and planned anew on every call. These are prepared once for each connection, and from
//! then on a call is one round trip.
//!
//! Pages that follow an index say `LIMIT (SELECT $n)`. The planner doesn't know such a limit and expects to stop after a
//! tenth of the rows; so it walks along the index, where for a limit above the average length of a list it might collect
//! and sort: right on average, and ruinous for the longest list.

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::{PgConnection, QueryResult, RunQueryDsl, pg::Pg};
use std::marker::PhantomData;

/// One statement.
pub(crate) trait Statement: 'static {
    /// The SQL types of the columns that it gives, in order; `()` for none.
    type Columns;

    /// The text, in which `$1`, `$2`, ... stand for the parameters.
    const SQL: &'static str;
}

/// A statement with its parameters.
pub(crate) struct Prepared<S, P> {
    parameters: P,
    statement: PhantomData<S>,
}

/// The statement `S` with a tuple of parameters, each made by `into_sql`.
pub(crate) fn prepared<S: Statement, P>(parameters: P) -> Prepared<S, P> {
    Prepared {
        parameters,
        statement: PhantomData,
    }
}

impl<S: Statement, P: QueryFragment<Pg>> QueryFragment<Pg> for Prepared<S, P> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(S::SQL);
        // diesel writes a placeholder wherever it takes a parameter. The text has its own, at any place and as often as
        // it needs: these go into a comment.
        out.push_sql("\n-- ");
        self.parameters.walk_ast(out)
    }
}

impl<S: Statement, P: QueryId> QueryId for Prepared<S, P> {
    type QueryId = Prepared<S, P::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = P::HAS_STATIC_QUERY_ID;
}

impl<S: Statement, P> Query for Prepared<S, P> {
    type SqlType = S::Columns;
}

impl<S, P> RunQueryDsl<PgConnection> for Prepared<S, P> {}
