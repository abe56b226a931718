use crate::rows::{SessionColumns, SessionRow, UserColumns, UserRow, session_columns, user_columns};
use crate::schema::sessions;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{RepositoryError, RotateRefresh, Rotation};
use tertulia_sql_support::TxError;

/// Puts the next secret in the place of the one that was presented.
struct Rotate;

impl Statement for Rotate {
    type Columns = (SessionColumns, UserColumns);
    const SQL: &'static str = concat!(
        "WITH e AS (
            UPDATE sessions
            SET refresh_secret = $4, last_used_at = GREATEST(last_used_at, $5), expires_at = $6
            WHERE id = $1 AND refresh_family = $2 AND refresh_secret = $3 AND expires_at > $5
            RETURNING *
        )
        SELECT ",
        session_columns!(),
        ", ",
        user_columns!(),
        " FROM e JOIN users u ON u.id = e.user_id"
    );
}

/// Two statements, of which at most one changes anything.
pub(super) fn rotate(
    connection: &mut PgConnection,
    rotation: &RotateRefresh,
) -> Result<Rotation, TxError<RepositoryError>> {
    // Of two with one token the second waits here for the first, and then finds another secret.
    let rotated = prepared::<Rotate, _>((
        rotation.session_id.as_uuid().into_sql::<SqlUuid>(),
        rotation.presented.family[..].into_sql::<Binary>(),
        rotation.presented.secret[..].into_sql::<Binary>(),
        rotation.next_secret[..].into_sql::<Binary>(),
        PgTime(rotation.at).into_sql::<Timestamptz>(),
        PgTime(rotation.expires_at).into_sql::<Timestamptz>(),
    ))
    .get_result::<(SessionRow, UserRow)>(connection)
    .optional()?;
    if let Some((session, user)) = rotated {
        return Ok(Rotation::Rotated {
            session: session.try_into()?,
            user: Box::new(user.try_into()?),
        });
    }
    let ended = diesel::delete(sessions::table.find(rotation.session_id.as_uuid()))
        .filter(sessions::refresh_family.eq(&rotation.presented.family[..]))
        .filter(sessions::refresh_secret.ne(&rotation.presented.secret[..]))
        .filter(sessions::expires_at.gt(PgTime(rotation.at)))
        .execute(connection)?;
    Ok(if ended > 0 { Rotation::Reused } else { Rotation::Unknown })
}
