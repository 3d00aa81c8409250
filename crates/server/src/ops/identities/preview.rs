//! What a change of an identity or a device would do, such as a label: told before it is made, by the scoring that would
//! do it.

use std::collections::{BTreeMap, HashMap};

use dregs_core::identity::Profile;
use dregs_core::notify::filter::ChannelFilter;
use dregs_core::notify::message::EventType;
use dregs_core::rules::EscalationRule;
use dregs_core::score::{Category, Scores};
use dregs_core::time::Timestamp;

use crate::ops::evaluate::evaluation::{self, Change, Scored, Seen, Supposed};
use crate::ops::identities::edit::linked;
use crate::ops::ingest::refold;
use crate::ops::long_reads::LongReads;
use crate::store::channels::{self, Subscriber};
use crate::store::escalations::{self, Status};
use crate::store::identities::{self, Identity};
use crate::store::labels;
use crate::store::links::{self, HashedKey};
use crate::store::{Result, StoreError, Tx};

/// What would happen.
#[derive(Default)]
pub struct Preview {
    /// Identities with other scores, badges or escalations than now, the largest change first.
    pub changed: Vec<Changed>,
    /// Identities that would be scored again, too, and come out as they are.
    pub unchanged: usize,
    /// Identities that would be scored again, of whom those above were looked at.
    pub total: usize,
    /// Whether that is all of them.
    pub total_is_exact: bool,
    /// What channels would be sent, by channel and type.
    pub deliveries: Vec<Planned>,
}

/// An identity that would come out otherwise.
pub struct Changed {
    pub id: String,
    pub name: Option<String>,
    pub before: Scores,
    pub after: Scores,
    /// Names of badges.
    pub badges_added: Vec<String>,
    pub badges_removed: Vec<String>,
    /// Rules by id and name.
    pub opened: Vec<(i64, String)>,
    pub closed: Vec<(i64, String)>,
}

/// Deliveries to a channel.
pub struct Planned {
    pub channel_id: i64,
    pub slug: String,
    /// Those of a disabled channel wait, paused.
    pub enabled: bool,
    pub event: EventType,
    pub count: usize,
    /// False where the channel leaves some out by its own conditions.
    pub is_exact: bool,
}

/// Scores everybody whom the change concerns as if it had been made. `None` when there is no such identity.
///
/// # Errors
/// Those of the store.
pub async fn preview(
    long_reads: &LongReads,
    seen: Seen,
    team_id: i64,
    (external_id, change): (String, Change),
    now: Timestamp,
) -> Result<Option<Preview>> {
    long_reads
        .read(move |tx| {
            let Some(tracked) = identities::tracked(tx, team_id, &external_id)? else { return Ok(None) };
            let data =
                serde_json::from_str(&tracked.data).map_err(|error| StoreError::Broken(error.to_string()))?;
            let profile = Profile::from_data(&data, seen.mappings.of(team_id));
            let state = refold::decode(tx, tracked.id, &tracked.state)?;
            let mut ids = linked(tx, &seen.hasher, team_id, tracked.id, &state, &profile)?;
            ids.insert(tracked.id);
            let ids: Vec<_> = ids.into_iter().collect();
            let known = identities::load(tx, &ids)?;
            let mut plan = Plan::read(tx, team_id)?;
            let labels = match change {
                Change::Labelled(_) => true,
                Change::Withdrawn { label, .. } => {
                    labels::in_force(tx, tracked.id, None)?.is_some_and(|(counting, _)| counting.id == label)
                }
                Change::Disregarded(_) => false,
            };
            if labels {
                plan.add(EventType::IdentityLabeled, None);
            }
            let seen = seen.supposing(Supposed { identity_id: tracked.id, change });
            let scored = evaluation::score(tx, &ids, &seen, now)?;
            told(tx, plan, &scored, known, &seen.rules.of(team_id).escalations).map(Some)
        })
        .await
}

/// Users of a device who are looked at, those who came last: it takes a second or so.
const PREVIEWED_MAX: usize = 200;
/// Users of a device who are counted.
const COUNTED_MAX: usize = 10_000;

/// Scores those who use a device as if it were disregarded, or were not.
///
/// # Errors
/// Those of the store.
pub async fn preview_device(
    reads: &LongReads,
    seen: Seen,
    key: HashedKey,
    disregarded: bool,
    now: Timestamp,
) -> Result<Preview> {
    let seen = seen.supposing_device(key, disregarded);
    reads
        .read(move |tx| {
            let holders = links::holders_after(tx, key, 0, COUNTED_MAX as i64 + 1)?;
            let ids = &holders[holders.len().saturating_sub(PREVIEWED_MAX)..];
            let (known, plan) = (identities::load(tx, ids)?, Plan::read(tx, key.team_id)?);
            let scored = evaluation::score(tx, ids, &seen, now)?;
            let looked_at = told(tx, plan, &scored, known, &seen.rules.of(key.team_id).escalations)?;
            Ok(Preview {
                // Of those who were looked at, some may be deleted.
                total: looked_at.total + (holders.len() - ids.len()).min(COUNTED_MAX - looked_at.total),
                total_is_exact: holders.len() <= COUNTED_MAX,
                ..looked_at
            })
        })
        .await
}

fn told(
    tx: &mut Tx,
    mut plan: Plan,
    scored: &[Scored],
    known: Vec<Identity>,
    rules: &[EscalationRule],
) -> Result<Preview> {
    let mut known: HashMap<_, _> = known.into_iter().map(|known| (known.row_id, known)).collect();
    let mut preview = Preview::default();
    for one in scored {
        let Some(identity) = known.remove(&one.start.id) else { continue };
        let changed = change_of(tx, one, identity, rules, &mut plan)?;
        let is_same = changed.before == changed.after
            && [&changed.badges_added, &changed.badges_removed].iter().all(|badges| badges.is_empty())
            && [&changed.opened, &changed.closed].iter().all(|rules| rules.is_empty());
        if is_same {
            preview.unchanged += 1;
        } else {
            preview.changed.push(changed);
        }
    }
    preview.changed.sort_by_key(|changed| std::cmp::Reverse(distance(changed)));
    preview.deliveries = plan.planned();
    preview.total = preview.changed.len() + preview.unchanged;
    preview.total_is_exact = true;
    Ok(preview)
}

/// The largest change of a score.
fn distance(changed: &Changed) -> u8 {
    let of = |category| {
        let (before, after) = (changed.before.get(category), changed.after.get(category));
        before.unwrap_or_default().abs_diff(after.unwrap_or_default())
    };
    Category::ALL.into_iter().map(of).max().unwrap_or_default()
}

fn change_of(
    tx: &mut Tx,
    one: &Scored,
    identity: Identity,
    rules: &[EscalationRule],
    plan: &mut Plan,
) -> Result<Changed> {
    let decision = &one.decided.decision;
    let names = |badges: &[dregs_core::badge::Badge]| badges.iter().map(|badge| badge.name.clone()).collect();
    plan.add(EventType::IdentityScored, None);
    if !decision.added.is_empty() || !decision.removed.is_empty() {
        plan.add(EventType::IdentityBadgesChanged, None);
    }
    let mut opened = Vec::new();
    for rule in rules.iter().filter(|rule| decision.opened.contains(&rule.id)) {
        plan.add(EventType::EscalationOpened, Some(&rule.channels));
        opened.push((rule.id, rule.name.clone()));
    }
    let mut closed = Vec::new();
    for rule in &decision.closed {
        let open = escalations::open_of(tx, identity.row_id, *rule)?;
        let Some(open) = open.filter(|open| open.status != Status::Closed) else { continue };
        let slugs: Vec<String> = serde_json::from_str(&open.channels).unwrap_or_default();
        plan.add(EventType::EscalationClosed, Some(&slugs));
        closed.push((open.rule_id, open.rule_name));
    }
    Ok(Changed {
        id: identity.id,
        name: identity.display_name.or(identity.display_email),
        before: identity.scores,
        after: one.found.scores,
        badges_added: names(&decision.added),
        badges_removed: names(&decision.removed),
        opened,
        closed,
    })
}

/// The types of events that follow from a change of an identity.
const EVENTS: [EventType; 5] = [
    EventType::IdentityScored,
    EventType::IdentityBadgesChanged,
    EventType::IdentityLabeled,
    EventType::EscalationOpened,
    EventType::EscalationClosed,
];

/// What channels would be sent.
pub struct Plan {
    subscribers: Vec<(EventType, Vec<Subscriber>)>,
    counts: BTreeMap<(i64, usize), Planned>,
}

impl Plan {
    /// # Errors
    /// Those of the store.
    pub fn read(tx: &mut Tx, team_id: i64) -> Result<Self> {
        let of = |event| Ok((event, channels::subscribers(tx, team_id, event)?));
        Ok(Self { subscribers: EVENTS.into_iter().map(of).collect::<Result<_>>()?, counts: BTreeMap::new() })
    }

    /// Counts an event; of an escalation only its own channels are told.
    pub fn add(&mut self, event: EventType, only: Option<&[String]>) {
        let Some(place) = EVENTS.iter().position(|known| *known == event) else { return };
        let (_, subscribers) = &self.subscribers[place];
        for to in subscribers.iter().filter(|to| only.is_none_or(|slugs| slugs.contains(&to.slug))) {
            let planned = self.counts.entry((to.channel_id, place)).or_insert_with(|| Planned {
                channel_id: to.channel_id,
                slug: to.slug.clone(),
                enabled: to.enabled,
                event,
                count: 0,
                is_exact: to.filter.as_ref().is_none_or(ChannelFilter::is_open),
            });
            planned.count += 1;
        }
    }

    pub fn planned(self) -> Vec<Planned> {
        self.counts.into_values().collect()
    }
}
