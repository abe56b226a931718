use super::Reader;
use diesel::Queryable;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, Text, Uuid as SqlUuid};
use tertulia_domain::repository::{RepositoryError, StoredFile};
use tertulia_domain::{Digest, Dimensions, File, FileId, FileName, MediaType, ObjectKey, PublicKey};
use uuid::Uuid;

/// A file, and where its bytes are.
#[derive(Queryable)]
pub(crate) struct StoredFileRow {
    id: Uuid,
    name: String,
    public_key: Option<String>,
    digest: Vec<u8>,
    object_key: String,
    size: i64,
    media_type: String,
    width: Option<i32>,
    height: Option<i32>,
    thumbnail_key: Option<String>,
}

pub(crate) type StoredFileColumns = (
    SqlUuid,
    Text,
    Nullable<Text>,
    Binary,
    Text,
    BigInt,
    Text,
    Nullable<Integer>,
    Nullable<Integer>,
    Nullable<Text>,
);

/// Of `files f` and its `blobs b`.
macro_rules! stored_file_columns {
    () => {
        "f.id, f.name, f.public_key, b.digest, b.object_key, b.size, b.media_type, b.width, b.height, b.thumbnail_key"
    };
}
pub(crate) use stored_file_columns;

/// What is shown of `files f` and its `blobs b`, in the form that `tertulia_sql_support::file_from_json` reads.
macro_rules! file_view {
    () => {
        "jsonb_build_object(
            'id', f.id,
            'name', f.name,
            'media_type', b.media_type,
            'size', b.size,
            'width', b.width,
            'height', b.height,
            'public_key', f.public_key
        )"
    };
}
pub(crate) use file_view;

/// Whether `files f` is shared with the user that stands at this place in the statement: by a message or as the avatar of
/// a chat that they are in, or as a user's avatar with everybody.
macro_rules! file_shared {
    ($viewer:literal) => {
        concat!(
            "(EXISTS (
                SELECT FROM message_attachments a
                JOIN memberships p ON p.chat_id = a.chat_id AND p.user_id = ",
            $viewer,
            "
                WHERE a.file_id = f.id
            ) OR EXISTS (
                SELECT FROM users a WHERE a.avatar_id = f.id
            ) OR EXISTS (
                SELECT FROM chats a
                JOIN memberships p ON p.chat_id = a.id AND p.user_id = ",
            $viewer,
            "
                WHERE a.avatar_id = f.id
            ))"
        )
    };
}
pub(crate) use file_shared;

impl TryFrom<StoredFileRow> for StoredFile {
    type Error = RepositoryError;

    fn try_from(row: StoredFileRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "files",
            key: row.id,
        };
        let dimensions = match (row.width.map(u32::try_from), row.height.map(u32::try_from)) {
            (None, None) => None,
            (Some(Ok(width)), Some(Ok(height))) => Some(Dimensions { width, height }),
            _ => return Err(reader.refuse("an image of no possible width and height")),
        };
        Ok(Self {
            file: File {
                id: FileId::from_uuid(row.id),
                name: FileName::restore(row.name).map_err(|error| reader.refuse(error))?,
                media_type: MediaType::new(&row.media_type).map_err(|error| reader.refuse(error))?,
                size: u64::try_from(row.size).map_err(|error| reader.refuse(error))?,
                dimensions,
                public_key: reader.text(row.public_key.as_deref(), PublicKey::new)?,
            },
            digest: match row.digest.try_into() {
                Ok(digest) => Digest(digest),
                Err(_) => return Err(reader.refuse("a digest has 32 bytes")),
            },
            object: ObjectKey::from_string(row.object_key),
            thumbnail: row.thumbnail_key.map(ObjectKey::from_string),
        })
    }
}
