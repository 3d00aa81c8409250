//! What channels leave out: of what happens now, and of what is replayed.

use std::collections::{BTreeMap, HashMap};

use dregs_core::badge::Badge;
use dregs_core::notify::filter::{ChannelFilter, Scored, Told};
use dregs_core::rules::{Ground, Happened, Heard, Standing};
use dregs_core::score::Scores;
use dregs_core::time::Timestamp;
use serde::Deserialize;

use crate::ops::evaluate::evaluation::Seen;
use crate::ops::evaluate::events;
use crate::store::analyses::Analysis;
use crate::store::channels::{LeftOut, Subscriber};
use crate::store::deliveries::{Finished, Subject};
use crate::store::identities::Identity;
use crate::store::notifications::Notification;
use crate::store::{Result, StoreError, Tx, analyses, identities, notifications};

/// Those of the channels that want to hear of an event of an identity, which has these scores; what the others leave
/// out is added to `left_out`. Where no channel has conditions, nothing is read.
///
/// # Errors
/// Those of the store.
pub fn wanted(
    tx: &mut Tx,
    to: &[Subscriber],
    (identity_id, scores): (i64, &Scores),
    now: Timestamp,
    left_out: &mut LeftOut,
) -> Result<Vec<Subscriber>> {
    if to.iter().all(|to| to.filter.as_ref().is_none_or(|filter| filter.conditions.is_empty())) {
        return Ok(to.to_vec());
    }
    let Some(identity) = identities::load(tx, &[identity_id])?.pop() else { return Ok(to.to_vec()) };
    let standing = standing(&identity)?;
    let told = told(&identity, &standing, scores, now);
    let (wanted, others): (Vec<_>, Vec<_>) = to.iter().cloned().partition(|to| {
        let heard = standing.heard.get(&to.channel_id).copied();
        to.filter.as_ref().is_none_or(|filter| filter.admits(&Told { heard, ..told }))
    });
    for other in others {
        *left_out.entry(other.channel_id).or_default() += 1;
    }
    Ok(wanted)
}

fn standing(identity: &Identity) -> Result<Standing> {
    Standing::decode(identity.standing.as_deref()).map_err(|error| StoreError::Broken(error.to_string()))
}

fn told<'a>(identity: &Identity, standing: &'a Standing, scores: &'a Scores, at: Timestamp) -> Told<'a> {
    let first_seen_at = identity.first_seen_at;
    let (badges, agent) = (standing.badges.as_slice(), standing.agent.as_ref());
    Told { scores, first_seen_at, badges, agent, heard: None, at }
}

/// What a notification says of its identity.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    scores: Option<Scores>,
    badges: Option<Vec<Badge>>,
}

/// The last scores of each identity that a replay lets through, where the channel wants to hear of changes.
pub type Known = BTreeMap<i64, Scores>;

/// Which of these deliveries a replay sends, by the conditions of now: an identity as each event told of it then, and
/// what an event did not tell as it is now; conditions about events are asked as in a rule's preview. What cannot be judged, since its rows are gone, is sent. `known` is what
/// the pieces before have let through; the other answer is what this one adds.
///
/// # Errors
/// Those of the store.
pub fn replayed(
    tx: &mut Tx,
    (filter, seen, now): (&ChannelFilter, &Seen, Timestamp),
    found: &[Finished],
    known: &Known,
) -> Result<(Vec<i64>, Known)> {
    if filter.is_open() {
        return Ok((found.iter().map(|finished| finished.id).collect(), Known::new()));
    }
    let past = Past::load(tx, found)?;
    let heard = if filter.asks_events() {
        heard(tx, past.identities.keys().copied().collect(), (filter, seen, now))?
    } else {
        HashMap::new()
    };
    let mut added = Known::new();
    let mut sent = Vec::new();
    for finished in found {
        let identity = finished.identity_id.and_then(|id| past.identities.get(&id));
        let heard = finished.identity_id.and_then(|id| heard.get(&id)).copied();
        let is_sent = match (identity, finished.subject) {
            (Some(identity), Subject::Cycle { identity_id, sequence }) => {
                past.cycles.get(&(identity_id, sequence)).is_none_or(|analysis| {
                    let last = added.get(&identity_id).or_else(|| known.get(&identity_id));
                    let is_sent = admits(filter, (identity, heard), analysis, last);
                    if is_sent && matches!(filter.scored, Scored::Changed { .. }) {
                        added.insert(identity_id, analysis.scores);
                    }
                    is_sent
                })
            }
            (Some(identity), Subject::Notification { id }) => match past.notified.get(&id) {
                Some(notification) if finished.event.has_identity() => {
                    admits_notified(filter, (identity, heard), notification)?
                }
                _ => true,
            },
            (None, _) => true,
        };
        if is_sent {
            sent.push(finished.id);
        }
    }
    Ok((sent, added))
}

/// What deliveries tell of.
struct Past {
    cycles: HashMap<(i64, i64), Analysis>,
    notified: HashMap<i64, Notification>,
    identities: HashMap<i64, Identity>,
}

impl Past {
    fn load(tx: &mut Tx, found: &[Finished]) -> Result<Self> {
        let (mut cycles, mut notified) = (Vec::new(), Vec::new());
        for finished in found {
            match finished.subject {
                Subject::Cycle { identity_id, sequence } => cycles.push((identity_id, sequence)),
                Subject::Notification { id } => notified.push(id),
            }
        }
        cycles.sort_unstable();
        cycles.dedup();
        let mut ids: Vec<_> = found.iter().filter_map(|finished| finished.identity_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let cycles = analyses::load(tx, &cycles)?.into_iter();
        let notified = notifications::load(tx, &notified)?.into_iter();
        let identities = identities::load(tx, &ids)?.into_iter();
        Ok(Self {
            cycles: cycles.map(|(one, _)| ((one.identity_id, one.sequence), one)).collect(),
            notified: notified.map(|one| (one.id, one)).collect(),
            identities: identities.map(|one| (one.row_id, one)).collect(),
        })
    }
}

/// What the events of identities say to a filter now.
fn heard(
    tx: &mut Tx,
    ids: Vec<i64>,
    (filter, seen, now): (&ChannelFilter, &Seen, Timestamp),
) -> Result<HashMap<i64, Heard>> {
    let mut heard = HashMap::new();
    for start in identities::load_cycle_starts(tx, &ids)? {
        let standing = Standing::decode(start.standing.as_deref())
            .map_err(|error| StoreError::Broken(error.to_string()))?;
        let scores = start.previous.unwrap_or_default();
        let ask = |event: Option<&Happened>| {
            let carried = standing.badges.iter().map(|badge| badge.slug.as_str()).collect();
            let lists = Some((seen.lists.of(start.team_id).as_ref(), now));
            let ground = Ground {
                scores: &scores,
                carried: &carried,
                agent: standing.agent.as_ref(),
                event: None,
                lists,
            };
            filter.hear(None, event.map(std::slice::from_ref).unwrap_or_default(), &ground)
        };
        heard.insert(start.id, events::ask_newest(tx, &start, seen, &filter.conditions, ask)?);
    }
    Ok(heard)
}

fn admits(
    filter: &ChannelFilter,
    (identity, heard): (&Identity, Option<Heard>),
    analysis: &Analysis,
    last: Option<&Scores>,
) -> bool {
    let Analysis { scores, detail, finished_at, .. } = analysis;
    let told = Told {
        scores,
        first_seen_at: identity.first_seen_at,
        badges: &detail.badges,
        agent: detail.agent.as_ref(),
        heard,
        at: *finished_at,
    };
    filter.admits(&told) && filter.scored.admits(scores, detail.previous_scores.as_ref(), last)
}

fn admits_notified(
    filter: &ChannelFilter,
    (identity, heard): (&Identity, Option<Heard>),
    notification: &Notification,
) -> Result<bool> {
    let Data { scores, badges } = serde_json::from_str(&notification.data).unwrap_or_default();
    let mut standing = standing(identity)?;
    standing.badges = badges.unwrap_or(standing.badges);
    let scores = scores.unwrap_or(identity.scores);
    Ok(filter.admits(&Told { heard, ..told(identity, &standing, &scores, notification.occurred_at) }))
}

/// Whether a channel leaves out a cycle that has just ended.
pub fn leaves_out(to: &Subscriber, told: &Told, previous: Option<&Scores>, last: Option<&Scores>) -> bool {
    to.filter
        .as_ref()
        .is_some_and(|filter| !(filter.admits(told) && filter.scored.admits(told.scores, previous, last)))
}

/// What is remembered of who was told what, after a cycle that these channels, of all that listen, do not leave out.
pub fn remember<'a>(
    told: &mut BTreeMap<i64, Scores>,
    scores: &Scores,
    listeners: impl Iterator<Item = (&'a Subscriber, bool)>,
) {
    let before = std::mem::take(told);
    for (to, is_told) in listeners {
        let is_asked = matches!(&to.filter, Some(ChannelFilter { scored: Scored::Changed { .. }, .. }));
        let last = if is_told { Some(*scores) } else { before.get(&to.channel_id).copied() };
        if let Some(last) = last.filter(|_| is_asked) {
            told.insert(to.channel_id, last);
        }
    }
}
