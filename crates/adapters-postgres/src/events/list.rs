use crate::client::conflict;
use crate::rows::{
    ChatColumns, ChatRow, MessageColumns, MessageRow, UserRow, chat_columns, message_columns, message_joins, read_all,
};
use crate::schema::users;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{Events, RepositoryError};
use tertulia_domain::{Chat, ChatId, EventSeq, Message, Seq, User, UserId};
use tertulia_sql_support::{ChangeRow, Head, Mark, Shown, Stretch, TxError};
use uuid::Uuid;

/// A chat, and its newest change up to a place. Whatever is read afterwards is no newer than that.
struct Base;

impl Statement for Base {
    type Columns = (ChatColumns, Nullable<MarkColumns>);
    const SQL: &'static str = concat!(
        "SELECT ",
        chat_columns!(),
        ", x.event_seq, x.seq, x.at
        FROM chats c LEFT JOIN LATERAL (
            SELECT x.event_seq, x.seq, x.at
            FROM chat_changes x
            WHERE x.chat_id = c.id AND x.event_seq <= $2
            ORDER BY x.event_seq DESC
            LIMIT 1
        ) x ON true
        WHERE c.id = $1"
    );
}

struct Changes;

impl Statement for Changes {
    type Columns = (MarkColumns, Text, Nullable<SqlUuid>, Nullable<BigInt>, Nullable<Text>);
    const SQL: &'static str = "
        SELECT x.event_seq, x.seq, x.at, x.kind, x.user_id, x.number, x.role
        FROM chat_changes x
        WHERE x.chat_id = $1 AND x.event_seq > $2 AND x.event_seq <= $3
        ORDER BY x.event_seq
        LIMIT (SELECT $4)";
}

struct Created;

impl Statement for Created {
    type Columns = MessageColumns;
    const SQL: &'static str = concat!(
        "SELECT ",
        message_columns!(),
        " FROM messages m ",
        message_joins!(),
        " WHERE m.chat_id = $1 AND m.seq > $2 ORDER BY m.seq LIMIT (SELECT $3)"
    );
}

struct Changed;

impl Statement for Changed {
    type Columns = MessageColumns;
    const SQL: &'static str = concat!(
        "SELECT ",
        message_columns!(),
        " FROM messages m ",
        message_joins!(),
        " WHERE m.chat_id = $1 AND m.seq = ANY ($2)"
    );
}

type MarkColumns = (BigInt, BigInt, Timestamptz);

#[derive(Queryable)]
struct MarkRow {
    event_seq: i64,
    seq: i64,
    at: PgTime,
}

impl From<MarkRow> for Mark {
    fn from(row: MarkRow) -> Self {
        Self {
            event_seq: row.event_seq,
            seq: row.seq,
            at: row.at.into(),
        }
    }
}

#[derive(Queryable)]
struct StoredChange {
    mark: MarkRow,
    kind: String,
    user_id: Option<Uuid>,
    number: Option<i64>,
    role: Option<String>,
}

impl From<StoredChange> for ChangeRow {
    fn from(row: StoredChange) -> Self {
        Self {
            mark: row.mark.into(),
            kind: row.kind,
            user_id: row.user_id.map(UserId::from_uuid),
            number: row.number,
            role: row.role,
        }
    }
}

pub(super) fn events(
    connection: &mut PgConnection,
    id: ChatId,
    after: EventSeq,
    limit: u16,
) -> Result<Events, TxError<RepositoryError>> {
    let key = id.as_uuid().into_sql::<SqlUuid>();
    let base = prepared::<Base, _>((key, after.get().into_sql::<BigInt>()))
        .get_result::<(ChatRow, Option<MarkRow>)>(connection)
        .optional()?;
    let Some((chat, base)) = base else {
        return Ok(Events::NoChat);
    };
    let chat = Chat::try_from(chat)?;
    let last = chat.last_event;
    let head = Head {
        last_seq: chat.last_seq.get(),
        change_count: last.get() - chat.last_seq.get(),
    };
    let changes = prepared::<Changes, _>((
        key,
        after.get().into_sql::<BigInt>(),
        last.get().into_sql::<BigInt>(),
        i64::from(limit).into_sql::<BigInt>(),
    ))
    .load::<StoredChange>(connection)?;
    let changes: Vec<ChangeRow> = changes.into_iter().map(Into::into).collect();
    let Some(stretch) = Stretch::new(id, head, after, limit, base.map(Into::into), &changes)? else {
        return Ok(Events::Forgotten);
    };
    let (first, count) = stretch.messages();
    let created = created(connection, id, first, count)?;
    let shown = Shown {
        chat,
        users: shown_users(connection, &stretch.users())?,
        messages: changed(connection, id, &stretch.changed_messages())?,
    };
    let events = stretch.tell(created, shown)?;
    Ok(Events::Listed { events, last })
}

/// So many messages after a place, which are there.
fn created(
    connection: &mut PgConnection,
    id: ChatId,
    after: i64,
    count: i64,
) -> Result<Vec<Message>, TxError<RepositoryError>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let rows = prepared::<Created, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        after.into_sql::<BigInt>(),
        count.into_sql::<BigInt>(),
    ))
    .load::<MessageRow>(connection)?;
    complete(rows, count)
}

/// The messages of these numbers, which are there.
fn changed(connection: &mut PgConnection, id: ChatId, seqs: &[Seq]) -> Result<Vec<Message>, TxError<RepositoryError>> {
    if seqs.is_empty() {
        return Ok(Vec::new());
    }
    let seqs: Vec<i64> = seqs.iter().map(|seq| seq.get()).collect();
    let rows = prepared::<Changed, _>((id.as_uuid().into_sql::<SqlUuid>(), (&seqs).into_sql::<Array<BigInt>>()))
        .load::<MessageRow>(connection)?;
    complete(rows, i64::try_from(seqs.len()).unwrap_or(i64::MAX))
}

/// Messages go only with their chat.
fn complete(rows: Vec<MessageRow>, count: i64) -> Result<Vec<Message>, TxError<RepositoryError>> {
    if i64::try_from(rows.len()).is_ok_and(|found| found < count) {
        return Err(conflict("a chat that was there is gone").into());
    }
    Ok(read_all(rows)?)
}

fn shown_users(connection: &mut PgConnection, ids: &[UserId]) -> Result<Vec<User>, TxError<RepositoryError>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = users::table
        .filter(users::id.eq_any(ids.iter().map(UserId::as_uuid)))
        .select(UserRow::as_select())
        .load(connection)?;
    Ok(read_all(rows)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn events_are_ranges_of_two_primary_keys() {
        let mut sample = Sample::create();
        let chat = id(500);
        for after in [0, 52, 4_000, 7_900] {
            let values = format!("{chat}, {after}");
            for plan in sample.plans::<Base>("uuid, bigint", &values) {
                assert!(
                    after == 0
                        || plan
                            .contains("Index Scan Backward using chat_changes_pkey on chat_changes x (actual rows=1 "),
                    "{plan}"
                );
                assert_by_key(&plan);
            }
            for plan in sample.plans::<Changes>("uuid, bigint, bigint, bigint", &format!("{values}, 8000, 50")) {
                assert!(
                    plan.contains("Index Scan using chat_changes_pkey on chat_changes x (actual rows=50 "),
                    "no more is read than is asked for: {plan}"
                );
                assert_by_key(&plan);
            }
            let values = format!("{chat}, {}, 50", after / 2);
            for plan in sample.plans::<Created>("uuid, bigint, bigint", &values) {
                assert!(
                    plan.contains("Index Scan using messages_pkey on messages m (actual rows=50 "),
                    "no more is read than is asked for: {plan}"
                );
                assert_by_key(&plan);
            }
        }
        for plan in sample.plans::<Changed>("uuid, bigint[]", &format!("{chat}, ARRAY[7, 400, 3999]")) {
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }

    fn assert_by_key(plan: &str) {
        for word in ["Sort", "Seq Scan", "Bitmap"] {
            assert!(!plan.contains(word), "{word} in {plan}");
        }
    }
}
