use crate::rows::{
    ChatColumns, ChatRow, MemberColumns, MemberRow, MembershipColumns, MembershipRow, MessageColumns, MessageRow,
    NoteColumns, NoteRow, chat_blocked, chat_columns, membership_columns, message_columns, message_joins, note_columns,
    user_columns,
};
use crate::statement::{Statement, prepared};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Uuid as SqlUuid};
use std::collections::HashMap;
use tertulia_domain::repository::{ListOverviews, OverviewOrder, RepositoryError};
use tertulia_domain::{Chat, ChatId, ChatOverview, Counted, OverviewMember, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

type Failure = TxError<RepositoryError>;

/// The chats to choose from, for the viewer $1: those that $2, if there is one, is in too, and only direct ones if $3.
macro_rules! mine {
    () => {
        concat!(
            "FROM memberships v JOIN chats c ON c.id = v.chat_id WHERE v.user_id = $1 AND ",
            chosen!()
        )
    };
}

/// The same of everybody's.
macro_rules! everybodys {
    () => {
        concat!("FROM chats c WHERE ", chosen!())
    };
}

macro_rules! chosen {
    () => {
        "($2 IS NULL OR EXISTS (SELECT FROM memberships w WHERE w.chat_id = c.id AND w.user_id = $2))
         AND (NOT $3 OR c.kind = 'direct')"
    };
}

/// The place of `chats c` in the list: by change if $4, else by activity.
macro_rules! order {
    () => {
        "CASE WHEN $4 THEN c.updated_at ELSE c.active_at END DESC, c.id DESC"
    };
}

/// Chats as `$from` finds them, for the viewer $1.
macro_rules! overviews {
    ($from:expr, $order:expr) => {
        concat!(
            "SELECT ",
            chat_columns!(),
            ", ",
            chat_blocked!(),
            ", own.*, ",
            message_columns!(),
            ", ",
            note_columns!(),
            "
            FROM (SELECT c.* ",
            $from,
            ") c
            LEFT JOIN LATERAL (
                SELECT ",
            membership_columns!(),
            "
                FROM memberships p WHERE p.chat_id = c.id AND p.user_id = $1
            ) own ON true
            LEFT JOIN LATERAL (
                SELECT m.* FROM messages m
                WHERE m.chat_id = c.id AND m.deleted_at IS NULL
                ORDER BY m.seq DESC
                LIMIT 1
            ) m ON true
            ",
            message_joins!(),
            "
            LEFT JOIN chat_notes n ON n.chat_id = c.id AND n.seq = c.last_seq
            ORDER BY ",
            $order
        )
    };
}

type Columns = (
    ChatColumns,
    Bool,
    Nullable<MembershipColumns>,
    Nullable<MessageColumns>,
    Nullable<NoteColumns>,
);

struct Mine;

impl Statement for Mine {
    type Columns = Columns;
    const SQL: &'static str = overviews!(
        concat!(mine!(), " ORDER BY ", order!(), " OFFSET $5 LIMIT $6"),
        order!()
    );
}

struct CountMine;

impl Statement for CountMine {
    type Columns = BigInt;
    const SQL: &'static str = concat!("SELECT count(*) ", mine!());
}

struct Everybodys;

impl Statement for Everybodys {
    type Columns = Columns;
    const SQL: &'static str = overviews!(
        concat!(everybodys!(), " ORDER BY ", order!(), " OFFSET $5 LIMIT $6"),
        order!()
    );
}

struct CountEverybodys;

impl Statement for CountEverybodys {
    type Columns = BigInt;
    const SQL: &'static str = concat!("SELECT count(*) ", everybodys!());
}

struct Find;

impl Statement for Find {
    type Columns = Columns;
    const SQL: &'static str = overviews!("FROM chats c WHERE c.id = $2", "c.id");
}

/// The longest-standing members of chats, at most $2 of each, with what they have not read.
struct Members;

impl Statement for Members {
    type Columns = (SqlUuid, MemberColumns, BigInt);
    const SQL: &'static str = concat!(
        "SELECT p.chat_id, ",
        user_columns!(),
        ", ",
        membership_columns!(),
        ",
            c.last_seq - p.read_seq - (
                SELECT count(*) FROM messages m
                WHERE m.chat_id = p.chat_id AND m.seq > p.read_seq AND m.deleted_at IS NOT NULL
            )
        FROM unnest($1) AS wanted (id)
        JOIN chats c ON c.id = wanted.id
        CROSS JOIN LATERAL (
            SELECT ",
        membership_columns!(),
        "
            FROM memberships p WHERE p.chat_id = c.id
            ORDER BY p.joined_at, p.user_id
            LIMIT (SELECT $2)
        ) p
        JOIN users u ON u.id = p.user_id
        ORDER BY p.chat_id, p.joined_at, p.user_id"
    );
}

#[derive(Queryable)]
struct OverviewRow {
    chat: ChatRow,
    blocked: bool,
    own: Option<MembershipRow>,
    last_message: Option<MessageRow>,
    note: Option<NoteRow>,
}

/// For a transaction that sees the database at one moment.
pub(super) fn page(connection: &mut PgConnection, list: &ListOverviews) -> Result<Counted<ChatOverview>, Failure> {
    let (total, rows) = if list.everybodys {
        (
            count::<CountEverybodys>(connection, list)?,
            load::<Everybodys>(connection, list)?,
        )
    } else {
        (count::<CountMine>(connection, list)?, load::<Mine>(connection, list)?)
    };
    let mut items = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    add_members(connection, &mut items, list.members)?;
    Ok(Counted { items, total })
}

/// The same.
pub(super) fn find(connection: &mut PgConnection, id: ChatId, viewer: UserId) -> Result<Option<ChatOverview>, Failure> {
    let row = prepared::<Find, _>((
        viewer.as_uuid().into_sql::<SqlUuid>(),
        id.as_uuid().into_sql::<SqlUuid>(),
    ))
    .get_result::<OverviewRow>(connection)
    .optional()?;
    let mut found = row.map(read).transpose()?;
    add_members(connection, found.as_mut_slice(), true)?;
    Ok(found)
}

fn count<S: Statement<Columns = BigInt>>(connection: &mut PgConnection, list: &ListOverviews) -> QueryResult<i64> {
    prepared::<S, _>((
        list.viewer.as_uuid().into_sql::<SqlUuid>(),
        list.with.as_ref().map(UserId::as_uuid).into_sql::<Nullable<SqlUuid>>(),
        list.direct.into_sql::<Bool>(),
    ))
    .get_result(connection)
}

fn load<S: Statement<Columns = Columns>>(
    connection: &mut PgConnection,
    list: &ListOverviews,
) -> QueryResult<Vec<OverviewRow>> {
    prepared::<S, _>((
        list.viewer.as_uuid().into_sql::<SqlUuid>(),
        list.with.as_ref().map(UserId::as_uuid).into_sql::<Nullable<SqlUuid>>(),
        list.direct.into_sql::<Bool>(),
        (list.order == OverviewOrder::Change).into_sql::<Bool>(),
        list.window.skip().into_sql::<BigInt>(),
        i64::from(list.window.take()).into_sql::<BigInt>(),
    ))
    .load(connection)
}

fn read(row: OverviewRow) -> Result<ChatOverview, RepositoryError> {
    let chat = Chat::try_from(row.chat)?;
    Ok(ChatOverview {
        blocked: row.blocked,
        last_message: row.last_message.map(TryInto::try_into).transpose()?,
        note: row.note.map(TryInto::try_into).transpose()?,
        membership: row.own.map(TryInto::try_into).transpose()?,
        members: Vec::new(),
        chat,
    })
}

/// Gives direct chats their members, and groups if they are to have theirs.
fn add_members(connection: &mut PgConnection, overviews: &mut [ChatOverview], of_groups: bool) -> Result<(), Failure> {
    let ids: Vec<Uuid> = overviews
        .iter()
        .filter(|overview| of_groups || !overview.chat.kind.is_group())
        .map(|overview| *overview.chat.id.as_uuid())
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let rows = prepared::<Members, _>((
        (&ids).into_sql::<Array<SqlUuid>>(),
        ChatOverview::MAX_MEMBERS.into_sql::<BigInt>(),
    ))
    .load::<(Uuid, MemberRow, i64)>(connection)?;
    let mut members: HashMap<ChatId, Vec<OverviewMember>> = HashMap::new();
    for (chat_id, member, unread) in rows {
        let member = member.try_into()?;
        let of_chat = members.entry(ChatId::from_uuid(chat_id)).or_default();
        of_chat.push(OverviewMember { member, unread });
    }
    for overview in overviews {
        overview.members = members.remove(&overview.chat.id).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn everything_is_found_by_key() {
        let mut sample = Sample::create();
        let list = "uuid, uuid, boolean, boolean, bigint, bigint";
        let mine = format!("{}, {}, false, true, 5, 50", id(701), id(1));
        let mut plans = Vec::from(sample.plans::<Mine>(list, &mine));
        plans.extend(sample.plans::<CountMine>("uuid, uuid, boolean", &format!("{}, NULL, false", id(701))));
        plans.extend(sample.plans::<Find>("uuid, uuid", &format!("{}, {}", id(701), id(500))));
        let members = format!("ARRAY[{}, {}], 1000", id(500), id(7));
        plans.extend(sample.plans::<Members>("uuid[], bigint", &members));
        for plan in plans {
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }
}
