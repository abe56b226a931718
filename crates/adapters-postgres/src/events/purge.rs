//! What is too old to be told, removed a bite a transaction.

use crate::client::Client;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::Timestamp;
use tertulia_domain::repository::RepositoryError;
use uuid::Uuid;

/// How many rows a statement looks at.
const BITE: i64 = 1_000;

/// Walks along the index of ages, so that what is kept is passed over once. A change stays that is the last of its chat
/// before that time: the next one is not, or not there. Gives the number of rows that went, and the place of the last one
/// that was looked at.
struct Changes;

impl Statement for Changes {
    type Columns = (BigInt, Timestamptz, SqlUuid, BigInt);
    const SQL: &'static str = "
        WITH bite AS (
            SELECT x.at, x.chat_id, x.event_seq
            FROM chat_changes x
            WHERE (x.at, x.chat_id, x.event_seq) > ($2, $3, $4) AND x.at < $1
            ORDER BY x.at, x.chat_id, x.event_seq
            LIMIT (SELECT $5)
        ),
        gone AS (
            DELETE FROM chat_changes x USING bite
            WHERE x.chat_id = bite.chat_id AND x.event_seq = bite.event_seq AND (
                SELECT y.at FROM chat_changes y
                WHERE y.chat_id = bite.chat_id AND y.event_seq > bite.event_seq
                ORDER BY y.event_seq
                LIMIT 1
            ) < $1
            RETURNING x.chat_id
        )
        SELECT (SELECT count(*) FROM gone), bite.*
        FROM bite
        ORDER BY bite.at DESC, bite.chat_id DESC, bite.event_seq DESC
        LIMIT 1";
}

struct Departures;

impl Statement for Departures {
    type Columns = ();
    const SQL: &'static str = "
        WITH bite AS (
            SELECT user_id, chat_id FROM departures WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM departures d USING bite WHERE d.user_id = bite.user_id AND d.chat_id = bite.chat_id";
}

struct Tickets;

impl Statement for Tickets {
    type Columns = ();
    const SQL: &'static str = "
        WITH bite AS (
            SELECT hash FROM tickets WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM tickets t USING bite WHERE t.hash = bite.hash";
}

/// Of nodes whose end nobody told.
struct Leases;

impl Statement for Leases {
    type Columns = ();
    const SQL: &'static str = "
        WITH bite AS (
            SELECT user_id, node_id FROM node_leases WHERE expires_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
        )
        DELETE FROM node_leases l USING bite WHERE l.user_id = bite.user_id AND l.node_id = bite.node_id";
}

/// Gives the number of events removed.
pub(super) async fn all(client: &Client, before: Timestamp) -> Result<u64, RepositoryError> {
    simple::<Departures>(client, before).await?;
    simple::<Tickets>(client, before).await?;
    simple::<Leases>(client, before).await?;
    let mut removed = 0;
    let mut from = (PgTime(Timestamp::from_millis(0)), Uuid::nil(), 0);
    loop {
        let bite = client
            .run(move |connection| {
                let (at, chat, event) = from;
                Ok::<_, tertulia_sql_support::TxError<RepositoryError>>(
                    prepared::<Changes, _>((
                        PgTime(before).into_sql::<Timestamptz>(),
                        at.into_sql::<Timestamptz>(),
                        chat.into_sql::<SqlUuid>(),
                        event.into_sql::<BigInt>(),
                        BITE.into_sql::<BigInt>(),
                    ))
                    .get_result::<(i64, PgTime, Uuid, i64)>(connection)
                    .optional()?,
                )
            })
            .await?;
        let Some((gone, at, chat, event)) = bite else {
            return Ok(removed);
        };
        removed += gone.unsigned_abs();
        from = (at, chat, event);
    }
}

async fn simple<S: Statement>(client: &Client, before: Timestamp) -> Result<(), RepositoryError> {
    loop {
        let bite: usize = client
            .run(move |connection| {
                let before = PgTime(before).into_sql::<Timestamptz>();
                Ok(prepared::<S, _>((before, BITE.into_sql::<BigInt>())).execute(connection)?)
            })
            .await?;
        if bite == 0 {
            return Ok(());
        }
    }
}
