//! Files that nothing uses any more. Whatever ceases to use files ends here.

use super::objects;
use crate::id::DbId;
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Nullable, Text};
use tertulia_domain::Timestamp;

/// True of a file that hangs on no message and is nobody's avatar.
const UNUSED: &str = "
    NOT EXISTS (SELECT 1 FROM message_attachments WHERE file_id = files.id)
    AND NOT EXISTS (SELECT 1 FROM users WHERE avatar_id = files.id)
    AND NOT EXISTS (SELECT 1 FROM chats WHERE avatar_id = files.id)";

const FIND: &[&str] = &[
    "SELECT id FROM files WHERE created_at < ? AND ",
    UNUSED,
    " ORDER BY created_at LIMIT +?",
];

const DELETE_FILE: &[&str] = &["DELETE FROM files WHERE id = ? AND ", UNUSED, " RETURNING digest"];

const DELETE_BLOB: &[&str] = &["DELETE FROM blobs
    WHERE digest = ? AND NOT EXISTS (SELECT 1 FROM files WHERE files.digest = blobs.digest)
    RETURNING object_key, thumbnail_key"];

/// Removes those of the files that nothing uses; objects that no file stands on any more are due at `at`. Gives the
/// number of files that went.
pub(crate) fn release(
    conn: &mut SqliteConnection,
    files: impl IntoIterator<Item = DbId>,
    at: Timestamp,
) -> QueryResult<u64> {
    let mut gone = 0;
    for file in files {
        let digests: Vec<Vec<u8>> = Sql::<Binary>::new(DELETE_FILE).id(file).load(conn)?;
        for digest in digests {
            gone += 1;
            let objects: Vec<(String, Option<String>)> = Sql::<(Text, Nullable<Text>)>::new(DELETE_BLOB)
                .bytes(digest)
                .load(conn)?;
            for (object, thumbnail) in objects {
                objects::announce(conn, &object, at)?;
                if let Some(thumbnail) = thumbnail {
                    objects::announce(conn, &thumbnail, at)?;
                }
            }
        }
    }
    Ok(gone)
}

/// Files from before `before` that nothing uses, oldest first.
pub(super) fn find(conn: &mut SqliteConnection, before: Timestamp, limit: u32) -> QueryResult<Vec<DbId>> {
    Sql::<Binary>::new(FIND)
        .integer(before.as_millis())
        .integer(limit.into())
        .load(conn)
}

#[cfg(test)]
mod tests {
    use super::{DELETE_BLOB, DELETE_FILE, FIND};
    use crate::testing::plan;

    #[test]
    fn uses_are_found_by_their_indexes() {
        for statement in [FIND, DELETE_FILE, DELETE_BLOB] {
            let plan = plan(statement);
            assert!(plan.iter().all(|step| !step.starts_with("SCAN ")), "{plan:?}");
        }
    }
}
