use super::{Pair, Reader, UserColumns, UserRow};
use crate::schema::memberships;
use crate::time::PgTime;
use diesel::pg::Pg;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Queryable, Selectable};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Member, MemberRole, Membership};
use uuid::Uuid;

/// A user's place in a chat.
#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships, check_for_backend(Pg))]
pub(crate) struct MembershipRow {
    chat_id: Uuid,
    user_id: Uuid,
    role: String,
    joined_at: PgTime,
    read_seq: i64,
}

pub(crate) type MembershipColumns = (SqlUuid, SqlUuid, Text, Timestamptz, BigInt);

/// Of `memberships p`.
macro_rules! membership_columns {
    () => {
        "p.chat_id, p.user_id, p.role, p.joined_at, p.read_seq"
    };
}
pub(crate) use membership_columns;

impl TryFrom<MembershipRow> for Membership {
    type Error = RepositoryError;

    fn try_from(row: MembershipRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "memberships",
            key: Pair(row.chat_id, row.user_id),
        };
        Ok(Self {
            role: reader.word(&row.role, MemberRole::parse)?,
            joined_at: row.joined_at.into(),
            read_seq: reader.seq(row.read_seq)?,
        })
    }
}

/// A place and the user whose it is.
#[derive(Queryable, Selectable)]
#[diesel(check_for_backend(Pg))]
pub(crate) struct MemberRow {
    #[diesel(embed)]
    user: UserRow,
    #[diesel(embed)]
    membership: MembershipRow,
}

pub(crate) type MemberColumns = (UserColumns, MembershipColumns);

impl TryFrom<MemberRow> for Member {
    type Error = RepositoryError;

    fn try_from(row: MemberRow) -> Result<Self, RepositoryError> {
        Ok(Self {
            user: row.user.try_into()?,
            membership: row.membership.try_into()?,
        })
    }
}
