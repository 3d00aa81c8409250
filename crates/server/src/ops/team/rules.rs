//! Rules: changed, and kept in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use dregs_core::badge::BadgeType;
use dregs_core::rules::{
    Addition, BadgeRule, Condition, EscalationRule, Kind as RuleKind, Rules, Severity, names_events,
    starter_rules,
};
use dregs_core::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::limit::{self, Limit};
use crate::ops::audit::{self, Act, Actor};
use crate::ops::bounds::{self, Bound};
use crate::ops::directories::Directories;
use crate::ops::evaluate::rescore::{self, Concern};
use crate::ops::team::rule_versions;
use crate::store::rule_versions::Of;
use crate::store::rules::{self, Kept};
use crate::store::{Result, Store, Tx, badges};

/// The rules of every team that are switched on.
#[derive(Default)]
pub struct Directory(RwLock<Arc<OfTeams>>);

/// The rules as they were at one moment.
#[derive(Default)]
pub struct OfTeams {
    of_teams: HashMap<i64, Rules>,
    none: Rules,
}

impl OfTeams {
    pub fn of(&self, team_id: i64) -> &Rules {
        self.of_teams.get(&team_id).unwrap_or(&self.none)
    }
}

impl Directory {
    pub fn current(&self) -> Arc<OfTeams> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the rules again.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn reload(&self, store: &Store) -> Result<()> {
        let (badges, escalations) =
            store.read(|tx| Ok((rules::all_badges(tx)?, rules::all_escalations(tx)?))).await?;
        let mut of_teams: HashMap<i64, Rules> = HashMap::new();
        for kept in badges.into_iter().filter(|kept| kept.enabled) {
            of_teams.entry(kept.team_id).or_default().badges.push(kept.rule);
        }
        for kept in escalations.into_iter().filter(|kept| kept.enabled) {
            of_teams.entry(kept.team_id).or_default().escalations.push(kept.rule);
        }
        let all = OfTeams { of_teams, none: Rules::default() };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
        Ok(())
    }
}

/// A kind of rule, as far as changing it goes.
pub trait Rule: Clone + Send + 'static {
    /// What the audit log calls one, and making, changing and removing one.
    const TARGET: &'static str;
    const ACTIONS: [&'static str; 3];
    /// The same of drafting a change of one, of discarding the draft, and of putting it in force.
    const DRAFT_ACTIONS: [&'static str; 3];
    /// How many a team may have.
    const BOUND: Bound;
    const KIND: RuleKind;

    fn id(&self) -> i64;
    fn conditions(&self) -> &[Condition];
    /// As the audit log tells it: how the API takes it, and what follows from that.
    fn told(kept: &Kept<Self>) -> Value;
    /// `kept` as it was when [`Self::told`] said this of it.
    fn as_told(kept: &Kept<Self>, told: &str) -> serde_json::Result<Kept<Self>>;
    fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Kept<Self>>>;
    fn insert(tx: &mut Tx, kept: &Kept<Self>) -> Result<i64>;
    /// Changes it; where it is asked anew, what is remembered of it counts no more.
    fn update(tx: &mut Tx, kept: &Kept<Self>, asks_anew: bool) -> Result<()>;
    fn delete(tx: &mut Tx, id: i64) -> Result<()>;
}

impl Rule for BadgeRule {
    const TARGET: &'static str = "badge-rule";
    const ACTIONS: [&'static str; 3] = ["badge-rule.create", "badge-rule.change", "badge-rule.delete"];
    const DRAFT_ACTIONS: [&'static str; 3] =
        ["badge-rule.draft", "badge-rule.discard-draft", "badge-rule.promote-draft"];
    const BOUND: Bound = bounds::BADGE_RULES;
    const KIND: RuleKind = RuleKind::Badge;

    fn id(&self) -> i64 {
        self.id
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn told(kept: &Kept<Self>) -> Value {
        let rule = &kept.rule;
        json!({
            "name": rule.name,
            "slug": rule.slug,
            "type": rule.badge_type,
            "priority": rule.priority,
            "conditions": rule.conditions,
            "applyDelaySeconds": rule.apply_delay_seconds,
            "removeDelaySeconds": rule.remove_delay_seconds,
            "addsToLists": rule.adds_to_lists,
            "enabled": kept.enabled,
        })
    }

    fn as_told(kept: &Kept<Self>, told: &str) -> serde_json::Result<Kept<Self>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Told {
            name: String,
            #[serde(rename = "type")]
            badge_type: BadgeType,
            priority: i64,
            conditions: Vec<Condition>,
            apply_delay_seconds: u64,
            remove_delay_seconds: u64,
            #[serde(default)]
            adds_to_lists: Vec<Addition>,
            enabled: bool,
        }
        let told: Told = serde_json::from_str(told)?;
        let rule = Self {
            name: told.name,
            badge_type: told.badge_type,
            priority: told.priority,
            conditions: told.conditions,
            apply_delay_seconds: told.apply_delay_seconds,
            remove_delay_seconds: told.remove_delay_seconds,
            adds_to_lists: told.adds_to_lists,
            ..kept.rule.clone()
        };
        Ok(Kept { rule, enabled: told.enabled, ..kept.clone() })
    }

    fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Kept<Self>>> {
        rules::find_badge(tx, team_id, id)
    }

    fn insert(tx: &mut Tx, kept: &Kept<Self>) -> Result<i64> {
        rules::insert_badge(tx, kept)
    }

    fn update(tx: &mut Tx, kept: &Kept<Self>, asks_anew: bool) -> Result<()> {
        rules::update_badge(tx, kept, asks_anew)
    }

    fn delete(tx: &mut Tx, id: i64) -> Result<()> {
        rules::delete_badge(tx, id)
    }
}

impl Rule for EscalationRule {
    const TARGET: &'static str = "escalation-rule";
    const ACTIONS: [&'static str; 3] =
        ["escalation-rule.create", "escalation-rule.change", "escalation-rule.delete"];
    const DRAFT_ACTIONS: [&'static str; 3] =
        ["escalation-rule.draft", "escalation-rule.discard-draft", "escalation-rule.promote-draft"];
    const BOUND: Bound = bounds::ESCALATION_RULES;
    const KIND: RuleKind = RuleKind::Escalation;

    fn id(&self) -> i64 {
        self.id
    }

    fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    fn told(kept: &Kept<Self>) -> Value {
        let rule = &kept.rule;
        json!({
            "name": rule.name,
            "severity": rule.severity,
            "channels": rule.channels,
            "conditions": rule.conditions,
            "openAfterSeconds": rule.open_after_seconds,
            "closeAfterSeconds": rule.close_after_seconds,
            "effectiveAt": rule.effective_at,
            "addsToLists": rule.adds_to_lists,
            "enabled": kept.enabled,
        })
    }

    fn as_told(kept: &Kept<Self>, told: &str) -> serde_json::Result<Kept<Self>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Told {
            name: String,
            severity: Severity,
            channels: Vec<String>,
            conditions: Vec<Condition>,
            open_after_seconds: u64,
            close_after_seconds: u64,
            effective_at: Option<Timestamp>,
            #[serde(default)]
            adds_to_lists: Vec<Addition>,
            enabled: bool,
        }
        let told: Told = serde_json::from_str(told)?;
        let rule = Self {
            name: told.name,
            severity: told.severity,
            channels: told.channels,
            conditions: told.conditions,
            open_after_seconds: told.open_after_seconds,
            close_after_seconds: told.close_after_seconds,
            effective_at: told.effective_at,
            adds_to_lists: told.adds_to_lists,
            ..kept.rule.clone()
        };
        Ok(Kept { rule, enabled: told.enabled, ..kept.clone() })
    }

    fn find(tx: &mut Tx, team_id: i64, id: i64) -> Result<Option<Kept<Self>>> {
        rules::find_escalation(tx, team_id, id)
    }

    fn insert(tx: &mut Tx, kept: &Kept<Self>) -> Result<i64> {
        rules::insert_escalation(tx, kept)
    }

    fn update(tx: &mut Tx, kept: &Kept<Self>, asks_anew: bool) -> Result<()> {
        rules::update_escalation(tx, kept, asks_anew)
    }

    fn delete(tx: &mut Tx, id: i64) -> Result<()> {
        rules::delete_escalation(tx, id)
    }
}

/// A change of a rule.
pub enum Change<R> {
    Create(Kept<R>),
    Update { before: Kept<R>, after: Kept<R> },
    Delete(Kept<R>),
}

/// Changes a rule, and has everybody decided on again. Answers the rule as it is then.
///
/// # Errors
/// [`StoreError::Conflict`] when there is a rule of that name.
pub async fn change<R: Rule + Sync>(
    store: &Store,
    kept: &Directories,
    actor: Actor,
    change: Change<R>,
    now: Timestamp,
) -> Result<Option<Kept<R>>> {
    let team_id = actor.team_id;
    let changed = store
        .write(move |tx| {
            let [create, replace, delete] = R::ACTIONS;
            let mut asks_anew = true;
            let (action, id, before) = match &change {
                Change::Create(kept) => {
                    R::BOUND.check_team(tx, team_id)?;
                    (create, R::insert(tx, kept)?, None)
                }
                Change::Update { before, after } => {
                    let id = before.rule.id();
                    asks_anew = R::find(tx, team_id, id)?.is_none_or(|known| {
                        known.rule.conditions() != after.rule.conditions() || !known.enabled
                    });
                    R::update(tx, after, asks_anew)?;
                    (replace, id, Some(before))
                }
                Change::Delete(kept) => {
                    R::delete(tx, kept.rule.id())?;
                    (delete, kept.rule.id(), Some(kept))
                }
            };
            let after = R::find(tx, team_id, id)?;
            let of = Of { team_id, kind: R::KIND, rule_id: id };
            let dropped = rule_versions::keep(tx, of, before, after.as_ref(), &actor.name)?;
            let act = Act {
                action,
                target_type: R::TARGET,
                target_id: &id.to_string(),
                before: before.map(R::told),
                after: after.as_ref().map(R::told),
            };
            audit::record(tx, &actor, &act, now)?;
            rescore::begin(tx, team_id, Concern::Rules, "", now)?;
            if let Some(after) = after.as_ref().filter(|after| asks_anew && after.enabled) {
                ask_anew(tx, team_id, &after.rule, now)?;
            }
            Ok((after, dropped))
        })
        .await?;
    kept.reload_changed(now).await?;
    let (after, dropped) = changed;
    if dropped > 0 {
        limit::reached(Limit::RuleVersions);
    }
    Ok(after)
}

/// Has a rule asked about events that have been: one that names none, about the newest of everybody, whichever it is; any
/// other, of those alone of whom it spoke before.
fn ask_anew<R: Rule>(tx: &mut Tx, team_id: i64, rule: &R, now: Timestamp) -> Result<()> {
    let conditions = rule.conditions();
    if !conditions.iter().any(Condition::is_of_events) {
        return Ok(());
    }
    let concern =
        if names_events(conditions) { Concern::Held(R::KIND, rule.id()) } else { Concern::NewestEvents };
    rescore::begin(tx, team_id, concern, "", now)
}

/// Row ids of the identities that carry a GOOD badge.
///
/// # Errors
/// Those of the store.
pub fn good_carriers(tx: &mut Tx, team_id: i64) -> Result<HashSet<i64>> {
    let mut good = HashSet::new();
    for kept in rules::all_badges(tx)? {
        if kept.team_id == team_id && kept.rule.badge_type == BadgeType::Good {
            good.extend(badges::carriers(tx, team_id, &kept.rule.slug)?);
        }
    }
    Ok(good)
}

/// A rule that is switched on.
fn new<R>(team_id: i64, rule: R, now: Timestamp) -> Kept<R> {
    Kept { team_id, version: 1, enabled: true, rule, created_at: now, updated_at: now }
}

/// Gives a new team the rules it begins with.
///
/// # Errors
/// Those of the store.
pub fn starter(tx: &mut Tx, team_id: i64, now: Timestamp) -> Result<()> {
    let Rules { badges, escalations } = starter_rules();
    for rule in badges {
        rules::insert_badge(tx, &new(team_id, rule, now))?;
    }
    for rule in escalations {
        rules::insert_escalation(tx, &new(team_id, rule, now))?;
    }
    Ok(())
}
