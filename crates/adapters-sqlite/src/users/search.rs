use super::{UserColumns, UserRow};
use crate::id::DbId;
use crate::schema::users;
use crate::sql::Sql;
use diesel::prelude::*;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Counted, Limit, Page, SearchPrefix, User, UserCursor, UserId, Window};
use tertulia_sql_support::TxError;

/// The numbers come from two ranges of indexes that hold them, so only the users of the page are looked up; the `+`
/// keeps SQLite from walking all users in the order of their numbers instead. Deleted users have no keys.
const SEARCH: &[&str] = &[
    "SELECT ",
    UserRow::COLUMNS,
    " FROM (
        SELECT number FROM users WHERE username_key >= ? AND username_key < ? AND +number > ?
        UNION
        SELECT number FROM users WHERE display_name_key >= ? AND display_name_key < ? AND +number > ?
        ORDER BY number
        LIMIT +?
    ) AS found
    JOIN users ON users.number = found.number
    ORDER BY users.number",
];

pub(super) fn list(
    conn: &mut SqliteConnection,
    prefix: Option<&SearchPrefix>,
    after: Option<UserCursor>,
    limit: Limit,
) -> Result<Page<User, UserCursor>, TxError<RepositoryError>> {
    let after = after.map_or(0, |UserCursor(number)| number);
    let rows: Vec<UserRow> = match prefix {
        None => users::table
            .filter(users::deleted_at.is_null())
            .filter(users::number.gt(after))
            .order(users::number)
            .limit(limit.fetch())
            .select(UserRow::as_select())
            .load(conn)?,
        Some(prefix) => Sql::<UserColumns>::new(SEARCH)
            .text(prefix.as_str())
            .text(prefix.end())
            .integer(after)
            .text(prefix.as_str())
            .text(prefix.end())
            .integer(after)
            .integer(limit.fetch())
            .load(conn)?,
    };
    let users = rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?;
    Ok(Page::from_fetched(users, limit, |user: &User| UserCursor(user.number)))
}

/// The numbered page of all users.
pub(super) fn list_counted(
    conn: &mut SqliteConnection,
    window: Window,
) -> Result<Counted<User>, TxError<RepositoryError>> {
    let present = users::table.filter(users::deleted_at.is_null());
    let total = present.count().get_result(conn)?;
    let rows: Vec<UserRow> = present
        .order(users::number)
        .limit(window.take().into())
        .offset(window.skip())
        .select(UserRow::as_select())
        .load(conn)?;
    let items = rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?;
    Ok(Counted { items, total })
}

const MANY: &[&str] = &[
    "SELECT ",
    UserRow::COLUMNS,
    " FROM users WHERE users.id IN (SELECT unhex(value) FROM json_each(?)) AND users.deleted_at IS NULL",
];

/// Those of the users that are there and not deleted.
pub(super) fn find_many(conn: &mut SqliteConnection, ids: &[UserId]) -> Result<Vec<User>, TxError<RepositoryError>> {
    let ids: Vec<DbId> = ids.iter().copied().map(DbId::from).collect();
    let rows: Vec<UserRow> = Sql::<UserColumns>::new(MANY).text(DbId::hex_list(&ids)).load(conn)?;
    Ok(rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::{MANY, SEARCH};
    use crate::testing::plan;

    #[test]
    fn a_search_looks_at_no_users_but_those_it_finds() {
        let plan = plan(SEARCH);
        let at_users: Vec<_> = plan.iter().filter(|step| step.contains(" users ")).collect();
        assert_eq!(
            at_users,
            [
                "SEARCH users USING COVERING INDEX sqlite_autoindex_users_2 (username_key>? AND username_key<?)",
                "SEARCH users USING COVERING INDEX users_display_name (display_name_key>? AND display_name_key<?)",
                "SEARCH users USING INTEGER PRIMARY KEY (rowid=?)",
            ]
        );
    }

    #[test]
    fn many_users_are_found_by_their_identifiers() {
        let plan = plan(MANY);
        assert_eq!(
            plan[0], "SEARCH users USING INDEX sqlite_autoindex_users_1 (id=?)",
            "{plan:?}"
        );
    }
}
