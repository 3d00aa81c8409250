//! What has happened lately, for those who watch. It is seen by what the tables keep anyway, so that whoever
//! writes has nothing more to do.

use std::collections::BTreeSet;

use dregs_core::notify::message::EventType;
use dregs_core::shard::SHARDS;

use super::rosters::Kind;
use super::sql::with_shards;
use super::{Result, Row, Tx};
use crate::values;

/// A table that rows are only ever added to, beside the change log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Events,
    Notifications,
    Deliveries,
    AuditLog,
}

impl Source {
    pub const ALL: [Self; 4] = [Self::Events, Self::Notifications, Self::Deliveries, Self::AuditLog];

    fn table(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Notifications => "notifications",
            Self::Deliveries => "deliveries",
            Self::AuditLog => "audit_log",
        }
    }

    /// The distance between the ids of two rows: that of a table that can be spread carries its shard.
    const fn spacing(self) -> i64 {
        match self {
            Self::Events | Self::Notifications | Self::Deliveries => SHARDS,
            Self::AuditLog => 1,
        }
    }

    /// The columns of [`Added`], and their tables.
    fn sql(self) -> String {
        let columns = match self {
            Self::Events => "x.team_id, cast(null as bigint), cast(0 as bigint) from events x".to_owned(),
            Self::Notifications => {
                let (opened, closed) =
                    (EventType::EscalationOpened.code(), EventType::EscalationClosed.code());
                let of_escalation =
                    format!("case when x.event_type in ({opened}, {closed}) then 1 else 0 end");
                format!("x.team_id, x.identity_id, cast({of_escalation} as bigint) from notifications x")
            }
            Self::Deliveries => "c.team_id, cast(null as bigint), cast(0 as bigint)
                 from deliveries x left join channels c on c.id = x.channel_id"
                .to_owned(),
            Self::AuditLog => "x.team_id, cast(null as bigint),
                   cast(case x.target_type when 'escalation' then 1 else 0 end as bigint) from audit_log x"
                .to_owned(),
        };
        format!("select x.id, {columns}")
    }
}

/// A row of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Added {
    /// One more than that of the row before, whoever has taken the numbers between.
    pub number: i64,
    /// `None` where its channel is gone.
    pub team_id: Option<i64>,
    /// Of whom a notification tells.
    pub identity_id: Option<i64>,
    pub is_of_escalation: bool,
}

/// The number of the last row so far, and 0 before the first.
pub fn last(tx: &mut Tx, source: Source) -> Result<i64> {
    let sql = format!("select cast(coalesce(max(id), 0) as bigint) from {}", source.table());
    Ok(tx.get(&sql, &[], |row| row.get::<i64>(0))? / source.spacing())
}

/// Up to `limit` rows after a number, in order.
pub fn after(tx: &mut Tx, source: Source, number: i64, limit: i64) -> Result<Vec<Added>> {
    let sql = format!("{} where x.id >= $1 order by x.id limit $2", source.sql());
    tx.query(&sql, &values![(number + 1) * source.spacing(), limit], |row| read(row, source))
}

/// The rows with these numbers, as far as they are there.
pub fn numbered(tx: &mut Tx, source: Source, numbers: &[i64]) -> Result<Vec<Added>> {
    let spacing = source.spacing();
    let rows: Vec<_> =
        numbers.iter().map(|number| values![number * spacing, (number + 1) * spacing]).collect();
    let sql = format!(
        "with v (first, beyond) as (values {{rows}}) {} join v on x.id >= v.first and x.id < v.beyond",
        source.sql()
    );
    tx.query_rows(&sql, &rows, |row| read(row, source))
}

fn read(row: &Row, source: Source) -> Result<Added> {
    Ok(Added {
        number: row.get::<i64>(0)? / source.spacing(),
        team_id: row.get(1)?,
        identity_id: row.get(2)?,
        is_of_escalation: row.flag(3)?,
    })
}

/// Team and external id of identities; one that was erased has no external id any more.
pub fn identities(tx: &mut Tx, ids: &[i64]) -> Result<Vec<(i64, Option<String>)>> {
    tx.query_rows(
        "with v (shard, id) as (values {rows})
         select i.team_id, i.external_id from v join identities i on i.shard = v.shard and i.id = v.id
         union all
         select d.team_id, cast(null as text)
         from v join deleted_identities d on d.shard = v.shard and d.id = v.id",
        &with_shards(ids),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The teams whose groups or devices these are.
pub fn teams(tx: &mut Tx, kind: Kind, ids: &BTreeSet<i64>) -> Result<BTreeSet<i64>> {
    let table = match kind {
        Kind::Identities => "identities",
        Kind::Groups => "groups",
        Kind::Devices => "devices",
    };
    let sql = format!(
        "with v (shard, id) as (values {{rows}})
         select x.team_id from v join {table} x on x.shard = v.shard and x.id = v.id"
    );
    let ids: Vec<_> = ids.iter().copied().collect();
    Ok(tx.query_rows(&sql, &with_shards(&ids), |row| row.get(0))?.into_iter().collect())
}

/// A number for each channel of a team that is another one whenever one of its waiting deliveries, of which
/// the first `limit` are looked at, has come further: the times for which they wait, added up.
pub fn waiting(tx: &mut Tx, team_id: i64, limit: i64) -> Result<Vec<(i64, i64)>> {
    if tx.is_spread() {
        let sql = "select id from channels where team_id = $1 order by id";
        let channels = tx.query(sql, &values![team_id], |row| row.get::<i64>(0))?;
        return channels.into_iter().map(|id| Ok((id, waiting_of(tx, id, limit)?))).collect();
    }
    tx.query(
        "select c.id, (select cast(coalesce(sum(w.at), 0) as bigint) from
           (select d.next_attempt_at as at from deliveries d
            where d.channel_id = c.id and d.next_attempt_at is not null
            order by d.next_attempt_at limit $2) w)
         from channels c where c.team_id = $1 order by c.id",
        &values![team_id, limit],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

fn waiting_of(tx: &mut Tx, channel_id: i64, limit: i64) -> Result<i64> {
    let sql = "select cast(coalesce(sum(w.at), 0) as bigint) from
         (select next_attempt_at as at from deliveries where channel_id = $1 and next_attempt_at is not null
          order by next_attempt_at limit $2) w";
    tx.get(sql, &values![channel_id, limit], |row| row.get(0))
}
