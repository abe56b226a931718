use super::objects;
use super::row::owned;
use crate::id::DbId;
use crate::schema::{blobs, files};
use crate::users::exists_undeleted;
use diesel::dsl::exists;
use diesel::prelude::*;
use tertulia_domain::repository::{NewFile, RepositoryError};
use tertulia_domain::{File, PublicKey};
use tertulia_sql_support::{TxError, inconsistent};

pub(super) fn insert<E>(conn: &mut SqliteConnection, new: &NewFile) -> Result<Option<File>, TxError<E>> {
    let (id, owner) = (DbId::from(new.id), DbId::from(new.owner));
    if !exists_undeleted(conn, owner)? || !objects::is_announced(conn, new.object.as_str(), new.at)? {
        return Ok(None);
    }
    let digest = new.digest.0.as_slice();
    if diesel::select(exists(blobs::table.find(digest))).get_result(conn)? {
        // The same bytes are there already: nobody needs these.
        objects::announce(conn, new.object.as_str(), new.at)?;
    } else {
        objects::adopt(conn, new.object.as_str())?;
        insert_blob(conn, new)?;
    }
    diesel::insert_into(files::table)
        .values((
            files::id.eq(id),
            files::owner_id.eq(owner),
            files::name.eq(new.name.as_str()),
            files::digest.eq(digest),
            files::public_key.eq(new.public_key.as_ref().map(PublicKey::as_str)),
            files::created_at.eq(new.at.as_millis()),
        ))
        .execute(conn)?;
    match owned(conn, id, owner)? {
        Some(row) => Ok(Some(row.try_into()?)),
        None => Err(inconsistent("files", id, "it can't be read back").into()),
    }
}

fn insert_blob<E>(conn: &mut SqliteConnection, new: &NewFile) -> Result<(), TxError<E>> {
    let size = i64::try_from(new.size).map_err(|error| RepositoryError::Other(Box::new(error)))?;
    diesel::insert_into(blobs::table)
        .values((
            blobs::digest.eq(new.digest.0.as_slice()),
            blobs::object_key.eq(new.object.as_str()),
            blobs::size.eq(size),
            blobs::media_type.eq(new.media_type.as_str()),
            blobs::width.eq(new.dimensions.map(|dimensions| i64::from(dimensions.width))),
            blobs::height.eq(new.dimensions.map(|dimensions| i64::from(dimensions.height))),
            blobs::thumbnail_due_at.eq(new.dimensions.map(|_| new.at.as_millis())),
        ))
        .execute(conn)?;
    Ok(())
}
