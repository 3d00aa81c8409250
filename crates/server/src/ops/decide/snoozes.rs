//! Escalation rules that a person puts off for one identity, until a time.

use dregs_core::link::KeyHasher;
use dregs_core::rules::{Snooze, Standing};
use dregs_core::time::Timestamp;
use serde_json::json;

use super::dismissals::{finish, read};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::decide::decisions;
use crate::ops::directories::Directories;
use crate::ops::evaluate::evaluation::Seen;
use crate::ops::handoff::{Handoff, Outgoing};
use crate::store::escalation_history::{self, Kind, NewEntry};
use crate::store::escalations::{self, Mover, Status};
use crate::store::identities::{CycleStart, Identity};
use crate::store::{Result, Store, StoreError};

/// Why what a snoozed rule has open is closed.
pub(super) fn told(snooze: &Snooze) -> String {
    let by_itself = || format!("Snoozed until {}.", snooze.until.to_minute());
    snooze.reason.clone().unwrap_or_else(by_itself)
}

/// Of a snooze that begins.
struct Closing {
    reason: String,
    until: Timestamp,
}

/// What puts rules off.
pub struct Snoozes<'a> {
    pub store: &'a Store,
    pub kept: &'a Directories,
    pub hasher: KeyHasher,
    pub deliveries: &'a Handoff<Outgoing>,
}

impl Snoozes<'_> {
    /// Has a rule open nothing of an identity until a time, in place of an earlier snooze; what it has open is closed.
    /// `None` when the identity is gone.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn snooze(
        &self,
        actor: Actor,
        identity: Identity,
        snooze: Snooze,
        now: Timestamp,
    ) -> Result<Option<Identity>> {
        let Snooze { rule, until, .. } = snooze;
        let after = json!({ "rule": rule, "until": until, "reason": &snooze.reason });
        let closing = Some(Closing { reason: told(&snooze), until });
        let change = move |standing: &mut Standing| {
            standing.snoozed.retain(|known| known.rule != rule);
            standing.snoozed.push(snooze.clone());
            true
        };
        let is_kept = move |standing: &Standing| {
            standing.snoozed.iter().any(|one| one.rule == rule && one.until == until)
        };
        let act = ("identity.snooze-rule", after);
        self.change(actor, identity, act, rule, (change, is_kept, closing), now).await
    }

    /// Ends a snooze: the rule opens an escalation if it holds. `None` when there is none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end(
        &self,
        actor: Actor,
        identity: Identity,
        rule: i64,
        now: Timestamp,
    ) -> Result<Option<Identity>> {
        let change = move |standing: &mut Standing| {
            let count = standing.snoozed.len();
            standing.snoozed.retain(|known| known.rule != rule);
            standing.snoozed.len() < count
        };
        let is_kept = move |standing: &Standing| standing.snoozed.iter().all(|one| one.rule != rule);
        let after = json!({ "rule": rule });
        let act = ("identity.end-snooze", after);
        self.change(actor, identity, act, rule, (change, is_kept, None), now).await
    }

    /// Changes what is remembered of an identity and asks its rules; `change` says whether there was anything to change.
    /// `closing` is of a snooze that begins.
    async fn change(
        &self,
        actor: Actor,
        identity: Identity,
        (action, after): (&'static str, serde_json::Value),
        rule: i64,
        (change, is_kept, closing): (
            impl Fn(&mut Standing) -> bool + Send + 'static,
            impl Fn(&Standing) -> bool + Send + 'static,
            Option<Closing>,
        ),
        now: Timestamp,
    ) -> Result<Option<Identity>> {
        let seen = Seen::now(self.kept, self.hasher);
        let written = self
            .store
            .write(move |tx| {
                let Some((start, mut standing)) = read(tx, &identity)? else { return Ok(None) };
                if !change(&mut standing) {
                    return Ok(None);
                }
                // Before it opens another one.
                let of = escalations::newest_of(tx, identity.row_id, rule)?;
                let encoded = standing.encode().map_err(|error| StoreError::Broken(error.to_string()))?;
                let start = CycleStart { standing: encoded, ..start };
                let mut told = match decisions::ask(&start, seen.rules.of(start.team_id), now)? {
                    Some(decided) => decisions::save_numbered(tx, decided, &seen, now)?,
                    None => decisions::keep(tx, &start)?,
                };
                // What was reopened by hand is none that its rule closes.
                if let Some(closing) = &closing
                    && let Some(open) = escalations::open_of(tx, identity.row_id, rule)?
                {
                    let to = (Status::Closed, Mover { by: Some(&actor.name), reason: Some(&closing.reason) });
                    told.extend(decisions::move_on(
                        tx,
                        actor.team_id,
                        &open,
                        to,
                        &identity.scores,
                        None,
                        now,
                    )?);
                }
                if let Some(escalation) = of {
                    let until = closing.as_ref().map(|closing| closing.until.to_string());
                    let entry = NewEntry {
                        team_id: actor.team_id,
                        of: (identity.row_id, escalation),
                        kind: if closing.is_some() { Kind::Snoozed } else { Kind::SnoozeEnded },
                        actor: Some(&actor.name),
                        text: until.as_deref(),
                        at: now,
                    };
                    escalation_history::insert(tx, &[entry])?;
                }
                let act = Act {
                    action,
                    target_type: "identity",
                    target_id: &identity.id,
                    before: None,
                    after: Some(after.clone()),
                };
                audit::record(tx, &actor, &act, now)?;
                finish(tx, &identity, &is_kept, told.into_iter().collect(), now)
            })
            .await?;
        let Some((identity, told)) = written else { return Ok(None) };
        for channel_id in told {
            self.deliveries.spill(channel_id);
        }
        Ok(Some(identity))
    }
}
