use crate::id::DbId;
use crate::maintenance::{BITE, remove};
use crate::sql::Sql;
use crate::store::Store;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use tertulia_domain::Timestamp;
use tertulia_domain::repository::RepositoryError;

/// Chats with more than one old change, and the newest of those.
const ANCHORS: &[&str] = &["SELECT chat_id, max(event_seq) FROM chat_changes
    WHERE chat_id > ? AND at < ?
    GROUP BY chat_id HAVING count(*) > 1
    ORDER BY chat_id
    LIMIT +?"];

/// Along a chat's numbers times don't go back: what comes before an old change is old.
const BEFORE: &[&str] = &["DELETE FROM chat_changes WHERE chat_id = ? AND event_seq < ?"];

const DEPARTURES: &[&str] = &["DELETE FROM departures WHERE (user_id, chat_id) IN (
        SELECT user_id, chat_id FROM departures WHERE at < ? LIMIT +?
    )"];

const TICKETS: &[&str] = &["DELETE FROM tickets WHERE hash IN (
        SELECT hash FROM tickets WHERE expires_at < ? LIMIT +?
    )"];

const LEASES: &[&str] = &["DELETE FROM node_leases WHERE (user_id, node_id) IN (
        SELECT user_id, node_id FROM node_leases WHERE expires_at < ? LIMIT +?
    )"];

pub(super) async fn purge(store: &Store, before: Timestamp) -> Result<u64, RepositoryError> {
    for statement in [DEPARTURES, TICKETS, LEASES] {
        remove(store, statement, before).await?;
    }
    let (mut removed, mut after) = (0, DbId::NIL);
    loop {
        let anchors = move |conn: &mut SqliteConnection| {
            let anchors = Sql::<(Binary, BigInt)>::new(ANCHORS)
                .id(after)
                .integer(before.as_millis());
            let anchors: Vec<(DbId, i64)> = anchors.integer(BITE.into()).load(conn)?;
            Ok(anchors)
        };
        // Looked for beside the writer: this reads the whole table, and most of it stays.
        let anchors = store.read::<_, RepositoryError, _>(anchors).await?;
        let Some((last, _)) = anchors.last().copied() else {
            return Ok(removed);
        };
        after = last;
        let bite = move |conn: &mut SqliteConnection| {
            let mut rows = 0;
            for (chat, anchor) in anchors {
                rows += Sql::<()>::new(BEFORE).id(chat).integer(anchor).execute(conn)?;
            }
            Ok(rows)
        };
        removed += store.write::<_, RepositoryError, _>(bite).await? as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::ANCHORS;
    use crate::testing::plan;

    #[test]
    fn chats_are_walked_in_the_order_of_the_primary_key() {
        assert_eq!(plan(ANCHORS), ["SEARCH chat_changes USING PRIMARY KEY (chat_id>?)"]);
    }
}
