//! Changes of many escalations at once: told before they are made, carried out in the background some at a time, and
//! undone where nobody has changed anything since.

use std::collections::BTreeSet;
use std::net::IpAddr;

use dregs_core::badge::{BadgeType, CONFIRMED_BAD};
use dregs_core::label::{LabelKind, Outcome, Verdict};
use dregs_core::notify::message::EventType;
use dregs_core::rules::Standing;
use dregs_core::score::Category;
use dregs_core::time::{DAY_MS, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::escalations::{Move, move_in};
use super::labels::{self, Context, Labels};
use crate::failpoint::{self, Failpoint};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::assignment;
use crate::ops::identities::preview::{Plan, Planned};
use crate::ops::long_reads::LongReads;
use crate::store::bulk_changes::{self as store, BulkChange, Item, State};
use crate::store::escalations::{self, Brief, Escalation, Filter, Status};
use crate::store::{Result, Store, StoreError, Tx, identities};

/// Escalations of one change: of more, those that opened first.
pub const BULK_MAX: usize = 10_000;
/// Escalations of one transaction, so that no other waits long.
const CHUNK: i64 = 25;
/// How long a change can be undone.
pub const UNDO_DAYS: i64 = 7;
/// Rows that are removed in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 1_000;
/// Identities that are named before a change is made.
const NAMED_MAX: usize = 5;
/// Identities that are read at once.
const READ_AT_ONCE: usize = 500;
/// Nobody with scores of at least so much would be looked at, but for what others have done.
const UNSUSPICIOUS_MIN: u8 = 50;
/// Identities that are labeled of whom it is looked who is scored again with them.
const LINKED_MAX: usize = 200;

/// What is done to each escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    #[serde(rename_all = "camelCase")]
    Move { status: String, reason: Option<String>, outcome: Option<Outcome>, kind: Option<LabelKind> },
    /// To the member with this e-mail address, or to nobody; with `force` also what somebody else has.
    Assign { assignee: Option<String>, force: bool },
}

impl Change {
    fn status(&self) -> Option<Status> {
        match self {
            Self::Move { status, .. } => Status::parse(status),
            Self::Assign { .. } => None,
        }
    }

    const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Move { outcome: Some(outcome), kind, .. } => {
                Some(Verdict { outcome: *outcome, kind: *kind })
            }
            _ => None,
        }
    }

    /// For the audit log.
    fn told(&self, escalations: usize) -> serde_json::Value {
        match self {
            Self::Move { status, reason, outcome, kind } => json!({
                "status": status, "outcome": outcome, "kind": kind, "reason": reason, "escalations": escalations,
            }),
            Self::Assign { assignee, force } => {
                json!({ "assignee": assignee, "force": force, "escalations": escalations })
            }
        }
    }

    /// Whether an escalation is as it should be already, or is left with whoever else has it.
    fn passes(&self, actor: &Actor, status: Status, assignee: Option<&str>) -> bool {
        match self {
            Self::Move { outcome, .. } => outcome.is_none() && self.status() == Some(status),
            Self::Assign { assignee: to, force } => {
                status == Status::Closed
                    || assignee == to.as_deref()
                    || (!force && is_anothers(actor, assignee))
            }
        }
    }
}

/// Whether somebody else than the actor works on an escalation.
fn is_anothers(actor: &Actor, assignee: Option<&str>) -> bool {
    assignee.is_some_and(|member| actor.actor_type != "USER" || actor.name != member)
}

/// Which escalations.
#[derive(Clone, Debug)]
pub enum Chosen {
    Ids(Vec<i64>),
    Matching(Box<Filter>),
}

impl Chosen {
    /// Those that there are, the oldest first, and whether there are no more of them.
    fn find(&self, tx: &mut Tx, team_id: i64) -> Result<(Vec<Brief>, bool)> {
        let limit = BULK_MAX + 1;
        let mut found = match self {
            Self::Ids(ids) => escalations::briefs_of(tx, team_id, ids)?,
            Self::Matching(filter) => {
                escalations::briefs(tx, team_id, filter, true, i64::try_from(limit).unwrap_or(i64::MAX))?
            }
        };
        let is_all = found.len() < limit;
        found.truncate(BULK_MAX);
        Ok((found, is_all))
    }
}

/// What a change would do.
pub struct Preview {
    /// Escalations that would be changed.
    pub escalations: usize,
    /// Whether that is all of them.
    pub is_exact: bool,
    /// Escalations that are as they should be already, or are left with whoever else has them.
    pub unchanged: usize,
    /// Of all that were chosen, those that somebody else works on.
    pub of_others: usize,
    /// Escalations of the same identities that are closed as well, as their label says that nothing is wrong.
    pub closed_too: usize,
    pub identities: usize,
    /// Of those, whose scores are all good.
    pub unsuspicious: usize,
    /// By id and name.
    pub named: Vec<(String, Option<String>)>,
    /// What channels would be sent.
    pub deliveries: Vec<Planned>,
    /// Whether that is all: of many who are labeled, not everybody is looked at who is scored again for it.
    pub deliveries_are_exact: bool,
}

/// Looks what a change would do.
///
/// # Errors
/// Those of the store.
pub fn preview(
    tx: &mut Tx,
    actor: &Actor,
    context: &Context,
    chosen: &Chosen,
    change: &Change,
) -> Result<Preview> {
    let team_id = actor.team_id;
    let (found, is_exact) = chosen.find(tx, team_id)?;
    let total = found.len();
    let of_others = found
        .iter()
        .filter(|one| one.status != Status::Closed && is_anothers(actor, one.assignee.as_deref()))
        .count();
    let changed: Vec<_> =
        found.into_iter().filter(|one| !change.passes(actor, one.status, one.assignee.as_deref())).collect();
    let ids: BTreeSet<_> = changed.iter().map(|one| one.identity_id).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    let mut plan = Plan::read(tx, team_id)?;
    let mut closed_too = 0;
    if change.verdict().is_some_and(|verdict| verdict.outcome == Outcome::Good) {
        let chosen: BTreeSet<_> = changed.iter().map(|one| one.id).collect();
        for ids in ids.chunks(READ_AT_ONCE) {
            for other in escalations::active_of(tx, ids)?.iter().filter(|one| !chosen.contains(&one.id)) {
                plan.add(EventType::EscalationClosed, Some(&slugs(other)));
                closed_too += 1;
            }
        }
    }
    for one in &changed {
        match (one.status, change.status()) {
            (Status::Open | Status::Acknowledged, Some(Status::Closed)) => {
                plan.add(EventType::EscalationClosed, Some(&slugs(one)));
            }
            (Status::Closed, Some(Status::Open | Status::Acknowledged)) => {
                plan.add(EventType::EscalationOpened, Some(&slugs(one)));
            }
            _ => {}
        }
    }
    let (mut unsuspicious, mut named) = (0, Vec::new());
    for ids in ids.chunks(READ_AT_ONCE) {
        for identity in identities::load(tx, ids)? {
            let scores = Category::ALL.map(|category| identity.scores.get(category));
            let is_good = scores.iter().all(|score| score.is_none_or(|score| score >= UNSUSPICIOUS_MIN));
            unsuspicious += usize::from(is_good);
            if let Some(verdict) = change.verdict() {
                plan.add(EventType::IdentityLabeled, None);
                let badges = Standing::decode(identity.standing.as_deref()).map_err(broken)?.badges;
                let changes = match verdict.outcome {
                    Outcome::Bad => badges.iter().all(|badge| badge.slug != CONFIRMED_BAD),
                    Outcome::Good => badges.iter().any(|badge| badge.badge_type == BadgeType::Bad),
                };
                if changes {
                    plan.add(EventType::IdentityBadgesChanged, None);
                }
            }
            if named.len() < NAMED_MAX {
                named.push((identity.id, identity.display_name.or(identity.display_email)));
            }
        }
    }
    let deliveries_are_exact = change.verdict().is_none() || ids.len() <= LINKED_MAX;
    if change.verdict().is_some() {
        let looked_at = &ids[..ids.len().min(LINKED_MAX)];
        let mut rescored: BTreeSet<_> = ids.iter().copied().collect();
        for start in identities::load_cycle_starts(tx, looked_at)? {
            rescored.extend(labels::others(tx, context, &start)?);
        }
        rescored.iter().for_each(|_| plan.add(EventType::IdentityScored, None));
    }
    Ok(Preview {
        escalations: changed.len(),
        is_exact,
        unchanged: total - changed.len(),
        of_others,
        closed_too,
        identities: ids.len(),
        unsuspicious,
        named,
        deliveries: plan.planned(),
        deliveries_are_exact,
    })
}

/// The channels that are told of an escalation.
fn slugs(one: &Brief) -> Vec<String> {
    serde_json::from_str(&one.channels).unwrap_or_default()
}

/// Whoever asked, as it is stored.
#[derive(Serialize, Deserialize)]
struct Asker {
    actor_type: String,
    id: Option<i64>,
    name: String,
    mcp_token: Option<String>,
    address: Option<IpAddr>,
}

fn written(actor: &Actor) -> Result<String> {
    let Actor { actor_type, id, name, mcp_token, address, .. } = actor.clone();
    let asker = Asker { actor_type: actor_type.to_owned(), id, name, mcp_token, address };
    serde_json::to_string(&asker).map_err(broken)
}

/// Who asked for a change, or for its undoing.
///
/// # Errors
/// When what is stored cannot be read.
pub fn asker(team_id: i64, text: &str) -> Result<Actor> {
    let Asker { actor_type, id, name, mcp_token, address } = serde_json::from_str(text).map_err(broken)?;
    let known = ["USER", "CREDENTIAL"].into_iter().find(|known| *known == actor_type);
    Ok(Actor { team_id, actor_type: known.unwrap_or("SYSTEM"), id, name, mcp_token, address })
}

/// What is done to each escalation of a change.
///
/// # Errors
/// When what is stored cannot be read.
pub fn change_of(row: &BulkChange) -> Result<Change> {
    serde_json::from_str(&row.change).map_err(broken)
}

/// Has a change carried out; the answer is its id.
///
/// # Errors
/// Those of the store.
pub async fn begin(
    (db, long_reads): (&Store, &LongReads),
    actor: Actor,
    chosen: Chosen,
    change: Change,
    now: Timestamp,
) -> Result<i64> {
    let (by, text) = (written(&actor)?, serde_json::to_string(&change).map_err(broken)?);
    let team_id = actor.team_id;
    let (found, _) = long_reads.read(move |tx| chosen.find(tx, team_id)).await?;
    let ids: Vec<_> = found.iter().map(|one| (one.id, one.identity_id)).collect();
    db.write(move |tx| {
        let id = store::insert(tx, actor.team_id, (&by, &text), &ids, now)?;
        let after = change.told(ids.len());
        record(tx, &actor, "bulk-change.create", id, after, now)?;
        Ok(id)
    })
    .await
}

/// Has a change undone that is finished; `false` where it is not, or that was asked for before.
///
/// # Errors
/// Those of the store.
pub async fn undo(db: &Store, actor: Actor, id: i64, now: Timestamp) -> Result<bool> {
    let by = written(&actor)?;
    db.write(move |tx| {
        let is_begun = store::ask_undo(tx, id, &by, now)?;
        if is_begun {
            record(tx, &actor, "bulk-change.undo", id, json!({ "undone": true }), now)?;
        }
        Ok(is_begun)
    })
    .await
}

fn record(
    tx: &mut Tx,
    actor: &Actor,
    action: &'static str,
    id: i64,
    after: serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    let (target_id, after) = (id.to_string(), Some(after));
    let act = Act { action, target_type: "bulk-change", target_id: &target_id, before: None, after };
    audit::record(tx, actor, &act, now)
}

/// Carries out the next part of a change, or of what is to be undone; `false` when there is nothing to do.
///
/// # Errors
/// Those of the store.
pub async fn work(ops: &Labels<'_>, now: Timestamp) -> Result<bool> {
    let context = ops.context();
    let told = ops.store.write(move |tx| step(tx, &context, now)).await?;
    let Some(told) = told else { return Ok(false) };
    failpoint::reach(Failpoint::BulkChanged);
    ops.send(told);
    Ok(true)
}

fn step(tx: &mut Tx, context: &Context, now: Timestamp) -> Result<Option<BTreeSet<i64>>> {
    let Some(row) = store::unfinished(tx)? else {
        let is_any = store::forget_some(tx, now.plus_millis(-UNDO_DAYS * DAY_MS), FORGOTTEN_AT_ONCE)?;
        return Ok(is_any.then(BTreeSet::new));
    };
    let change = change_of(&row)?;
    let (from, by) = match &row.undone_by {
        Some(by) => (State::Changed, by),
        None => (State::Waiting, &row.actor),
    };
    let actor = asker(row.team_id, by)?;
    let items = store::items(tx, row.id, from, CHUNK)?;
    let mut told = BTreeSet::new();
    for item in &items {
        let found = escalations::find(tx, row.team_id, item.escalation_id)?;
        let (item, to) = match (from, found) {
            (State::Waiting, Some(found)) => {
                let done = Done { id: row.id, actor: &actor, change: &change };
                done.carry_out(tx, context, found, &mut told, now)?
            }
            (State::Waiting, None) => (item.clone(), State::Skipped),
            (_, found) => {
                let undone =
                    Undone { by: &asker(row.team_id, &row.actor)?.name, actor: &actor, change: &change };
                (item.clone(), undone.take_back(tx, context, item, found, &mut told, now)?)
            }
        };
        store::settle(tx, row.id, &item, from, to)?;
    }
    if items.is_empty() {
        store::finish(tx, &row, now)?;
    }
    Ok(Some(told))
}

/// A change that is carried out.
struct Done<'a> {
    id: i64,
    actor: &'a Actor,
    change: &'a Change,
}

impl Done<'_> {
    /// Does to an escalation what is asked for; says what it was before.
    fn carry_out(
        &self,
        tx: &mut Tx,
        context: &Context,
        found: Escalation,
        told: &mut BTreeSet<i64>,
        now: Timestamp,
    ) -> Result<(Item, State)> {
        let (status, assignee) = (found.status, found.assignee.clone());
        let mut item = Item { escalation_id: found.id, status: None, assignee: None, label_id: None };
        if self.change.passes(self.actor, status, assignee.as_deref()) {
            return Ok((item, State::Skipped));
        }
        match self.change {
            Change::Move { reason, .. } => {
                // Once for each identity.
                let is_labeled = store::has_labeled(tx, self.id, found.identity_row)?;
                let verdict = self.change.verdict().filter(|_| !is_labeled).map(|verdict| (verdict, None));
                let to =
                    self.change.status().ok_or_else(|| broken("a bulk change has a status that is none"))?;
                if verdict.is_none() && status == to {
                    return Ok((item, State::Skipped));
                }
                let others = match verdict {
                    Some(_) => escalations::active_of(tx, &[found.identity_row])?,
                    None => Vec::new(),
                };
                let to = Move { status: to, reason: reason.clone(), verdict };
                let moved = match move_in(tx, context, self.actor, &found, &to, now) {
                    // Refused before anything was written: the others do not wait for who has all labels there may be.
                    Ok(Err(_)) | Err(StoreError::TooMany { .. }) => return Ok((item, State::Skipped)),
                    Ok(Ok(moved)) => moved,
                    Err(error) => return Err(error),
                };
                item.label_id = moved.label;
                told.extend(moved.told);
                self.note(tx, found.id, others)?;
            }
            Change::Assign { assignee: to, .. } => {
                if !escalations::assign(tx, found.id, assignee.as_deref(), to.as_deref())? {
                    return Err(StoreError::Retry);
                }
                assignment::record(tx, self.actor, &found, to.as_deref(), now)?;
            }
        }
        Ok((Item { status: Some(status), assignee, ..item }, State::Changed))
    }

    /// Notes which others of the identity a label has closed, so that they are put back with it.
    fn note(&self, tx: &mut Tx, but: i64, others: Vec<Brief>) -> Result<()> {
        let mut closed = Vec::new();
        for other in others.into_iter().filter(|other| other.id != but) {
            let now = escalations::find(tx, self.actor.team_id, other.id)?;
            if now.is_some_and(|now| now.status == Status::Closed) {
                closed.push((other.id, other.identity_id, other.status, other.assignee));
            }
        }
        store::note_changed(tx, self.id, &closed)
    }
}

/// A change that is undone.
struct Undone<'a> {
    /// Who has made it.
    by: &'a str,
    /// Who has it undone.
    actor: &'a Actor,
    change: &'a Change,
}

impl Undone<'_> {
    /// Has an escalation as it was before, and withdraws the label, unless somebody has done so, or something else, since.
    fn take_back(
        &self,
        tx: &mut Tx,
        context: &Context,
        item: &Item,
        found: Option<Escalation>,
        told: &mut BTreeSet<i64>,
        now: Timestamp,
    ) -> Result<State> {
        let (Some(found), Some(status)) = (found, item.status) else { return Ok(State::Kept) };
        let mut is_undone = false;
        match self.change {
            Change::Move { .. } => {
                // First of all: a rule opens another one where none is open.
                if self.is_as_left(tx, &found)? {
                    let back = Move { status, reason: None, verdict: None };
                    if let Ok(moved) = move_in(tx, context, self.actor, &found, &back, now)? {
                        told.extend(moved.told);
                        is_undone = true;
                    }
                }
                let label = match item.label_id {
                    Some(id) => crate::store::labels::find(tx, self.actor.team_id, id)?,
                    None => None,
                };
                if let Some(label) = label.filter(|label| label.withdrawn_at.is_none()) {
                    told.extend(labels::withdraw(tx, context, self.actor, &label, now)?);
                    is_undone = true;
                }
            }
            Change::Assign { assignee, .. } => {
                let is_as_left = found.assignee == *assignee && found.status != Status::Closed;
                let (from, to) = (assignee.as_deref(), item.assignee.as_deref());
                if is_as_left && escalations::assign(tx, found.id, from, to)? {
                    assignment::record(tx, self.actor, &found, to, now)?;
                    is_undone = true;
                }
            }
        }
        Ok(if is_undone { State::Undone } else { State::Kept })
    }

    /// Whether an escalation is still where the change has moved it, and can go back.
    fn is_as_left(&self, tx: &mut Tx, found: &Escalation) -> Result<bool> {
        if Some(found.status) != self.change.status() {
            return Ok(false);
        }
        let by = match found.status {
            Status::Open => return Ok(true),
            Status::Acknowledged => found.acknowledged_by.as_deref(),
            Status::Closed => found.closed_by.as_deref(),
        };
        let is_alone = found.status != Status::Closed
            || escalations::open_of(tx, found.identity_row, found.rule_id)?.is_none();
        Ok(by == Some(self.by) && is_alone)
    }
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}
