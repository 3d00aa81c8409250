//! Who works on an escalation. No two people get the same one.

use dregs_core::time::Timestamp;
use serde_json::json;

use crate::ops::audit::{self, Act, Actor};
use crate::store::escalation_history::{self, Kind, NewEntry};
use crate::store::escalations::{self, Escalation, Filter, Status};
use crate::store::{Result, Store, Tx};

/// Free escalations that are looked at by whoever takes one: others take the first of them at the same moment.
const LOOKED_AT: i64 = 32;
/// Tries of whom others get in between.
const TRIES: usize = 4;

/// Why an escalation is not assigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    Gone,
    Closed,
    /// This member has it.
    Taken(String),
}

/// Gives an escalation to a member, or to nobody. What somebody else has is left with them, unless `force`.
///
/// # Errors
/// Those of the store.
pub async fn assign(
    store: &Store,
    actor: Actor,
    (id, to): (i64, Option<String>),
    force: bool,
    now: Timestamp,
) -> Result<std::result::Result<(), Refused>> {
    store
        .write(move |tx| {
            let mut held = None;
            for _ in 0..TRIES {
                let Some(escalation) = escalations::find(tx, actor.team_id, id)? else {
                    return Ok(Err(Refused::Gone));
                };
                if escalation.status == Status::Closed {
                    return Ok(Err(Refused::Closed));
                }
                if escalation.assignee == to {
                    return Ok(Ok(()));
                }
                let others = escalation.assignee.as_deref().filter(|member| !is(&actor, member));
                if let Some(member) = others.filter(|_| !force) {
                    return Ok(Err(Refused::Taken(member.to_owned())));
                }
                if escalations::assign(tx, id, escalation.assignee.as_deref(), to.as_deref())? {
                    record(tx, &actor, &escalation, to.as_deref(), now)?;
                    return Ok(Ok(()));
                }
                held = escalation.assignee;
            }
            Ok(Err(held.map_or(Refused::Gone, Refused::Taken)))
        })
        .await
}

fn is(actor: &Actor, member: &str) -> bool {
    actor.actor_type == "USER" && actor.name == member
}

/// Gives a member the next open escalation that nobody works on, the worst first and of those the oldest; the answer is
/// its id, if there is one.
///
/// # Errors
/// Those of the store.
pub async fn take_next(store: &Store, actor: &Actor, filter: &Filter, now: Timestamp) -> Result<Option<i64>> {
    let team_id = actor.team_id;
    loop {
        // To look for them may take a while, and keeps nobody from writing.
        let asked = filter.clone();
        let free = store.read(move |tx| escalations::free(tx, team_id, &asked, LOOKED_AT)).await?;
        if free.is_empty() {
            return Ok(None);
        }
        let actor = actor.clone();
        let taken = store.write(move |tx| {
            for id in &free {
                if escalations::take(tx, *id, &actor.name)? {
                    if let Some(escalation) = escalations::find(tx, team_id, *id)? {
                        let free = Escalation { assignee: None, ..escalation };
                        record(tx, &actor, &free, Some(&actor.name), now)?;
                    }
                    return Ok(Some(*id));
                }
            }
            Ok(None)
        });
        // Others have taken them all: there are fewer now.
        if let Some(id) = taken.await? {
            return Ok(Some(id));
        }
    }
}

/// Takes whatever is not closed from a member who works on nothing any more.
///
/// # Errors
/// Those of the store.
pub fn let_go(tx: &mut Tx, actor: &Actor, member: &str, now: Timestamp) -> Result<()> {
    let freed = escalations::let_go(tx, actor.team_id, member)?;
    let entry = |(id, identity): (i64, i64)| NewEntry {
        team_id: actor.team_id,
        of: (identity, id),
        kind: Kind::Assigned,
        actor: Some(&actor.name),
        text: None,
        at: now,
    };
    let entries: Vec<_> = freed.into_iter().map(entry).collect();
    escalation_history::insert(tx, &entries).map(drop)
}

/// Writes down that an escalation has gone to a member, or to nobody.
///
/// # Errors
/// Those of the store.
pub(super) fn record(
    tx: &mut Tx,
    actor: &Actor,
    escalation: &Escalation,
    to: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let entry = NewEntry {
        team_id: actor.team_id,
        of: (escalation.identity_row, escalation.id),
        kind: Kind::Assigned,
        actor: Some(&actor.name),
        text: to,
        at: now,
    };
    escalation_history::insert(tx, &[entry])?;
    let act = Act {
        action: "escalation.assign",
        target_type: "escalation",
        target_id: &escalation.id.to_string(),
        before: Some(json!({ "assignee": escalation.assignee })),
        after: Some(json!({ "assignee": to })),
    };
    audit::record(tx, actor, &act, now)
}
