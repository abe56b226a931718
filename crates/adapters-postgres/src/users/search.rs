use crate::rows::{UserRow, user_columns};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tertulia_domain::{Limit, SearchPrefix};

const SEARCH: &str = concat!(
    "SELECT ",
    user_columns!(),
    "
     FROM users u
     WHERE u.number > $3
       AND u.deleted_at IS NULL
       AND (u.username_key >= $1 AND u.username_key < $2 OR u.display_name_key >= $1 AND u.display_name_key < $2)
     ORDER BY u.number
     LIMIT $4"
);

/// The users whose username's or display name's key begins so, from behind the number `after` on.
///
/// This is deliberately no prepared statement. Whether to walk along the numbers until enough match, or to look the
/// matching ones up and sort them, depends on how common the prefix is: it has to be planned anew for each.
pub(super) fn find(
    connection: &mut PgConnection,
    prefix: &SearchPrefix,
    after: i64,
    limit: Limit,
) -> QueryResult<Vec<UserRow>> {
    diesel::sql_query(SEARCH)
        .bind::<Text, _>(prefix.as_str())
        .bind::<Text, _>(prefix.end())
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(limit.fetch())
        .load(connection)
}
