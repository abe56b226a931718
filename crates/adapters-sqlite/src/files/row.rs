use crate::id::DbId;
use crate::schema::{blobs, files};
use crate::sql::Sql;
use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::{RepositoryError, StoredFile};
use tertulia_domain::{Digest, Dimensions, File, FileName, FileStanding, MediaType, ObjectKey, PublicKey};
use tertulia_sql_support::inconsistent;

#[derive(Queryable, Selectable)]
#[diesel(table_name = files, check_for_backend(Sqlite))]
pub(crate) struct FileRow {
    id: DbId,
    name: String,
    public_key: Option<String>,
}

/// What a file stands on.
#[derive(Queryable, Selectable)]
#[diesel(table_name = blobs, check_for_backend(Sqlite))]
pub(crate) struct BlobRow {
    digest: Vec<u8>,
    object_key: String,
    size: i64,
    media_type: String,
    width: Option<i64>,
    height: Option<i64>,
    thumbnail_key: Option<String>,
}

/// A file with what it stands on.
#[derive(Queryable, Selectable)]
#[diesel(check_for_backend(Sqlite))]
pub(crate) struct StoredRow {
    #[diesel(embed)]
    file: FileRow,
    #[diesel(embed)]
    blob: BlobRow,
}

/// How somebody stands to a file, without their role in the whole service.
#[derive(Clone, Copy, Queryable)]
pub(crate) struct Standing {
    pub(crate) owner: bool,
    pub(crate) shared: bool,
}

impl From<Standing> for FileStanding {
    fn from(standing: Standing) -> Self {
        Self {
            owner: standing.owner,
            shared: standing.shared,
            service_admin: false,
        }
    }
}

type StoredColumns = SqlTypeOf<<StoredRow as Selectable<Sqlite>>::SelectExpression>;

/// A file hangs on few messages, and a user may be in many chats: the chats of the file are asked for the user.
const FIND: &[&str] = &["
    SELECT f.id, f.name, f.public_key,
        b.digest, b.object_key, b.size, b.media_type, b.width, b.height, b.thumbnail_key,
        f.owner_id = ?,
        EXISTS (
            SELECT 1 FROM message_attachments AS a
            CROSS JOIN memberships AS m ON m.chat_id = a.chat_id AND m.user_id = ?
            WHERE a.file_id = f.id
        ) OR EXISTS (
            SELECT 1 FROM users WHERE avatar_id = f.id
        ) OR EXISTS (
            SELECT 1 FROM chats AS c
            CROSS JOIN memberships AS m ON m.chat_id = c.id AND m.user_id = ?
            WHERE c.avatar_id = f.id
        )
    FROM files AS f
    JOIN blobs AS b ON b.digest = f.digest
    WHERE f.id = ?"];

/// A file, and how that user stands to it.
pub(crate) fn find_with_standing(
    conn: &mut SqliteConnection,
    file: DbId,
    viewer: DbId,
) -> QueryResult<Option<(StoredRow, Standing)>> {
    Sql::<(StoredColumns, (Bool, Bool))>::new(FIND)
        .id(viewer)
        .id(viewer)
        .id(viewer)
        .id(file)
        .get_result(conn)
        .optional()
}

pub(super) fn find_public(conn: &mut SqliteConnection, key: &str) -> QueryResult<Option<StoredRow>> {
    files::table
        .inner_join(blobs::table)
        .filter(files::public_key.eq(key))
        .select(StoredRow::as_select())
        .get_result(conn)
        .optional()
}

/// A file of that identifier, if that user uploaded it.
pub(crate) fn owned(conn: &mut SqliteConnection, file: DbId, owner: DbId) -> QueryResult<Option<StoredRow>> {
    files::table
        .inner_join(blobs::table)
        .filter(files::id.eq(file))
        .filter(files::owner_id.eq(owner))
        .select(StoredRow::as_select())
        .get_result(conn)
        .optional()
}

impl TryFrom<StoredRow> for StoredFile {
    type Error = RepositoryError;

    fn try_from(StoredRow { file, blob }: StoredRow) -> Result<Self, RepositoryError> {
        let id = file.id;
        let refuse = |why: &dyn Display| inconsistent("files", id, why);
        let public_key = file.public_key.as_deref().map(PublicKey::new).transpose();
        let digest = blob.digest.try_into().map(Digest);
        Ok(Self {
            file: File {
                id: id.into(),
                name: FileName::restore(file.name).map_err(|why| refuse(&why))?,
                media_type: MediaType::new(&blob.media_type).map_err(|why| refuse(&why))?,
                size: u64::try_from(blob.size).map_err(|why| refuse(&why))?,
                dimensions: dimensions(blob.width, blob.height).map_err(|why| refuse(&why))?,
                public_key: public_key.map_err(|why| refuse(&why))?,
            },
            digest: digest.map_err(|_| refuse(&"the digest has not 32 bytes"))?,
            object: ObjectKey::from_string(blob.object_key),
            thumbnail: blob.thumbnail_key.map(ObjectKey::from_string),
        })
    }
}

impl TryFrom<StoredRow> for File {
    type Error = RepositoryError;

    fn try_from(row: StoredRow) -> Result<Self, RepositoryError> {
        StoredFile::try_from(row).map(|stored| stored.file)
    }
}

fn dimensions(width: Option<i64>, height: Option<i64>) -> Result<Option<Dimensions>, std::num::TryFromIntError> {
    let (Some(width), Some(height)) = (width, height) else {
        return Ok(None);
    };
    Ok(Some(Dimensions {
        width: width.try_into()?,
        height: height.try_into()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::FIND;
    use crate::testing::plan;

    #[test]
    fn a_file_is_found_without_a_scan() {
        let plan = plan(FIND);
        assert!(!plan.iter().any(|step| step.starts_with("SCAN ")), "{plan:?}");
        let keys = plan.iter().filter(|step| step.contains("(chat_id=? AND user_id=?)"));
        assert_eq!(keys.count(), 2, "{plan:?}");
    }
}
