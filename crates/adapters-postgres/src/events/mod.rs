//! The events of chats, and who listens.

mod leases;
mod list;
mod purge;
mod tickets;

use crate::client::Client;
use crate::rows::{Reader, blocked_between};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{EventRepository, Events, RepositoryError};
use tertulia_domain::{
    ChatId, ClaimedSession, Departure, EventSeq, NodeId, SessionId, Subscription, Timestamp, UserId,
};
use uuid::Uuid;

/// The events.
pub struct PgEventRepository {
    client: Client,
}

impl PgEventRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

struct Subscriptions;

impl Statement for Subscriptions {
    type Columns = (SqlUuid, BigInt, BigInt, Timestamptz, BigInt, BigInt);
    const SQL: &'static str = "
        SELECT c.id, c.number, c.member_count,
            GREATEST(c.active_at, (
                SELECT x.at FROM chat_changes x WHERE x.chat_id = c.id ORDER BY x.event_seq DESC LIMIT 1
            )),
            p.first_event, c.last_seq + c.change_count
        FROM memberships p JOIN chats c ON c.id = p.chat_id
        WHERE p.user_id = $1";
}

struct LastEvents;

impl Statement for LastEvents {
    type Columns = (SqlUuid, BigInt);
    const SQL: &'static str = "SELECT c.id, c.last_seq + c.change_count FROM chats c WHERE c.id = ANY ($1)";
}

struct Departures;

impl Statement for Departures {
    type Columns = (SqlUuid, BigInt, BigInt, Timestamptz, Bool);
    const SQL: &'static str = "
        SELECT d.chat_id, d.number, d.event_seq, d.at, d.deleted
        FROM departures d
        WHERE d.user_id = $1 AND d.at >= $2
        ORDER BY d.at, d.chat_id";
}

struct LiveSessions;

impl Statement for LiveSessions {
    type Columns = SqlUuid;
    const SQL: &'static str =
        "SELECT e.id FROM sessions e WHERE e.id = ANY ($1) AND (e.expires_at > $2 OR e.expires_at IS NULL)";
}

/// Looks the others up in the user's chats, not the other way round: most of them are in none of these.
struct Acquaintances;

impl Statement for Acquaintances {
    type Columns = SqlUuid;
    const SQL: &'static str = concat!(
        "WITH shared AS MATERIALIZED (
            SELECT DISTINCT o.user_id
            FROM memberships p
            JOIN chats c ON c.id = p.chat_id AND c.member_count <= $3
            JOIN memberships o ON o.chat_id = c.id AND o.user_id = ANY ($2)
            WHERE p.user_id = $1
        )
        SELECT o.user_id FROM shared o WHERE NOT ",
        blocked_between!("$1", "o.user_id")
    );
}

#[async_trait]
impl EventRepository for PgEventRepository {
    async fn subscriptions(&self, user_id: UserId) -> Result<Vec<Subscription>, RepositoryError> {
        self.client
            .run(move |connection| {
                let rows = prepared::<Subscriptions, _>((user_id.as_uuid().into_sql::<SqlUuid>(),))
                    .load::<SubscriptionRow>(connection)?;
                Ok(rows.into_iter().map(subscription).collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn last_events(&self, chats: Vec<ChatId>) -> Result<Vec<(ChatId, EventSeq)>, RepositoryError> {
        let chats: Vec<Uuid> = chats.iter().map(|id| *id.as_uuid()).collect();
        self.client
            .run(move |connection| {
                let rows = prepared::<LastEvents, _>(((&chats).into_sql::<Array<SqlUuid>>(),))
                    .load::<(Uuid, i64)>(connection)?;
                let last = |(id, event)| Ok((ChatId::from_uuid(id), of_chat(id).event(event)?));
                Ok(rows.into_iter().map(last).collect::<Result<_, RepositoryError>>()?)
            })
            .await
    }

    async fn list(&self, chat_id: ChatId, after: EventSeq, limit: u16) -> Result<Events, RepositoryError> {
        self.client
            .run(move |connection| list::events(connection, chat_id, after, limit))
            .await
    }

    async fn departures(&self, user_id: UserId, since: Timestamp) -> Result<Vec<Departure>, RepositoryError> {
        self.client
            .run(move |connection| {
                let rows = prepared::<Departures, _>((
                    user_id.as_uuid().into_sql::<SqlUuid>(),
                    PgTime(since).into_sql::<Timestamptz>(),
                ))
                .load::<(Uuid, i64, i64, PgTime, bool)>(connection)?;
                Ok(rows.into_iter().map(departure).collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn live_sessions(&self, sessions: Vec<SessionId>, at: Timestamp) -> Result<Vec<SessionId>, RepositoryError> {
        let sessions: Vec<Uuid> = sessions.iter().map(|id| *id.as_uuid()).collect();
        self.client
            .run(move |connection| {
                let live = prepared::<LiveSessions, _>((
                    (&sessions).into_sql::<Array<SqlUuid>>(),
                    PgTime(at).into_sql::<Timestamptz>(),
                ))
                .load::<Uuid>(connection)?;
                Ok(live.into_iter().map(SessionId::from_uuid).collect())
            })
            .await
    }

    async fn acquaintances(
        &self,
        user_id: UserId,
        others: Vec<UserId>,
        members: i64,
    ) -> Result<Vec<UserId>, RepositoryError> {
        let others = uuids(&others);
        self.client
            .run(move |connection| {
                let known = prepared::<Acquaintances, _>((
                    user_id.as_uuid().into_sql::<SqlUuid>(),
                    (&others).into_sql::<Array<SqlUuid>>(),
                    members.into_sql::<BigInt>(),
                ))
                .load::<Uuid>(connection)?;
                Ok(user_ids(known))
            })
            .await
    }

    async fn arrive(
        &self,
        node: NodeId,
        users: Vec<UserId>,
        at: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<UserId>, RepositoryError> {
        let users = uuids(&users);
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(leases::arrive(connection, node, &users, at, until)?))
            })
            .await
    }

    async fn depart(&self, node: NodeId, users: Vec<UserId>, at: Timestamp) -> Result<Vec<UserId>, RepositoryError> {
        let users = uuids(&users);
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(leases::depart(connection, node, &users, at)?))
            })
            .await
    }

    async fn renew_leases(&self, node: NodeId, until: Timestamp) -> Result<(), RepositoryError> {
        self.client
            .run(move |connection| Ok(leases::renew(connection, node, until)?))
            .await
    }

    async fn expire_leases(&self, at: Timestamp) -> Result<Vec<UserId>, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| Ok(leases::expire(connection, at)?)))
            .await
    }

    async fn insert_ticket(
        &self,
        hash: [u8; 32],
        session: ClaimedSession,
        expires_at: Timestamp,
    ) -> Result<(), RepositoryError> {
        self.client
            .run(move |connection| Ok(tickets::insert(connection, &hash, session, expires_at)?))
            .await
    }

    async fn redeem_ticket(&self, hash: [u8; 32], at: Timestamp) -> Result<Option<ClaimedSession>, RepositoryError> {
        self.client
            .run(move |connection| Ok(tickets::redeem(connection, &hash, at)?))
            .await
    }

    async fn purge(&self, before: Timestamp) -> Result<u64, RepositoryError> {
        purge::all(&self.client, before).await
    }
}

type SubscriptionRow = (Uuid, i64, i64, PgTime, i64, i64);

fn subscription(
    (id, number, member_count, active_at, first_event, last_event): SubscriptionRow,
) -> Result<Subscription, RepositoryError> {
    Ok(Subscription {
        chat_id: ChatId::from_uuid(id),
        number,
        member_count,
        active_at: active_at.into(),
        first_event: of_chat(id).event(first_event)?,
        last_event: of_chat(id).event(last_event)?,
    })
}

fn departure((chat, number, event, at, deleted): (Uuid, i64, i64, PgTime, bool)) -> Result<Departure, RepositoryError> {
    let reader = Reader {
        table: "departures",
        key: chat,
    };
    Ok(Departure {
        chat_id: ChatId::from_uuid(chat),
        number,
        seq: reader.event(event)?,
        at: at.into(),
        deleted,
    })
}

fn of_chat(id: Uuid) -> Reader<Uuid> {
    Reader {
        table: "chats",
        key: id,
    }
}

/// In order, without repeats.
fn uuids(users: &[UserId]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = users.iter().map(|id| *id.as_uuid()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn user_ids(ids: Vec<Uuid>) -> Vec<UserId> {
    ids.into_iter().map(UserId::from_uuid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn everything_is_found_by_key() {
        let mut sample = Sample::create();
        let (member, others) = (id(701), (1..=200).map(id).collect::<Vec<_>>().join(", "));
        let chats = [id(500), id(501), id(7)].join(", ");
        let mut plans = Vec::new();
        plans.extend(sample.plans::<Subscriptions>("uuid", &member));
        plans.extend(sample.plans::<LastEvents>("uuid[]", &format!("ARRAY[{chats}]")));
        plans.extend(sample.plans::<Departures>("uuid, timestamptz", &format!("{member}, now()")));
        plans.extend(sample.plans::<LiveSessions>("uuid[], timestamptz", &format!("ARRAY[{chats}], now()")));
        let values = format!("{member}, ARRAY[{others}], 50");
        plans.extend(sample.plans::<Acquaintances>("uuid, uuid[], bigint", &values));
        for plan in plans {
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }
}
