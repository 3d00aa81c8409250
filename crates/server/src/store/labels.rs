//! Labels: what people have decided of identities. They are only added, and withdrawn.

use dregs_core::label::{Outcome, Source, Verdict};
use dregs_core::score::Scores;
use dregs_core::shard;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::sql::Sql;
use super::{Result, Row, StoreError, Tx, codec};
use crate::values;

/// What was known of an identity at the cycle that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// When the cycle ended; `None` where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    pub scores: Scores,
    pub observations: Vec<FoundObservation>,
    /// Slugs of the badges that it had.
    pub badges: Vec<String>,
    /// Escalation rules that had matched it.
    pub rules: Vec<i64>,
}

/// An observation, without its words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundObservation {
    pub id: String,
    pub value: f64,
    pub confidence: f64,
    pub weight: f64,
}

/// A label about to be stored.
#[derive(Clone, Debug)]
pub struct NewLabel<'a> {
    pub team_id: i64,
    pub identity_id: i64,
    pub verdict: Verdict,
    pub source: Source,
    pub reason: Option<&'a str>,
    pub note: Option<&'a str>,
    pub author: &'a str,
    pub cycle: Option<i64>,
    pub found: &'a Found,
    pub key: Option<&'a str>,
    pub decided_at: Timestamp,
    pub created_at: Timestamp,
}

/// Stores a label; the answer is its id. `None` when one of the same key was stored before.
pub fn insert(tx: &mut Tx, new: &NewLabel) -> Result<Option<i64>> {
    let found = codec::pack(codec::Kind::Analysis, new.found)?;
    let row = values![
        shard::of(new.identity_id),
        new.team_id,
        new.identity_id,
        new.verdict.code(),
        new.source as i64,
        new.reason,
        new.note,
        new.author,
        new.cycle,
        &found,
        new.key,
        new.decided_at,
        new.created_at,
    ];
    let inserted = tx.query_rows(
        "insert into labels (id, shard, team_id, identity_id, verdict, source, reason, note, author, cycle, found, key,
           decided_at, created_at) values {new rows} on conflict do nothing returning id",
        &[row],
        |row| row.get(0),
    )?;
    Ok(inserted.into_iter().next())
}

/// A label as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub id: i64,
    pub identity_row: i64,
    /// The identity's own id at the sender.
    pub identity: String,
    pub identity_label: Option<String>,
    pub verdict: Verdict,
    pub source: Source,
    pub reason: Option<String>,
    pub note: Option<String>,
    pub author: String,
    pub cycle: Option<i64>,
    pub decided_at: Timestamp,
    pub created_at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
    pub withdrawn_by: Option<String>,
}

const COLUMNS: &str = "l.id, l.identity_id, i.external_id, coalesce(i.display_name, i.display_email), l.verdict,
    l.source, l.reason, l.note, l.author, l.cycle, l.decided_at, l.created_at, l.withdrawn_at, l.withdrawn_by";
const FROM: &str = "from labels l join identities i on i.shard = l.shard and i.id = l.identity_id";

fn read(row: &Row) -> Result<Label> {
    Ok(Label {
        id: row.get(0)?,
        identity_row: row.get(1)?,
        identity: row.get(2)?,
        identity_label: row.get(3)?,
        verdict: verdict(row.get(4)?)?,
        source: source(row.get(5)?)?,
        reason: row.get(6)?,
        note: row.get(7)?,
        author: row.get(8)?,
        cycle: row.get(9)?,
        decided_at: row.time(10)?,
        created_at: row.time(11)?,
        withdrawn_at: row.optional_time(12)?,
        withdrawn_by: row.get(13)?,
    })
}

fn verdict(code: i64) -> Result<Verdict> {
    Verdict::from_code(code).ok_or_else(|| StoreError::Broken(format!("{code} is no verdict")))
}

fn source(code: i64) -> Result<Source> {
    let found = Source::ALL.into_iter().find(|source| *source as i64 == code);
    found.ok_or_else(|| StoreError::Broken(format!("{code} is no source of a label")))
}

/// The team's label with this id.
pub fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Label>> {
    let sql = format!("select {COLUMNS} {FROM} where l.shard = $3 and l.team_id = $1 and l.id = $2");
    tx.find(&sql, &values![team_id, id, shard::of(id)], read)
}

/// The label of an identity that its sender calls `key`.
pub fn find_key(tx: &mut Tx, identity_id: i64, key: &str) -> Result<Option<i64>> {
    let sql = "select id from labels where shard = $3 and identity_id = $1 and key = $2";
    tx.find(sql, &values![identity_id, key, shard::of(identity_id)], |row| row.get(0))
}

/// The label that counts: the newest decision of those that were not withdrawn; `but` is passed over.
pub fn in_force(tx: &mut Tx, identity_id: i64, but: Option<i64>) -> Result<Option<(Label, Found)>> {
    let sql = format!(
        "select {COLUMNS}, l.found {FROM} where l.shard = $2 and l.identity_id = $1 and l.withdrawn_at is null
           and l.id <> $3
         order by l.decided_at desc, l.id desc limit 1"
    );
    tx.find(&sql, &values![identity_id, shard::of(identity_id), but.unwrap_or_default()], |row| {
        Ok((read(row)?, codec::unpack(&row.get::<Vec<u8>>(14)?)?))
    })
}

/// Which labels of a team; `None` means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Row id of an identity.
    pub identity_id: Option<i64>,
    pub outcome: Option<Outcome>,
    pub source: Option<Source>,
    pub withdrawn: Option<bool>,
}

impl Filter {
    fn matching(&self, select: &str, team_id: i64) -> Sql<'static> {
        let mut sql = Sql::new(select);
        sql.bind(" where l.team_id = ", team_id).bind_some(" and l.identity_id = ", self.identity_id);
        sql.bind_some(" and l.source = ", self.source.map(|source| source as i64));
        match self.outcome {
            Some(Outcome::Good) => sql.push(" and l.verdict = 0"),
            Some(Outcome::Bad) => sql.push(" and l.verdict > 0"),
            None => &mut sql,
        };
        match self.withdrawn {
            Some(true) => sql.push(" and l.withdrawn_at is not null"),
            Some(false) => sql.push(" and l.withdrawn_at is null"),
            None => &mut sql,
        };
        sql
    }
}

/// How many match, counted up to `limit`.
pub fn count(tx: &mut Tx, team_id: i64, filter: &Filter, limit: i64) -> Result<i64> {
    let mut sql = filter.matching("select 1 from labels l", team_id);
    sql.bind(" limit ", limit);
    tx.get(&format!("select count(*) from ({}) found", sql.text), &sql.values, |row| row.get(0))
}

/// A page of what matches, the newest first.
pub fn page(tx: &mut Tx, team_id: i64, filter: &Filter, offset: i64, limit: i64) -> Result<Vec<Label>> {
    let mut sql = filter.matching(&format!("select {COLUMNS} {FROM}"), team_id);
    sql.push(" order by l.id desc").bind(" limit ", limit).bind(" offset ", offset);
    tx.query(&sql.text, &sql.values, read)
}

/// Withdraws a label.
pub fn withdraw(tx: &mut Tx, id: i64, by: &str, now: Timestamp) -> Result<()> {
    tx.execute(
        "update labels set withdrawn_at = $2, withdrawn_by = $3
         where shard = $4 and id = $1 and withdrawn_at is null",
        &values![id, now, by, shard::of(id)],
    )?;
    Ok(())
}

/// What a person has said of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub identity_id: i64,
    pub author: String,
    pub outcome: Outcome,
    pub decided_at: Timestamp,
}

/// Up to `limit` labels of a team that people have given since `from` and that were not withdrawn, the newest first.
pub fn by_analysts(tx: &mut Tx, team_id: i64, from: Timestamp, limit: i64) -> Result<Vec<Judgement>> {
    tx.query(
        "select identity_id, author, verdict, decided_at from labels
         where team_id = $1 and source = $2 and created_at >= $3 and withdrawn_at is null order by id desc limit $4",
        &values![team_id, Source::Analyst as i64, from, limit],
        |row| {
            let outcome = if row.get::<i64>(2)? == 0 { Outcome::Good } else { Outcome::Bad };
            Ok(Judgement { identity_id: row.get(0)?, author: row.get(1)?, outcome, decided_at: row.time(3)? })
        },
    )
}

/// What was decided of an identity, and what was known of it then.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub identity_id: i64,
    pub verdict: Verdict,
    pub source: Source,
    pub decided_at: Timestamp,
    pub found: Found,
}

/// Up to `limit` of the newest labels of a team that were not withdrawn, the newest first.
pub fn judged(tx: &mut Tx, team_id: i64, limit: i64) -> Result<Vec<Judged>> {
    tx.query(
        "select identity_id, verdict, source, decided_at, found from labels
         where team_id = $1 and withdrawn_at is null order by id desc limit $2",
        &values![team_id, limit],
        |row| {
            Ok(Judged {
                identity_id: row.get(0)?,
                verdict: verdict(row.get(1)?)?,
                source: source(row.get(2)?)?,
                decided_at: row.time(3)?,
                found: codec::unpack(&row.get::<Vec<u8>>(4)?)?,
            })
        },
    )
}

/// What was decided of each identity of a team that is labelled, by its row id.
pub fn outcomes(tx: &mut Tx, team_id: i64) -> Result<Vec<(i64, Outcome)>> {
    tx.query(
        "select id, verdict from identities where team_id = $1 and verdict is not null",
        &values![team_id],
        |row| Ok((row.get(0)?, verdict(row.get(1)?)?.outcome)),
    )
}

/// How many identities without a label have had an escalation of each rule.
pub fn unlabelled_by_rule(tx: &mut Tx, team_id: i64) -> Result<Vec<(i64, i64)>> {
    tx.query(
        "select e.rule_id, count(distinct e.identity_id) from escalations e
         join identities i on i.shard = e.shard and i.id = e.identity_id
         where e.team_id = $1 and i.verdict is null group by e.rule_id",
        &values![team_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// How many identities without a label carry each badge, by its slug.
pub fn unlabelled_by_badge(tx: &mut Tx, team_id: i64) -> Result<Vec<(String, i64)>> {
    tx.query(
        "select b.slug, count(*) from badges b join identities i on i.shard = b.shard and i.id = b.identity_id
         where b.team_id = $1 and i.verdict is null group by b.slug",
        &values![team_id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
