//! Escalations: what rules want somebody to look at.

use dregs_core::label::{Outcome, Verdict};
pub use dregs_core::rules::Severity;
use dregs_core::score::Scores;
use dregs_core::shard;
use dregs_core::time::Timestamp;

use super::links::HashedKey;
use super::sql::{Sql, direction, scores, with_shards};
use super::{Result, Row, StoreError, Tx, codec};
use crate::values;

/// How far an escalation has come. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open = 0,
    Acknowledged = 1,
    Closed = 2,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Open, Self::Acknowledged, Self::Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::Closed => "CLOSED",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// An escalation about to be stored: open.
#[derive(Clone, Debug)]
pub struct NewEscalation {
    pub team_id: i64,
    pub identity_id: i64,
    pub rule_id: i64,
    pub rule_name: String,
    pub severity: Severity,
    /// JSON: the conditions that hold, and the slugs of the channels that are told.
    pub conditions: String,
    pub channels: String,
    /// As they are when it opens.
    pub scores: Scores,
    /// What opens it, in words, and the packed id of the event that does; `None` where its rule says neither.
    pub explanation: Option<String>,
    pub event_id: Option<Vec<u8>>,
    pub opened_at: Timestamp,
}

/// Stores an escalation; the answer is its id. `None` when one of the rule is open for the identity.
pub fn insert(tx: &mut Tx, new: &NewEscalation) -> Result<Option<i64>> {
    let s = &new.scores;
    let row = values![
        shard::of(new.identity_id),
        new.team_id,
        new.identity_id,
        new.rule_id,
        &new.rule_name,
        new.severity as i64,
        Status::Open as i64,
        s.humanity,
        s.authenticity,
        s.uniqueness,
        s.behavior,
        new.opened_at,
        new.opened_at,
        &new.conditions,
        &new.channels,
        new.explanation.as_deref(),
        new.event_id.as_deref(),
    ];
    let inserted = tx.query_rows(
        "insert into escalations (id, shard, team_id, identity_id, rule_id, rule_name, severity, status, humanity,
           authenticity, uniqueness, behavior, created_at, opened_at, conditions, channels, explanation, event_id)
         values {new rows} on conflict do nothing returning id",
        &[row],
        |row| row.get(0),
    )?;
    Ok(inserted.into_iter().next())
}

/// An escalation as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    pub id: i64,
    pub status: Status,
    pub severity: Severity,
    pub identity: String,
    pub identity_label: Option<String>,
    pub rule_id: i64,
    pub rule_name: String,
    pub scores: Scores,
    pub created_at: Timestamp,
    pub opened_at: Timestamp,
    pub acknowledged_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// People or keys, as the audit log calls them; `None` for what a rule did.
    pub acknowledged_by: Option<String>,
    pub closed_by: Option<String>,
    pub close_reason: Option<String>,
    /// What people have decided of the identity.
    pub verdict: Option<Verdict>,
    /// The e-mail address of the member who works on it.
    pub assignee: Option<String>,
    pub identity_row: i64,
    /// As in [`NewEscalation`].
    pub conditions: String,
    pub channels: String,
    pub explanation: Option<String>,
    /// The sender's id of the event that opened it, as long as that is kept.
    pub event_id: Option<String>,
}

const COLUMNS: &str = "e.id, e.status, e.severity, i.external_id, coalesce(i.display_name, i.display_email),
    e.rule_id, e.rule_name, e.humanity, e.authenticity, e.uniqueness, e.behavior, e.created_at, e.opened_at,
    e.acknowledged_at, e.closed_at, e.identity_id, coalesce(e.conditions, '[]'), coalesce(e.channels, '[]'),
    e.acknowledged_by, e.closed_by, e.close_reason, i.verdict, e.assignee, e.explanation, o.external_id";

/// With the identity, and with the event that opened it.
const JOINED: &str = "join identities i on i.shard = e.shard and i.id = e.identity_id
    left join events o on o.shard = e.shard and o.team_id = e.team_id and o.external_id = e.event_id";

fn status(code: i64) -> Result<Status> {
    let known = Status::ALL.into_iter().find(|known| *known as i64 == code);
    known.ok_or_else(|| StoreError::Broken(format!("{code} is no status of an escalation")))
}

fn severity(code: i64) -> Result<Severity> {
    let known = Severity::ALL.into_iter().find(|known| *known as i64 == code);
    known.ok_or_else(|| StoreError::Broken(format!("{code} is no severity")))
}

fn read(row: &Row) -> Result<Escalation> {
    Ok(Escalation {
        id: row.get(0)?,
        status: status(row.get(1)?)?,
        severity: severity(row.get(2)?)?,
        identity: row.get(3)?,
        identity_label: row.get(4)?,
        rule_id: row.get(5)?,
        rule_name: row.get(6)?,
        scores: scores(row, 7)?,
        created_at: row.time(11)?,
        opened_at: row.time(12)?,
        acknowledged_at: row.optional_time(13)?,
        closed_at: row.optional_time(14)?,
        identity_row: row.get(15)?,
        conditions: row.get(16)?,
        channels: row.get(17)?,
        acknowledged_by: row.get(18)?,
        closed_by: row.get(19)?,
        close_reason: row.get(20)?,
        verdict: row.get::<Option<i64>>(21)?.and_then(Verdict::from_code),
        assignee: row.get(22)?,
        explanation: row.get(23)?,
        event_id: row.get::<Option<Vec<u8>>>(24)?.map(|packed| codec::unpack_id(&packed)),
    })
}

/// The team's escalation with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Escalation>> {
    let sql = format!(
        "select {COLUMNS} from escalations e {JOINED} where e.shard = $3 and e.team_id = $1 and e.id = $2"
    );
    tx.find(&sql, &values![team_id, id, shard::of(id)], read)
}

/// The escalation of a rule that is open, or acknowledged, for an identity.
pub fn open_of(tx: &mut Tx, identity_id: i64, rule_id: i64) -> Result<Option<Escalation>> {
    let sql = format!(
        "select {COLUMNS} from escalations e {JOINED}
         where e.shard = $3 and e.identity_id = $1 and e.rule_id = $2 and e.status <> 2"
    );
    tx.find(&sql, &values![identity_id, rule_id, shard::of(identity_id)], read)
}

/// The escalations of identities that are not closed.
pub fn active_of(tx: &mut Tx, identities: &[i64]) -> Result<Vec<Brief>> {
    let sql = format!(
        "with v (shard, id) as (values {{rows}}) select {BRIEF} from v
         join escalations e on e.shard = v.shard and e.identity_id = v.id where e.status <> 2"
    );
    tx.query_rows(&sql, &with_shards(identities), read_brief)
}

/// The newest escalation that a rule has opened of an identity.
pub fn newest_of(tx: &mut Tx, identity_id: i64, rule_id: i64) -> Result<Option<i64>> {
    let sql = "select id from escalations where shard = $3 and identity_id = $1 and rule_id = $2
         order by id desc limit 1";
    tx.find(sql, &values![identity_id, rule_id, shard::of(identity_id)], |row| row.get(0))
}

/// The rules that have opened an escalation of an identity, ever.
pub fn rules_of(tx: &mut Tx, identity_id: i64) -> Result<Vec<i64>> {
    tx.query(
        "select distinct rule_id from escalations where shard = $2 and identity_id = $1 order by rule_id",
        &values![identity_id, shard::of(identity_id)],
        |row| row.get(0),
    )
}

/// The identities for whom a rule of a team has opened escalations, ever, those of the newest `limit` of them.
pub fn identities_of(tx: &mut Tx, team_id: i64, rule_id: i64, limit: usize) -> Result<Vec<i64>> {
    tx.query(
        "select distinct e.identity_id from (select identity_id from escalations
           where rule_id = $1 and team_id = $2 order by id desc limit $3) e order by e.identity_id desc",
        &values![rule_id, team_id, i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| row.get(0),
    )
}

/// The rules that have opened an escalation of these identities, ever: (identity, rule).
pub fn rules_of_all(tx: &mut Tx, identities: &[i64]) -> Result<Vec<(i64, i64)>> {
    let rows: Vec<_> = identities.iter().map(|id| values![shard::of(*id), *id]).collect();
    tx.query_rows(
        "with v (shard, id) as (values {rows})
         select distinct v.id, e.rule_id from v join escalations e on e.shard = v.shard and e.identity_id = v.id",
        &rows,
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// How many escalations a rule has opened in each span of `step_ms` from `begin` on: (number of the span, how many).
pub fn of_rule_by_span(
    tx: &mut Tx,
    team_id: i64,
    rule_id: i64,
    begin: Timestamp,
    step_ms: i64,
) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "select s.span, count(*) from (select (opened_at - $3) / $4 as span from escalations
           where rule_id = $1 and team_id = $2 and opened_at >= $3) s group by s.span order by s.span",
        &values![rule_id, team_id, begin, step_ms],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Which escalations of a team; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub status: Option<Status>,
    /// Not closed.
    pub is_active: bool,
    pub severity: Option<Severity>,
    /// Row id of an identity.
    pub identity_id: Option<i64>,
    pub rule_id: Option<i64>,
    /// What people have decided of the identity: this, or nothing yet.
    pub outcome: Option<Option<Outcome>>,
    /// Who works on it: the member with this e-mail address, or nobody.
    pub assignee: Option<Option<String>>,
    /// Whom a note of it mentions: the member with this e-mail address.
    pub mentioned: Option<String>,
    /// Whether it is overdue, and before when those have opened that are, by severity.
    pub overdue: Option<(bool, Vec<(Severity, Timestamp)>)>,
    pub opened_before: Option<Timestamp>,
    /// What its identity has in common with others.
    pub shares: Option<Shares>,
}

/// Something that identities have in common: any of these keys, or the registered domain of their e-mail addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shares {
    Keys(Vec<HashedKey>),
    /// Patterns of addresses at the domain, and below it.
    EmailDomain([String; 2]),
}

impl Shares {
    pub fn email_domain(domain: &str) -> Self {
        let domain = escaped(domain);
        Self::EmailDomain([format!("%@{domain}"), format!("%.{domain}")])
    }
}

/// By what escalations are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// They get their numbers in the order in which they open.
    OpenedAt,
    Severity,
}

/// Of those that are not closed.
const ACTIVE: &str = " and e.status < 2";

impl Filter {
    fn matching(&self, select: &str, team_id: i64) -> Sql<'_> {
        let mut sql = Sql::new(select);
        sql.bind(" where e.team_id = ", team_id);
        sql.bind_some(" and e.status = ", self.status.map(|status| status as i64));
        if self.is_active {
            sql.push(ACTIVE);
        }
        match &self.assignee {
            None => &mut sql,
            Some(None) => sql.push(" and e.assignee is null"),
            Some(Some(member)) => sql.bind(" and e.assignee = ", member.as_str()),
        };
        if let Some(member) = &self.mentioned {
            sql.bind(
                " and e.id in (select m.escalation_id from escalation_mentions m where m.team_id = ",
                team_id,
            );
            sql.bind(" and m.member = ", member.as_str()).push(")");
        }
        if let Some((is_overdue, before)) = &self.overdue {
            sql.push(if *is_overdue { " and (1 = 0" } else { " and not (1 = 0" });
            for (severity, before) in before {
                sql.push(" or (e.status < 2").bind(" and e.severity = ", *severity as i64);
                sql.bind(" and e.opened_at < ", *before).push(")");
            }
            sql.push(")");
            // By the index of those few that are not closed.
            if *is_overdue {
                sql.push(ACTIVE);
            }
        }
        sql.bind_some(" and e.opened_at < ", self.opened_before);
        match &self.shares {
            None => &mut sql,
            Some(Shares::Keys(keys)) => {
                sql.push(" and e.identity_id in (select k.identity_id from identity_keys k where 1 = 0");
                for key in keys {
                    sql.bind(" or (k.team_id = ", key.team_id).bind(" and k.kind = ", key.kind);
                    sql.bind(" and k.hash = ", key.hash).push(")");
                }
                sql.push(")")
            }
            Some(Shares::EmailDomain([at, below])) => {
                sql.push(" and exists (select 1 from identities d where d.shard = e.shard and d.id = e.identity_id");
                sql.bind(" and (lower(d.display_email) like ", at.as_str()).push(" escape '!'");
                sql.bind(" or lower(d.display_email) like ", below.as_str()).push(" escape '!'))")
            }
        };
        sql.bind_some(" and e.severity = ", self.severity.map(|severity| severity as i64));
        sql.bind_some(" and e.identity_id = ", self.identity_id).bind_some(" and e.rule_id = ", self.rule_id);
        let (is_in, verdict) = match self.outcome {
            None => return sql,
            Some(None) => (" and e.identity_id not in ", ""),
            Some(Some(Outcome::Good)) => (" and e.identity_id in ", " and l.verdict = 0"),
            Some(Some(Outcome::Bad)) => (" and e.identity_id in ", " and l.verdict > 0"),
        };
        // By those few who are labelled, whom an index has.
        sql.push(is_in).bind("(select l.id from identities l where l.team_id = ", team_id);
        sql.push(" and l.verdict is not null").push(verdict).push(")");
        sql
    }
}

/// A text in which `like` finds nothing but itself.
fn escaped(text: &str) -> String {
    let escape = |c: char| matches!(c, '!' | '%' | '_').then_some('!').into_iter().chain([c]);
    text.chars().flat_map(escape).collect()
}

/// An escalation as far as many are looked at together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    pub id: i64,
    /// Row id.
    pub identity_id: i64,
    pub status: Status,
    pub severity: Severity,
    pub rule_id: i64,
    pub rule_name: String,
    /// JSON: the slugs of the channels that are told.
    pub channels: String,
    pub opened_at: Timestamp,
    pub assignee: Option<String>,
}

const BRIEF: &str = "e.id, e.identity_id, e.status, e.severity, e.rule_id, e.rule_name,
    coalesce(e.channels, '[]'), e.opened_at, e.assignee";

fn read_brief(row: &Row) -> Result<Brief> {
    Ok(Brief {
        id: row.get(0)?,
        identity_id: row.get(1)?,
        status: status(row.get(2)?)?,
        severity: severity(row.get(3)?)?,
        rule_id: row.get(4)?,
        rule_name: row.get(5)?,
        channels: row.get(6)?,
        opened_at: row.time(7)?,
        assignee: row.get(8)?,
    })
}

/// Those of a team among these, in no order.
pub fn briefs_of(tx: &mut Tx, team_id: i64, ids: &[i64]) -> Result<Vec<Brief>> {
    let sql = format!(
        "with v (shard, id, team_id) as (values {{rows}}) select {BRIEF} from v
         join escalations e on e.shard = v.shard and e.id = v.id and e.team_id = v.team_id"
    );
    let rows: Vec<_> = ids.iter().map(|id| values![shard::of(*id), *id, team_id]).collect();
    tx.query_rows(&sql, &rows, read_brief)
}

/// Up to `limit` of those that match, the oldest first, or the newest.
pub fn briefs(tx: &mut Tx, team_id: i64, filter: &Filter, ascending: bool, limit: i64) -> Result<Vec<Brief>> {
    let mut sql = filter.matching(&format!("select {BRIEF} from escalations e"), team_id);
    sql.push(&format!(" order by e.id {}", direction(ascending))).bind(" limit ", limit);
    tx.query(&sql.text, &sql.values, read_brief)
}

/// How many match, counted up to `limit`.
pub fn count(tx: &mut Tx, team_id: i64, filter: &Filter, limit: i64) -> Result<i64> {
    let mut sql = filter.matching("select 1 from escalations e", team_id);
    sql.bind(" limit ", limit);
    tx.get(&format!("select count(*) from ({}) found", sql.text), &sql.values, |row| row.get(0))
}

/// A page of what matches.
pub fn page(
    tx: &mut Tx,
    team_id: i64,
    filter: &Filter,
    sort: Sort,
    ascending: bool,
    offset: i64,
    limit: i64,
) -> Result<Vec<Escalation>> {
    let direction = direction(ascending);
    let order = |alias: &str| match sort {
        Sort::OpenedAt => format!(" order by {alias}.id {direction}"),
        Sort::Severity => format!(" order by {alias}.severity {direction}, {alias}.id {direction}"),
    };
    let mut sql = filter.matching("select e.id from escalations e", team_id);
    sql.push(&order("e")).bind(" limit ", limit).bind(" offset ", offset);
    let text = format!(
        "with page as materialized ({}) select {COLUMNS} from page p join escalations e on e.id = p.id {JOINED}{}",
        sql.text,
        order("e")
    );
    tx.query(&text, &sql.values, read)
}

/// Up to `limit` open escalations that nobody works on, of those that match: the worst first, of those the oldest.
pub fn free(tx: &mut Tx, team_id: i64, filter: &Filter, limit: i64) -> Result<Vec<i64>> {
    let filter = Filter { status: Some(Status::Open), assignee: Some(None), ..filter.clone() };
    let mut sql = filter.matching("select e.id from escalations e", team_id);
    sql.push(" order by e.severity desc, e.id").bind(" limit ", limit);
    tx.query(&sql.text, &sql.values, |row| row.get(0))
}

/// Gives an open escalation that nobody works on to a member; `false` where that is what it is no longer.
pub fn take(tx: &mut Tx, id: i64, member: &str) -> Result<bool> {
    let sql = "update escalations set assignee = $2
         where shard = $3 and id = $1 and status = 0 and assignee is null";
    Ok(tx.execute(sql, &values![id, member, shard::of(id)])? == 1)
}

/// Gives an escalation from one member, or nobody, to another, or nobody; `false` where meanwhile somebody else has it,
/// or it was closed.
pub fn assign(tx: &mut Tx, id: i64, from: Option<&str>, to: Option<&str>) -> Result<bool> {
    let sql = "update escalations set assignee = $3
         where shard = $4 and id = $1 and status < 2 and coalesce(assignee, '') = $2";
    Ok(tx.execute(sql, &values![id, from.unwrap_or_default(), to, shard::of(id)])? == 1)
}

/// Takes whatever is not closed from a member; the answer is each escalation, with the row of its identity.
pub fn let_go(tx: &mut Tx, team_id: i64, member: &str) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "update escalations set assignee = null where team_id = $1 and assignee = $2 and status < 2
         returning id, identity_id",
        &values![team_id, member],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// How many escalations of a team are in each status, in the order of [`Status::ALL`], each counted up
/// to `limit`.
pub fn summary(tx: &mut Tx, team_id: i64, limit: i64) -> Result<[i64; 3]> {
    let mut counts = [0; 3];
    for (count, status) in counts.iter_mut().zip(Status::ALL) {
        let filter = Filter { status: Some(status), ..Filter::default() };
        *count = self::count(tx, team_id, &filter, limit)?;
    }
    Ok(counts)
}

/// What a rule has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleActivity {
    pub rule_id: i64,
    /// As it was called last.
    pub rule_name: String,
    pub opened: i64,
    /// Of those, closed by now.
    pub closed: i64,
}

/// What each rule of a team, and not chance, has opened from `from` up to, but not at, `to`: the busiest first.
pub fn by_rule(tx: &mut Tx, team_id: i64, from: Timestamp, to: Timestamp) -> Result<Vec<RuleActivity>> {
    tx.query(
        "select a.rule_id, e.rule_name, a.opened, a.closed from (
           select rule_id, max(id) as last, count(*) as opened,
             cast(sum(case when status = 2 then 1 else 0 end) as bigint) as closed
           from escalations where team_id = $1 and opened_at >= $2 and opened_at < $3 and rule_id > 0 group by rule_id) a
         join escalations e on e.id = a.last order by a.opened desc, a.rule_id",
        &values![team_id, from, to],
        |row| {
            Ok(RuleActivity {
                rule_id: row.get(0)?,
                rule_name: row.get(1)?,
                opened: row.get(2)?,
                closed: row.get(3)?,
            })
        },
    )
}

/// An escalation that somebody has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedByHand {
    /// As the audit log calls them.
    pub by: String,
    pub opened_at: Timestamp,
    pub closed_at: Timestamp,
}

/// Up to `limit` escalations of a team that people or keys have closed since `from`, the newest first.
pub fn closed_by_hand(tx: &mut Tx, team_id: i64, from: Timestamp, limit: i64) -> Result<Vec<ClosedByHand>> {
    tx.query(
        "select closed_by, opened_at, closed_at from escalations
         where team_id = $1 and closed_at >= $2 and closed_at is not null and closed_by is not null
         order by closed_at desc limit $3",
        &values![team_id, from, limit],
        |row| Ok(ClosedByHand { by: row.get(0)?, opened_at: row.time(1)?, closed_at: row.time(2)? }),
    )
}

/// A moment in the life of an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Opened,
    Closed,
}

/// How many escalations of a team were opened, or closed, in each span of `step_ms` from `begin` up to, but not at,
/// `end`: (number of the span, from 0, how many), in no order; spans without are absent.
pub fn by_span(
    tx: &mut Tx,
    team_id: i64,
    moment: Moment,
    (begin, step_ms, end): (Timestamp, i64, Timestamp),
) -> Result<Vec<(i64, i64)>> {
    let sql = match moment {
        Moment::Opened => {
            "select s.span, count(*) from (select (opened_at - $2) / $3 as span from escalations
               where team_id = $1 and opened_at >= $2 and opened_at < $4) s group by s.span"
        }
        Moment::Closed => {
            "select s.span, count(*) from (select (closed_at - $2) / $3 as span from escalations
               where team_id = $1 and closed_at >= $2 and closed_at < $4) s group by s.span"
        }
    };
    tx.query(sql, &values![team_id, begin, step_ms, end], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Who moves an escalation, and why.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mover<'a> {
    /// `None` for a rule.
    pub by: Option<&'a str>,
    /// Kept of what is closed.
    pub reason: Option<&'a str>,
}

/// Moves an escalation on, or back.
pub fn set_status(tx: &mut Tx, id: i64, status: Status, mover: Mover, now: Timestamp) -> Result<()> {
    let (acknowledged, closed) = match status {
        Status::Open => (None, None),
        Status::Acknowledged => (Some(now), None),
        Status::Closed => (None, Some(now)),
    };
    let acknowledged_by = acknowledged.and(mover.by);
    let (closed_by, reason) = (closed.and(mover.by), closed.and(mover.reason));
    tx.execute(
        "update escalations set status = $2, closed_at = $4, closed_by = $6, close_reason = $7,
           acknowledged_at = case when $2 = 2 then acknowledged_at else $3 end,
           acknowledged_by = case when $2 = 2 then acknowledged_by else $5 end
         where shard = $8 and id = $1",
        &values![id, status as i64, acknowledged, closed, acknowledged_by, closed_by, reason, shard::of(id)],
    )?;
    Ok(())
}
