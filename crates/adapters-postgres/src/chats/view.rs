use crate::rows::{
    ChatColumns, ChatRow, MemberColumns, MemberRow, MembershipColumns, MembershipRow, MessageColumns, MessageRow,
    chat_blocked, chat_columns, membership_columns, message_columns, message_joins, user_columns,
};
use crate::statement::{Statement, prepared};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Uuid as SqlUuid};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{ChatId, ChatView, UserId};
use tertulia_sql_support::TxError;

/// A chat with everything that a view shows: a row for each member in the preview, all with the same chat.
struct View;

impl Statement for View {
    type Columns = (
        ChatColumns,
        Bool,
        Nullable<MembershipColumns>,
        Nullable<MessageColumns>,
        Nullable<MemberColumns>,
    );
    const SQL: &'static str = concat!(
        "SELECT ",
        chat_columns!(),
        ", ",
        chat_blocked!(),
        ", own.*, ",
        message_columns!(),
        ", ",
        user_columns!(),
        ", ",
        membership_columns!(),
        "
        FROM chats c
        LEFT JOIN LATERAL (
            SELECT ",
        membership_columns!(),
        "
            FROM memberships p WHERE p.chat_id = c.id AND p.user_id = $2
        ) own ON true
        LEFT JOIN messages m ON m.chat_id = c.id AND m.seq = c.last_seq
        ",
        message_joins!(),
        "
        LEFT JOIN LATERAL (
            SELECT ",
        membership_columns!(),
        "
            FROM memberships p WHERE p.chat_id = c.id
            ORDER BY p.joined_at, p.user_id
            LIMIT (SELECT $3)
        ) p ON true
        LEFT JOIN users u ON u.id = p.user_id
        WHERE c.id = $1
        ORDER BY p.joined_at, p.user_id"
    );
}

#[derive(Queryable)]
struct ViewRow {
    chat: ChatRow,
    blocked: bool,
    own: Option<MembershipRow>,
    last_message: Option<MessageRow>,
    member: Option<MemberRow>,
}

/// The chat as `viewer` sees it, with member preview.
pub(super) fn find<E>(
    connection: &mut PgConnection,
    id: ChatId,
    viewer: UserId,
) -> Result<Option<ChatView>, TxError<E>> {
    let rows = prepared::<View, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        viewer.as_uuid().into_sql::<SqlUuid>(),
        ChatView::PREVIEW_MEMBERS.into_sql::<BigInt>(),
    ))
    .load::<ViewRow>(connection)?;
    Ok(read(rows)?)
}

fn read(rows: Vec<ViewRow>) -> Result<Option<ChatView>, RepositoryError> {
    let mut rows = rows.into_iter();
    let Some(first) = rows.next() else { return Ok(None) };
    let members = [first.member].into_iter().chain(rows.map(|row| row.member));
    Ok(Some(ChatView {
        chat: first.chat.try_into()?,
        last_message: first.last_message.map(TryInto::try_into).transpose()?,
        membership: first.own.map(TryInto::try_into).transpose()?,
        members: members.flatten().map(TryInto::try_into).collect::<Result<_, _>>()?,
        blocked: first.blocked,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn everything_is_found_by_key() {
        let values = format!("{}, {}, 10", id(500), id(701));
        for plan in Sample::create().plans::<View>("uuid, uuid, bigint", &values) {
            for word in ["Seq Scan", "Bitmap"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }
}
