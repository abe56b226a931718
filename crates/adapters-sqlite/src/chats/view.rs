use super::members::longest_standing;
use super::row::{ChatColumns, ChatRow, MembershipColumns, MembershipRow};
use crate::id::DbId;
use crate::messages;
use crate::moderation::blocked;
use crate::schema::{chats, memberships};
use crate::sessions;
use crate::sql::Sql;
use diesel::prelude::*;
use tertulia_domain::repository::ListChatsError;
use tertulia_domain::{Chat, ChatCursor, ChatView, ClaimedSession, Limit, Membership, Page, Timestamp};
use tertulia_sql_support::TxError;

/// Whose members are shown with a chat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Those of any chat.
    All,
    /// Those of direct chats.
    OfDirectChats,
}

const PAGE: &[&str] = &[
    "SELECT ",
    ChatRow::COLUMNS,
    ", ",
    MembershipRow::COLUMNS,
    " FROM memberships JOIN chats ON chats.id = memberships.chat_id
    WHERE memberships.user_id = ? AND (chats.active_at, chats.id) < (?, ?)
    ORDER BY chats.active_at DESC, chats.id DESC
    LIMIT +?",
];

/// A chat by itself.
pub(crate) fn find_stored<E>(conn: &mut SqliteConnection, chat: DbId) -> Result<Option<Chat>, TxError<E>> {
    let row: Option<ChatRow> = chats::table
        .find(chat)
        .select(ChatRow::as_select())
        .get_result(conn)
        .optional()?;
    Ok(row.map(Chat::try_from).transpose()?)
}

pub(super) fn find<E>(conn: &mut SqliteConnection, chat: DbId, viewer: DbId) -> Result<Option<ChatView>, TxError<E>> {
    let row: Option<ChatRow> = chats::table
        .find(chat)
        .select(ChatRow::as_select())
        .get_result(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let membership: Option<MembershipRow> = memberships::table
        .find((chat, viewer))
        .select(MembershipRow::as_select())
        .get_result(conn)
        .optional()?;
    view(conn, row, membership, Shown::All, true).map(Some)
}

pub(crate) fn list(
    conn: &mut SqliteConnection,
    session: ClaimedSession,
    after: Option<ChatCursor>,
    limit: Limit,
    at: Timestamp,
) -> Result<Page<ChatView, ChatCursor>, TxError<ListChatsError>> {
    let Some(caller) = sessions::find_caller(conn, session, at)? else {
        return Err(TxError::Named(ListChatsError::SessionEnded));
    };
    // No chat is active at the end of time.
    let (active_at, id) = match after {
        Some(cursor) => (cursor.active_at.as_millis(), cursor.id.into()),
        None => (i64::MAX, DbId::NIL),
    };
    let rows: Vec<(ChatRow, MembershipRow)> = Sql::<(ChatColumns, MembershipColumns)>::new(PAGE)
        .id(session.user_id)
        .integer(active_at)
        .id(id)
        .integer(limit.fetch())
        .load(conn)?;
    let mut views = Vec::with_capacity(rows.len());
    for (chat, membership) in rows {
        views.push(view(conn, chat, Some(membership), Shown::OfDirectChats, caller.blocks)?);
    }
    Ok(Page::from_fetched(views, limit, |view: &ChatView| ChatCursor {
        active_at: view.chat.active_at,
        id: view.chat.id,
    }))
}

/// Completes a chat with what stands in other tables. `blocks`: whether one of its parties may block the other.
fn view<E>(
    conn: &mut SqliteConnection,
    row: ChatRow,
    membership: Option<MembershipRow>,
    shown: Shown,
    blocks: bool,
) -> Result<ChatView, TxError<E>> {
    let blocked = match row.direct_low.zip(row.direct_high) {
        Some((low, high)) if blocks => blocked(conn, low, high)?,
        _ => false,
    };
    let chat = Chat::try_from(row)?;
    let id = DbId::from(chat.id);
    let members = if chat.kind.is_group() && shown == Shown::OfDirectChats {
        Vec::new()
    } else {
        longest_standing(conn, id, None, ChatView::PREVIEW_MEMBERS)?
    };
    Ok(ChatView {
        last_message: messages::at(conn, id, chat.last_seq)?,
        membership: membership.map(Membership::try_from).transpose()?,
        members,
        chat,
        blocked,
    })
}

#[cfg(test)]
mod tests {
    use super::PAGE;
    use crate::testing::plan;

    #[test]
    fn a_list_looks_at_the_users_own_chats() {
        let plan = plan(PAGE);
        assert_eq!(plan[0], "SEARCH memberships USING INDEX memberships_user (user_id=?)");
        assert!(
            plan[1].starts_with("SEARCH chats USING INDEX sqlite_autoindex_chats_1 (id=?"),
            "{plan:?}"
        );
        assert_eq!(
            plan[2..],
            ["USE TEMP B-TREE FOR ORDER BY"],
            "the user's chats alone are sorted"
        );
    }
}
