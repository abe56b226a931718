use super::{lock_group, lock_users, touch};
use crate::rows::{MemberColumns, MemberRow, membership_columns, read_all, user_columns};
use crate::schema::{memberships, users};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{AddMember, AddMemberError, NewMember, ReadState, RepositoryError, SetRoleError};
use tertulia_domain::{ChatId, Limit, Member, MemberCursor, MemberRole, Page, Seq, Timestamp, UserId};
use tertulia_sql_support::{TxError, inconsistent};
use uuid::Uuid;

struct List;

impl Statement for List {
    type Columns = MemberColumns;
    const SQL: &'static str = concat!(
        "SELECT ",
        user_columns!(),
        ", ",
        membership_columns!(),
        "
        FROM memberships p JOIN users u ON u.id = p.user_id
        WHERE p.chat_id = $1 AND (p.joined_at, p.user_id) > ($2, $3)
        ORDER BY p.joined_at, p.user_id
        LIMIT (SELECT $4)"
    );
}

/// Reads no message: the newest one's number is in the chat's row. That row is not locked, so the position may already be
/// ahead of what is read there.
struct MarkRead;

impl Statement for MarkRead {
    type Columns = (BigInt, BigInt);
    const SQL: &'static str = "
        UPDATE memberships p SET read_seq = GREATEST(p.read_seq, LEAST($3, c.last_seq))
        FROM chats c
        WHERE p.chat_id = $1 AND p.user_id = $2 AND c.id = p.chat_id
        RETURNING p.read_seq, GREATEST(p.read_seq, c.last_seq)";
}

pub(super) fn page(
    connection: &mut PgConnection,
    id: ChatId,
    after: Option<MemberCursor>,
    limit: Limit,
) -> Result<Page<Member, MemberCursor>, TxError<RepositoryError>> {
    // Without a cursor the page begins behind a place that no member can have.
    let after = after.unwrap_or(MemberCursor {
        joined_at: Timestamp::from_millis(0),
        user_id: UserId::from_uuid(Uuid::nil()),
    });
    let rows = prepared::<List, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(after.joined_at).into_sql::<Timestamptz>(),
        after.user_id.as_uuid().into_sql::<SqlUuid>(),
        limit.fetch().into_sql::<BigInt>(),
    ))
    .load::<MemberRow>(connection)?;
    Ok(Page::from_fetched(read_all(rows)?, limit, |member: &Member| {
        MemberCursor {
            joined_at: member.membership.joined_at,
            user_id: member.user.id,
        }
    }))
}

pub(super) fn find<E>(
    connection: &mut PgConnection,
    id: ChatId,
    user_id: UserId,
) -> Result<Option<Member>, TxError<E>> {
    let row = memberships::table
        .find((id.as_uuid(), user_id.as_uuid()))
        .inner_join(users::table)
        .select(MemberRow::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Member::try_from).transpose()?)
}

pub(super) fn add(connection: &mut PgConnection, new: &NewMember) -> Result<AddMember, TxError<AddMemberError>> {
    let group = lock_group(connection, new.chat_id)?.ok_or(TxError::Named(AddMemberError::ChatNotFound))?;
    if let Some(member) = find(connection, new.chat_id, new.user_id)? {
        return Ok(AddMember { member, added: false });
    }
    if lock_users(connection, &[*new.user_id.as_uuid()])?.is_empty() {
        return Err(TxError::Named(AddMemberError::UserNotFound));
    }
    if group.member_count >= new.most {
        return Err(TxError::Named(AddMemberError::Full));
    }
    diesel::insert_into(memberships::table)
        .values((
            memberships::chat_id.eq(new.chat_id.as_uuid()),
            memberships::user_id.eq(new.user_id.as_uuid()),
            memberships::role.eq(new.role.as_str()),
            memberships::joined_at.eq(PgTime(new.at)),
            memberships::read_seq.eq(group.last_seq),
        ))
        .execute(connection)?;
    touch(connection, new.chat_id, 1, new.at)?;
    match find(connection, new.chat_id, new.user_id)? {
        Some(member) => Ok(AddMember { member, added: true }),
        None => Err(inconsistent("memberships", new.chat_id, "a member who was just added is not there").into()),
    }
}

/// For a transaction.
pub(super) fn set_role(
    connection: &mut PgConnection,
    id: ChatId,
    user_id: UserId,
    role: MemberRole,
    at: Timestamp,
) -> Result<Member, TxError<SetRoleError>> {
    let not_found = || TxError::Named(SetRoleError::MemberNotFound);
    lock_group(connection, id)?.ok_or_else(not_found)?;
    let mut member = find(connection, id, user_id)?.ok_or_else(not_found)?;
    match (member.membership.role, role) {
        (before, after) if before == after => return Ok(member),
        (MemberRole::Owner, _) => return Err(TxError::Named(SetRoleError::OwnerStepsDown)),
        (_, MemberRole::Owner) => hand_over(connection, id, user_id)?,
        _ => write_role(connection, id, user_id, role)?,
    }
    touch(connection, id, 0, at)?;
    member.membership.role = role;
    Ok(member)
}

/// Makes a member of a locked group its owner, and the owner an admin, in this order: at no moment are there two.
fn hand_over(connection: &mut PgConnection, id: ChatId, to: UserId) -> QueryResult<()> {
    diesel::update(memberships::table)
        .filter(memberships::chat_id.eq(id.as_uuid()))
        .filter(memberships::role.eq(MemberRole::Owner.as_str()))
        .set(memberships::role.eq(MemberRole::Admin.as_str()))
        .execute(connection)?;
    write_role(connection, id, to, MemberRole::Owner)
}

/// Gives a member of a locked group a role.
pub(super) fn write_role(
    connection: &mut PgConnection,
    id: ChatId,
    user_id: UserId,
    role: MemberRole,
) -> QueryResult<()> {
    diesel::update(memberships::table.find((id.as_uuid(), user_id.as_uuid())))
        .set(memberships::role.eq(role.as_str()))
        .execute(connection)?;
    Ok(())
}

pub(super) fn mark_read(
    connection: &mut PgConnection,
    id: ChatId,
    user_id: UserId,
    seq: Seq,
) -> Result<Option<ReadState>, TxError<RepositoryError>> {
    let row = prepared::<MarkRead, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        user_id.as_uuid().into_sql::<SqlUuid>(),
        seq.get().into_sql::<BigInt>(),
    ))
    .get_result::<(i64, i64)>(connection)
    .optional()?;
    match row {
        None => Ok(None),
        Some((read_seq, last_seq)) => match (Seq::new(read_seq), Seq::new(last_seq)) {
            (Some(read_seq), Some(last_seq)) => Ok(Some(ReadState { read_seq, last_seq })),
            _ => Err(inconsistent("memberships", id, format_args!("read_seq {read_seq}")).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn a_page_is_a_range_of_an_index() {
        let values = format!("{}, '-infinity', {}, 51", id(500), id(0));
        for plan in Sample::create().plans::<List>("uuid, timestamptz, uuid, bigint", &values) {
            assert!(plan.contains("Index Scan using memberships_standing"), "{plan}");
            for word in ["Seq Scan", "Bitmap", "Sort"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }
}
