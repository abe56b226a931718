use crate::rows::{
    ChatColumns, ChatRow, MemberColumns, MemberRow, MembershipColumns, MembershipRow, MessageColumns, MessageRow,
    UserColumns, UserRow, chat_blocked, chat_columns, membership_columns, message_columns, message_joins,
    session_lives, user_columns,
};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{ListChatsError, RepositoryError};
use tertulia_domain::{
    Chat, ChatCursor, ChatId, ChatView, ClaimedSession, Limit, Member, Membership, Page, Timestamp, User,
};
use tertulia_sql_support::TxError;
use uuid::Uuid;

/// A page of the caller's chats: no row if the session has ended, one without a chat if the page is empty. A direct chat
/// comes with the other party; the first one is the caller.
struct List;

impl Statement for List {
    type Columns = (
        UserColumns,
        Nullable<(ChatColumns, MembershipColumns, Bool)>,
        Nullable<MessageColumns>,
        Nullable<MemberColumns>,
    );
    const SQL: &'static str = concat!(
        "WITH caller AS (
            SELECT ",
        user_columns!(),
        "
            FROM sessions e JOIN users u ON u.id = e.user_id
            WHERE ",
        session_lives!(),
        "
        ),
        c AS (
            SELECT ",
        chat_columns!(),
        ", ",
        membership_columns!(),
        ", c.direct_low, c.direct_high,
                CASE $2 WHEN c.direct_low THEN c.direct_high WHEN c.direct_high THEN c.direct_low END AS other_id
            FROM memberships p JOIN chats c ON c.id = p.chat_id
            WHERE p.user_id = $2 AND (c.active_at, c.id) < ($4, $5) AND EXISTS (SELECT FROM caller)
            ORDER BY c.active_at DESC, c.id DESC
            LIMIT $6
        )
        SELECT caller.*, ",
        chat_columns!(),
        ", c.chat_id, c.user_id, c.role, c.joined_at, c.read_seq, ",
        chat_blocked!(),
        ", ",
        message_columns!(),
        ", ",
        user_columns!(),
        ", ",
        membership_columns!(),
        "
        FROM caller
        LEFT JOIN c ON true
        LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq
        ",
        message_joins!(),
        "
        LEFT JOIN memberships p ON p.chat_id = c.id AND p.user_id = c.other_id
        LEFT JOIN users u ON u.id = p.user_id
        ORDER BY c.active_at DESC, c.id DESC"
    );
}

#[derive(Queryable)]
struct ListedRow {
    caller: UserRow,
    chat: Option<(ChatRow, MembershipRow, bool)>,
    last_message: Option<MessageRow>,
    other: Option<MemberRow>,
}

pub(super) fn page(
    connection: &mut PgConnection,
    session: ClaimedSession,
    after: Option<ChatCursor>,
    limit: Limit,
    at: Timestamp,
) -> Result<Page<ChatView, ChatCursor>, TxError<ListChatsError>> {
    // Without a cursor the page begins below a place that no chat can have.
    let after = after.unwrap_or(ChatCursor {
        active_at: Timestamp::from_millis(i64::MAX),
        id: ChatId::from_uuid(Uuid::max()),
    });
    let rows = prepared::<List, _>((
        session.session_id.as_uuid().into_sql::<SqlUuid>(),
        session.user_id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
        PgTime(after.active_at).into_sql::<Timestamptz>(),
        after.id.as_uuid().into_sql::<SqlUuid>(),
        limit.fetch().into_sql::<BigInt>(),
    ))
    .load::<ListedRow>(connection)?;
    if rows.is_empty() {
        return Err(TxError::Named(ListChatsError::SessionEnded));
    }
    let views = rows
        .into_iter()
        .filter_map(|row| read(row).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Page::from_fetched(views, limit, |view| ChatCursor {
        active_at: view.chat.active_at,
        id: view.chat.id,
    }))
}

fn read(row: ListedRow) -> Result<Option<ChatView>, RepositoryError> {
    let Some((chat, membership, blocked)) = row.chat else {
        return Ok(None);
    };
    let chat = Chat::try_from(chat)?;
    let membership = Membership::try_from(membership)?;
    let mut members = Vec::new();
    if let Some(other) = row.other {
        let user = User::try_from(row.caller)?;
        members.extend([Member { user, membership }, other.try_into()?]);
        members.sort_by_key(|member: &Member| (member.membership.joined_at, member.user.id));
    }
    Ok(Some(ChatView {
        chat,
        last_message: row.last_message.map(TryInto::try_into).transpose()?,
        membership: Some(membership),
        members,
        blocked,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn everything_is_found_by_key() {
        let types = "uuid, uuid, timestamptz, timestamptz, uuid, bigint";
        let member = id(701);
        let values = format!("{member}, {member}, now(), 'infinity', {}, 51", id(99_999));
        for plan in Sample::create().plans::<List>(types, &values) {
            assert!(!plan.contains("Seq Scan"), "{plan}");
        }
    }
}
