//! Times as they are stored.

use diesel::data_types::PgTimestamp;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Timestamptz;
use tertulia_domain::Timestamp;

/// A time in a column of type `TIMESTAMPTZ`, which counts microseconds from the beginning of the year 2000.
#[derive(Debug, Clone, Copy, AsExpression, FromSqlRow)]
#[diesel(sql_type = Timestamptz)]
pub(crate) struct PgTime(pub(crate) Timestamp);

/// From the Unix epoch to the beginning of the year 2000.
const EPOCHS_APART_MILLIS: i64 = 946_684_800_000;

impl From<PgTime> for Timestamp {
    fn from(time: PgTime) -> Self {
        time.0
    }
}

impl ToSql<Timestamptz, Pg> for PgTime {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let time = PgTimestamp((self.0.as_millis() - EPOCHS_APART_MILLIS) * 1_000);
        ToSql::<Timestamptz, Pg>::to_sql(&time, &mut out.reborrow())
    }
}

impl FromSql<Timestamptz, Pg> for PgTime {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(micros) = FromSql::<Timestamptz, Pg>::from_sql(value)?;
        let millis = micros.div_euclid(1_000).saturating_add(EPOCHS_APART_MILLIS);
        Ok(Self(Timestamp::from_millis(millis)))
    }
}
