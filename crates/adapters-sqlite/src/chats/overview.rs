use super::members::longest_standing;
use super::notes;
use super::row::{ChatColumns, ChatRow, MembershipColumns, MembershipRow};
use crate::id::DbId;
use crate::messages::{deleted_after, newest};
use crate::moderation::blocked;
use crate::schema::{chats, memberships};
use crate::sql::Sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use tertulia_domain::repository::{ListOverviews, OverviewOrder, RepositoryError};
use tertulia_domain::{Chat, ChatOverview, Counted, Membership, OverviewMember};
use tertulia_sql_support::TxError;

/// By the viewer's memberships.
const OWN: &str = "
    FROM memberships JOIN chats ON chats.id = memberships.chat_id
    WHERE memberships.user_id = ?";

/// With the viewer's membership where there is one.
const EVERYBODYS: &str = "
    FROM chats LEFT JOIN memberships ON memberships.chat_id = chats.id AND memberships.user_id = ?
    WHERE TRUE";

/// Each first says whether it lets everything through.
const WANTED: &str = "
    AND (? OR chats.kind = 'direct')
    AND (? OR EXISTS (
        SELECT 1 FROM memberships AS theirs WHERE theirs.chat_id = chats.id AND theirs.user_id = ?
    ))";

const PAGE: &str = "
    ORDER BY CASE WHEN ? THEN chats.active_at ELSE chats.updated_at END DESC, chats.id DESC
    LIMIT +? OFFSET +?";

const COUNT_OWN: &[&str] = &["SELECT count(*)", OWN, WANTED];
const COUNT_EVERYBODYS: &[&str] = &["SELECT count(*)", EVERYBODYS, WANTED];

const PAGE_OF_OWN: &[&str] = &[
    "SELECT ",
    ChatRow::COLUMNS,
    ", ",
    MembershipRow::COLUMNS,
    OWN,
    WANTED,
    PAGE,
];
const PAGE_OF_EVERYBODYS: &[&str] = &[
    "SELECT ",
    ChatRow::COLUMNS,
    ", ",
    MembershipRow::COLUMNS,
    EVERYBODYS,
    WANTED,
    PAGE,
];

type Row = (ChatRow, Option<MembershipRow>);

/// A part of a list of chats.
pub(crate) fn list(
    conn: &mut SqliteConnection,
    list: ListOverviews,
) -> Result<Counted<ChatOverview>, TxError<RepositoryError>> {
    let (count, page) = if list.everybodys {
        (COUNT_EVERYBODYS, PAGE_OF_EVERYBODYS)
    } else {
        (COUNT_OWN, PAGE_OF_OWN)
    };
    let total = wanted::<BigInt>(count, list).get_result(conn)?;
    let rows: Vec<Row> = wanted::<(ChatColumns, Nullable<MembershipColumns>)>(page, list)
        .integer((list.order == OverviewOrder::Activity).into())
        .integer(list.window.take().into())
        .integer(list.window.skip())
        .load(conn)?;
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(overview(conn, row, list.members)?);
    }
    Ok(Counted { items, total })
}

fn wanted<ST>(statement: &'static [&'static str], list: ListOverviews) -> Sql<ST> {
    Sql::new(statement)
        .id(list.viewer)
        .integer((!list.direct).into())
        .integer(list.with.is_none().into())
        .id(list.with.map_or(DbId::NIL, DbId::from))
}

/// One chat with its members.
pub(crate) fn find(
    conn: &mut SqliteConnection,
    chat: DbId,
    viewer: DbId,
) -> Result<Option<ChatOverview>, TxError<RepositoryError>> {
    let own = memberships::chat_id.eq(chats::id).and(memberships::user_id.eq(viewer));
    let row: Option<Row> = chats::table
        .left_join(memberships::table.on(own))
        .filter(chats::id.eq(chat))
        .select((ChatRow::as_select(), Option::<MembershipRow>::as_select()))
        .get_result(conn)
        .optional()?;
    row.map(|row| overview(conn, row, true)).transpose()
}

/// Completes a chat with what stands in other tables.
fn overview(
    conn: &mut SqliteConnection,
    (row, membership): Row,
    members_of_groups: bool,
) -> Result<ChatOverview, TxError<RepositoryError>> {
    let blocked = match row.direct_low.zip(row.direct_high) {
        Some((low, high)) => blocked(conn, low, high)?,
        None => false,
    };
    let chat = Chat::try_from(row)?;
    let id = DbId::from(chat.id);
    let members = if members_of_groups || !chat.kind.is_group() {
        members(conn, &chat)?
    } else {
        Vec::new()
    };
    Ok(ChatOverview {
        last_message: newest(conn, id)?,
        note: notes::at(conn, id, chat.last_seq.get())?,
        membership: membership.map(Membership::try_from).transpose()?,
        members,
        chat,
        blocked,
    })
}

fn members(conn: &mut SqliteConnection, chat: &Chat) -> Result<Vec<OverviewMember>, TxError<RepositoryError>> {
    let id = DbId::from(chat.id);
    let members = longest_standing(conn, id, None, ChatOverview::MAX_MEMBERS)?;
    let least = members.iter().map(|member| member.membership.read_seq).min();
    // One look at the deleted messages tells of all members.
    let deleted = deleted_after(conn, id, least.unwrap_or(chat.last_seq).get())?;
    let unread = |member| {
        let Membership { read_seq, .. } = member;
        let later = deleted.len() - deleted.partition_point(|seq| *seq <= read_seq.get());
        let later = i64::try_from(later).unwrap_or(i64::MAX);
        chat.last_seq.distance_from(read_seq).saturating_sub(later)
    };
    let members = members.into_iter().map(|member| OverviewMember {
        unread: unread(member.membership),
        member,
    });
    Ok(members.collect())
}

#[cfg(test)]
mod tests {
    use super::{COUNT_EVERYBODYS, COUNT_OWN, PAGE_OF_EVERYBODYS, PAGE_OF_OWN};
    use crate::testing::plan;

    #[test]
    fn ones_own_chats_are_looked_at_alone() {
        for statement in [COUNT_OWN, PAGE_OF_OWN] {
            let plan = plan(statement);
            assert!(plan[0].starts_with("SEARCH memberships USING "), "{plan:?}");
            assert!(plan[0].ends_with(" INDEX memberships_user (user_id=?)"), "{plan:?}");
            assert!(!plan.iter().any(|step| step.starts_with("SCAN ")), "{plan:?}");
        }
    }

    #[test]
    fn everybodys_chats_are_looked_at_once() {
        for statement in [COUNT_EVERYBODYS, PAGE_OF_EVERYBODYS] {
            let plan = plan(statement);
            let scans = plan.iter().filter(|step| step.starts_with("SCAN "));
            assert_eq!(scans.count(), 1, "{plan:?}");
        }
    }
}
