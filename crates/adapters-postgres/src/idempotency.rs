//! Creations that happen once for each key.

use crate::client::conflict;
use crate::schema::idempotency_keys;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::idempotency::REMEMBERED;
use tertulia_domain::repository::{
    AddMemberError, InsertChatError, InsertFileError, InsertReportError, RepositoryError,
};
use tertulia_domain::{Claim, Recorded, Recording, StoredAnswer, Timestamp};
use tertulia_sql_support::{TxError, inconsistent};

/// Records made before then are as if they were not there.
pub(crate) fn cutoff(claim: &Claim) -> Timestamp {
    claim.at.minus(REMEMBERED)
}

/// Errors that can say that a key stands for another request.
pub(crate) trait KeyReused {
    fn key_reused() -> Self;
}

impl KeyReused for InsertChatError {
    fn key_reused() -> Self {
        Self::KeyReused
    }
}

impl KeyReused for InsertFileError {
    fn key_reused() -> Self {
        Self::KeyReused
    }
}

impl KeyReused for InsertReportError {
    fn key_reused() -> Self {
        Self::KeyReused
    }
}

impl KeyReused for AddMemberError {
    fn key_reused() -> Self {
        Self::KeyReused
    }
}

/// Runs `create` in a transaction, together with what is recorded about it. Where the record is there already, its answer
/// is given and nothing created.
pub(crate) fn create_once<T, E: KeyReused>(
    connection: &mut PgConnection,
    recording: Option<&Recording<T>>,
    create: impl FnOnce(&mut PgConnection) -> Result<T, TxError<E>>,
) -> Result<Recorded<T>, TxError<E>> {
    connection.transaction(|connection| {
        let Some(Recording { claim, encode }) = recording else {
            return create(connection).map(Recorded::Fresh);
        };
        if !take(connection, claim)? {
            return match find(connection, claim)? {
                Some(answer) => Ok(Recorded::Replayed(answer)),
                None => Err(TxError::Named(E::key_reused())),
            };
        }
        let created = create(connection)?;
        record(connection, claim, &encode(&created))?;
        Ok(Recorded::Fresh(created))
    })
}

/// Makes the record, or makes one anew that is past its time. If another transaction is about to do the same, waits for
/// its end.
struct Take;

impl Statement for Take {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, key) DO UPDATE
        SET fingerprint = EXCLUDED.fingerprint, created_at = EXCLUDED.created_at,
            status = NULL, answer = NULL, message = NULL
        WHERE idempotency_keys.created_at < $5";
}

/// False when there is a record already.
fn take(connection: &mut PgConnection, claim: &Claim) -> QueryResult<bool> {
    let taken = prepared::<Take, _>((
        claim.user_id.as_uuid().into_sql::<SqlUuid>(),
        claim.key.as_str().into_sql::<Text>(),
        claim.fingerprint.0[..].into_sql::<Binary>(),
        PgTime(claim.at).into_sql::<Timestamptz>(),
        PgTime(cutoff(claim)).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(taken > 0)
}

/// The answer to the same request; `None` if the record is about another one.
fn find<E>(connection: &mut PgConnection, claim: &Claim) -> Result<Option<StoredAnswer>, TxError<E>> {
    let record = idempotency_keys::table
        .find((claim.user_id.as_uuid(), claim.key.as_str()))
        .select((
            idempotency_keys::fingerprint,
            idempotency_keys::status,
            idempotency_keys::answer,
        ))
        .first::<(Vec<u8>, Option<i16>, Option<Vec<u8>>)>(connection)
        .optional()?;
    match record {
        // Removed since the attempt to take the key.
        None => Err(conflict("an idempotency record that was there is gone").into()),
        Some((fingerprint, Some(status), Some(body))) if fingerprint == claim.fingerprint.0 => {
            let status = u16::try_from(status)
                .map_err(|_| inconsistent("idempotency_keys", claim.key.as_str(), format_args!("status {status}")))?;
            Ok(Some(StoredAnswer { status, body }))
        }
        Some(_) => Ok(None),
    }
}

fn record<E>(connection: &mut PgConnection, claim: &Claim, answer: &StoredAnswer) -> Result<(), TxError<E>> {
    let status = i16::try_from(answer.status).map_err(|error| RepositoryError::Other(Box::new(error)))?;
    diesel::update(idempotency_keys::table.find((claim.user_id.as_uuid(), claim.key.as_str())))
        .set((
            idempotency_keys::status.eq(status),
            idempotency_keys::answer.eq(&answer.body),
        ))
        .execute(connection)?;
    Ok(())
}
