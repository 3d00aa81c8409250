//! Lists of events: each filter has an index that leads to its events, so that the work is bounded by
//! what matches. Only what a page shows is read as a whole.

use dregs_core::event::Event;
use dregs_core::link::KeyKind;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::sql::{Sql, direction, in_order_of, with_shards};
use super::{Result, Tx, codec};
use crate::values;

/// Names that are merged in order; with more of them most events match, and all are walked.
const MERGED_NAMES_MAX: usize = 16;

/// Which events of a team; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The row id of the one event.
    pub event: Option<i64>,
    /// Numbers of names.
    pub names: Option<Vec<i64>>,
    /// Row id of an identity.
    pub identity_id: Option<i64>,
    /// Row id of a device.
    pub device_id: Option<i64>,
    /// The hash of a session's key.
    pub session: Option<i64>,
    /// Lists of events: row ids of groups, or the negative number of a type.
    pub groups: Option<Vec<i64>>,
    /// Happened at or after.
    pub from: Option<Timestamp>,
    /// Happened before.
    pub to: Option<Timestamp>,
}

impl Filter {
    /// A statement that finds `id` and `timestamp` of what matches. Of events found by several names, each
    /// name's are ended with `each`.
    fn matching(&self, team_id: i64, each: &str) -> Sql<'static> {
        let mut sql = Sql::default();
        if let Some(event) = self.event {
            sql.bind("select e.id, e.timestamp from events e where e.id = ", event);
            sql.bind(" and e.shard = ", shard::of(event));
            sql.bind_some(" and e.identity_id = ", self.identity_id);
            Self { names: None, ..self.clone() }.conditions(&mut sql);
        } else if self.is_empty() {
            sql.push("select id, timestamp from events where 1 = 0");
        } else if let Some(identity_id) = self.identity_id {
            sql.bind("select e.id, e.timestamp from events e where e.identity_id = ", identity_id);
            sql.bind(" and e.shard = ", shard::of(identity_id));
            self.conditions(&mut sql);
        } else if let Some(session) = self.session {
            self.through_session(&mut sql, team_id, session);
        } else if let Some(device_id) = self.device_id {
            sql.bind("select e.id, e.timestamp from events e where e.device_id = ", device_id);
            self.conditions(&mut sql);
        } else if let Some(groups) = &self.groups {
            // An event can be in more than one of several lists.
            let distinct = if groups.len() == 1 { "" } else { "distinct" };
            sql.push(&format!("select {distinct} g.event_id as id, g.timestamp from event_groups g"));
            sql.numbers(" where g.group_id in ", groups);
            sql.bind_some(" and g.timestamp >= ", self.from).bind_some(" and g.timestamp < ", self.to);
            if let Some(names) = &self.names {
                sql.numbers(" and g.name_id in ", names);
            }
        } else {
            self.by_time(&mut sql, team_id, each);
        }
        sql
    }

    /// All events, or those with one of some names, along an index in order of time.
    fn by_time(&self, sql: &mut Sql<'static>, team_id: i64, each: &str) {
        match self.names.as_deref() {
            Some(names) if !names.is_empty() && names.len() <= MERGED_NAMES_MAX => {
                sql.push("select id, timestamp from (");
                for (index, name) in names.iter().enumerate() {
                    sql.push(if index == 0 { "" } else { " union all " });
                    sql.push(if each.is_empty() { "" } else { "(" });
                    sql.bind("select id, timestamp from events where name_id = ", *name);
                    sql.bind_some(" and timestamp >= ", self.from).bind_some(" and timestamp < ", self.to);
                    sql.push(each).push(if each.is_empty() { "" } else { ")" });
                }
                sql.push(") named");
            }
            names => {
                sql.bind("select id, timestamp from events where team_id = ", team_id);
                sql.bind_some(" and timestamp >= ", self.from).bind_some(" and timestamp < ", self.to);
                if let Some(names) = names {
                    sql.numbers(" and name_id in ", names);
                }
            }
        }
    }

    /// The events of those who have had a session, and those of nobody.
    fn through_session(&self, sql: &mut Sql<'static>, team_id: i64, session: i64) {
        sql.push("select e.id, e.timestamp from events e where e.identity_id in (select identity_id");
        sql.bind(" from identity_keys where team_id = ", team_id);
        sql.bind(" and kind = ", KeyKind::Session as i64).bind(" and hash = ", session).push(")");
        self.conditions(sql);
        sql.push(" union all select e.id, e.timestamp from events e where e.identity_id is null");
        sql.bind(" and e.session = ", session).bind(" and e.team_id = ", team_id);
        self.conditions(sql);
    }

    /// Everything but the team and the identity, which led here. A plus keeps an engine from taking
    /// another index, through which more would have to be looked at.
    fn conditions(&self, sql: &mut Sql<'static>) {
        sql.bind_some(" and +e.session = ", self.session);
        sql.bind_some(" and +e.device_id = ", self.device_id);
        sql.bind_some(" and +e.timestamp >= ", self.from).bind_some(" and +e.timestamp < ", self.to);
        if let Some(names) = &self.names {
            sql.numbers(" and +e.name_id in ", names);
        }
        if let Some(groups) = &self.groups {
            sql.numbers(" and exists (select 1 from event_groups g where g.group_id in ", groups);
            sql.push(" and g.shard = e.shard and g.timestamp = e.timestamp and g.event_id = e.id)");
        }
    }

    /// Whether nothing can match: there is no such name, or no such group.
    fn is_empty(&self) -> bool {
        self.names.as_ref().is_some_and(Vec::is_empty) || self.groups.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether an index has what matches in order of time: then it is walked, and else all that
    /// matches is sorted, which is little.
    fn is_in_order(&self) -> bool {
        self.identity_id.is_none() && self.session.is_none()
    }
}

/// How many match, counted up to `limit`.
pub fn count(tx: &mut Tx, team_id: i64, filter: &Filter, limit: i64) -> Result<i64> {
    let mut sql = filter.matching(team_id, "");
    sql.bind(" limit ", limit);
    let text = format!("select count(*) from ({}) found", sql.text);
    tx.get(&text, &sql.values, |row| row.get(0))
}

/// The row ids of a page in order of time.
pub fn page(
    tx: &mut Tx,
    team_id: i64,
    filter: &Filter,
    ascending: bool,
    offset: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    let direction = direction(ascending);
    // PostgreSQL merges the events of several names in order only where each name's come in order already.
    let each = format!(" order by 2 {direction}, 1 {direction} limit {}", offset.saturating_add(limit));
    let mut sql = filter.matching(team_id, tx.dialect("", &each));
    if !filter.is_in_order() {
        // Without the fence PostgreSQL may walk all events in order, hoping to meet these.
        sql.text = format!("with found as materialized ({}) select id, timestamp from found", sql.text);
    }
    sql.push(&format!(" order by 2 {direction}, 1 {direction}"));
    sql.bind(" limit ", limit).bind(" offset ", offset);
    tx.query(&sql.text, &sql.values, |row| row.get(0))
}

/// An event as lists show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub row_id: i64,
    pub event: Event,
    /// What its identity is called.
    pub identity_label: Option<String>,
}

/// The events with these row ids, in their order; one that is gone is left out.
pub fn load(tx: &mut Tx, row_ids: &[i64]) -> Result<Vec<Listed>> {
    let mut found = tx.query_rows(
        "with v (shard, id) as (values {rows})
         select e.id, e.external_id, e.timestamp, e.detail,
           coalesce(i.display_name, i.display_email, i.external_id)
         from v join events e on e.shard = v.shard and e.id = v.id
         left join identities i on i.shard = e.shard and i.id = e.identity_id",
        &with_shards(row_ids),
        |row| {
            let mut event: Event = codec::unpack(&row.get::<Vec<u8>>(3)?)?;
            event.id = codec::unpack_id(&row.get::<Vec<u8>>(1)?);
            event.timestamp = row.time(2)?;
            Ok(Listed { row_id: row.get(0)?, event, identity_label: row.get(4)? })
        },
    )?;
    in_order_of(&mut found, row_ids, |listed| listed.row_id);
    Ok(found)
}

/// The row id of the event with this packed id.
pub fn find(tx: &mut Tx, team_id: i64, external_id: &[u8]) -> Result<Option<i64>> {
    tx.find(
        "select id from events where team_id = $1 and external_id = $2",
        &values![team_id, external_id],
        |row| row.get(0),
    )
}
