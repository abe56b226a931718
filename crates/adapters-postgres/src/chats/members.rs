use super::{lock_group, lock_users, touch};
use crate::changes::{arrive, count_changes, insert_change, record};
use crate::rows::{MemberColumns, MemberRow, membership_columns, read_all, user_columns};
use crate::schema::{memberships, users};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{AddMember, AddMemberError, NewMember, ReadState, RepositoryError, SetRoleError};
use tertulia_domain::{ChatId, Limit, Member, MemberCursor, MemberRole, Page, Seq, Timestamp, UserId};
use tertulia_sql_support::{ChangeRecord, TxError, inconsistent};
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

/// Reads no message: the newest one's number is in the chat's row. That row is locked only if the position is to move, and
/// then before the membership, which is looked at again: of several at once, each that moves it takes a number.
struct MarkRead;

impl Statement for MarkRead {
    type Columns = (BigInt, BigInt, Bool);
    const SQL: &'static str = concat!(
        "WITH place AS (
            SELECT p.read_seq, c.last_seq
            FROM memberships p JOIN chats c ON c.id = p.chat_id
            WHERE p.chat_id = $1 AND p.user_id = $2
        ),
        locked AS (
            SELECT c.id, c.last_seq
            FROM place JOIN chats c ON c.id = $1
            WHERE place.read_seq < LEAST($3, place.last_seq)
            FOR NO KEY UPDATE OF c
        ),
        moved AS (
            UPDATE memberships p SET read_seq = LEAST($3, locked.last_seq)
            FROM locked
            WHERE p.chat_id = locked.id AND p.user_id = $2 AND p.read_seq < LEAST($3, locked.last_seq)
            RETURNING p.chat_id, p.read_seq
        ),
        c AS (
            UPDATE chats c SET ",
        count_changes!("1", at: "$4"),
        "
            FROM moved
            WHERE c.id = moved.chat_id
            RETURNING c.*
        ),
        recorded AS (
            ",
        insert_change!("read.updated", user: "$2", number: "moved.read_seq", from: "c CROSS JOIN moved"),
        "
        )
        SELECT GREATEST(place.read_seq, LEAST($3, COALESCE(locked.last_seq, place.last_seq))),
            COALESCE(locked.last_seq, place.last_seq),
            EXISTS (SELECT FROM moved)
        FROM place LEFT JOIN locked ON true"
    );
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
    touch(connection, new.chat_id, 1, new.at)?;
    diesel::insert_into(memberships::table)
        .values((
            memberships::chat_id.eq(new.chat_id.as_uuid()),
            memberships::user_id.eq(new.user_id.as_uuid()),
            memberships::role.eq(new.role.as_str()),
            memberships::joined_at.eq(PgTime(new.at)),
            memberships::read_seq.eq(group.last_seq),
        ))
        .execute(connection)?;
    let read_seq = Seq::new(group.last_seq)
        .ok_or_else(|| inconsistent("chats", new.chat_id, format_args!("last_seq {}", group.last_seq)))?;
    let added = ChangeRecord::MemberAdded(new.user_id, new.role, read_seq);
    let recorded = record(connection, new.chat_id, new.at, &[added])?;
    arrive(connection, new.chat_id, &[*new.user_id.as_uuid()], &recorded)?;
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
        _ => {}
    }
    let mut changes = vec![ChangeRecord::MemberUpdated(user_id, role)];
    if role == MemberRole::Owner {
        let before = hand_over(connection, id, user_id)?;
        changes.extend(before.map(|owner| ChangeRecord::MemberUpdated(owner, MemberRole::Admin)));
    } else {
        write_role(connection, id, user_id, role)?;
    }
    touch(connection, id, 0, at)?;
    record(connection, id, at, &changes)?;
    member.membership.role = role;
    Ok(member)
}

/// Makes the owner of a locked group an admin, and a member its owner, in this order: at no moment are there two. Gives the
/// former owner.
fn hand_over(connection: &mut PgConnection, id: ChatId, to: UserId) -> QueryResult<Option<UserId>> {
    let before = diesel::update(memberships::table)
        .filter(memberships::chat_id.eq(id.as_uuid()))
        .filter(memberships::role.eq(MemberRole::Owner.as_str()))
        .set(memberships::role.eq(MemberRole::Admin.as_str()))
        .returning(memberships::user_id)
        .get_result::<Uuid>(connection)
        .optional()?;
    write_role(connection, id, to, MemberRole::Owner)?;
    Ok(before.map(UserId::from_uuid))
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
    at: Timestamp,
) -> Result<Option<ReadState>, TxError<RepositoryError>> {
    let row = prepared::<MarkRead, _>((
        id.as_uuid().into_sql::<SqlUuid>(),
        user_id.as_uuid().into_sql::<SqlUuid>(),
        seq.get().into_sql::<BigInt>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result::<(i64, i64, bool)>(connection)
    .optional()?;
    match row {
        None => Ok(None),
        Some((read_seq, last_seq, moved)) => match (Seq::new(read_seq), Seq::new(last_seq)) {
            (Some(read_seq), Some(last_seq)) => Ok(Some(ReadState {
                read_seq,
                last_seq,
                moved,
            })),
            _ => Err(inconsistent("memberships", id, format_args!("read_seq {read_seq}")).into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans::{Sample, id};

    #[test]
    fn to_read_on_is_found_by_key() {
        let values = format!("{}, {}, 7, now()", id(500), id(701));
        for plan in Sample::create().plans::<MarkRead>("uuid, uuid, bigint, timestamptz", &values) {
            assert!(
                plan.contains("Insert on chat_changes (actual rows=0 loops=1)"),
                "{plan}"
            );
            for word in ["Seq Scan", "Bitmap", "Sort"] {
                assert!(!plan.contains(word), "{word} in {plan}");
            }
        }
    }

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
