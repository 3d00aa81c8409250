//! The facts that a team's rules may ask for, with values that its latest events have.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use dregs_core::event::Event;
use dregs_core::fact::{Fact, OfIdentity, PATH_MAX_BYTES, Subject, Value};
use dregs_core::identity::Profile;
use dregs_core::state::IdentityState;
use serde_json::{Map, Value as Json};

use crate::ops::evaluate::evaluation::Seen;
use crate::store::{Result, Tx, events};

/// Events that are looked at, whatever their types: the newest.
const NEWEST_EVENTS: i64 = 500;
/// Types whose latest events are looked at: those of the newest events, then those that were heard of last.
const TYPES_MAX: usize = 200;
/// Events of one type that are looked at, and of all types together: of many types fewer of each.
const EVENTS_OF_TYPE: usize = 100;
const EVENTS_OF_TYPES: usize = 4_000;
/// Fields of data that are told.
const FIELDS_MAX: usize = 500;
/// How deep fields are looked for.
const DEPTH_MAX: usize = 4;
/// Types of events that are told of one field, about.
const TYPES_TOLD_MAX: usize = 50;
/// Values of one fact that are told, and how much of one.
const VALUES_MAX: usize = 5;
const VALUE_MAX_CHARS: usize = 60;

/// A fact, and values it has had.
pub struct Known {
    pub fact: Fact,
    /// Different ones, the newest first.
    pub values: Vec<Value>,
    /// Of a field: the names and the canonical types of events that carry it.
    pub event_types: BTreeSet<String>,
}

/// What events say of a fact.
#[derive(Default)]
struct Said {
    values: Vec<Value>,
    event_types: BTreeSet<String>,
}

/// Those that every event may have, and the fields that events of each type carried lately, so that those of a rare type
/// are known however many events of others there are. `names` are the names of the team's events, with their numbers.
///
/// # Errors
/// Those of the store.
pub fn known(tx: &mut Tx, team_id: i64, names: &[(String, i64)], seen: &Seen) -> Result<Vec<Known>> {
    let plain: BTreeSet<_> = Fact::PLAIN.into_iter().map(|(_, fact)| fact).collect();
    let mut found: BTreeMap<_, _> = plain.iter().map(|fact| (fact.clone(), Said::default())).collect();
    let events = sample(tx, team_id, names)?;
    for (_, event) in &events {
        for field in fields(event) {
            if found.len() < plain.len() + FIELDS_MAX {
                found.entry(field).or_default();
            }
        }
    }
    let newest_first: BTreeMap<_, _> = events.into_iter().map(|(row, event)| (Reverse(row), event)).collect();
    for event in newest_first.values() {
        note(event, seen, team_id, &plain, &mut found);
    }
    let known = |(fact, Said { values, event_types })| Known { fact, values, event_types };
    let mut all: Vec<_> = found.into_iter().map(known).collect();
    all.sort_by_cached_key(|known| (!plain.contains(&known.fact), known.fact.to_string()));
    Ok(all)
}

/// The events that are looked at, by their rows: the latest of each type, then the next of each, and so on; then the newest
/// of all. One may be there twice.
fn sample(tx: &mut Tx, team_id: i64, names: &[(String, i64)]) -> Result<Vec<(i64, Event)>> {
    let newest = events::newest_of_team(tx, team_id, NEWEST_EVENTS)?;
    let current: BTreeSet<_> = newest.iter().map(|(_, event)| event.name.as_str()).collect();
    let mut types: Vec<_> =
        names.iter().map(|(name, number)| (!current.contains(name.as_str()), Reverse(*number))).collect();
    types.sort_unstable();
    types.truncate(TYPES_MAX);
    let of_each = (EVENTS_OF_TYPES / types.len().max(1)).min(EVENTS_OF_TYPE) as i64;
    let mut ranked = Vec::new();
    for (_, Reverse(number)) in types {
        ranked.extend(events::latest_named(tx, number, of_each)?.into_iter().enumerate());
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    Ok(ranked.into_iter().map(|(_, event)| event).chain(newest).collect())
}

/// The fields of data that an event carries, and the types of its groups.
fn fields(event: &Event) -> Vec<Fact> {
    let mut fields = Vec::new();
    collect(&event.data, "", 1, &mut |path| fields.push(Fact::EventData(path)));
    if let Some(identity) = &event.identity {
        collect(&identity.data, "", 1, &mut |path| fields.push(Fact::IdentityData(path)));
    }
    fields.extend(event.groups.iter().map(|group| Fact::Group(group.group_type.clone())));
    fields
}

/// Adds what an event says of the facts that every event may have, and of the fields that it carries.
fn note(event: &Event, seen: &Seen, team_id: i64, plain: &BTreeSet<Fact>, found: &mut BTreeMap<Fact, Said>) {
    static NOTHING: LazyLock<(Map<String, Json>, IdentityState)> = LazyLock::new(Default::default);
    let (no_data, state) = &*NOTHING;
    let team = seen.of_team(team_id);
    let data = event.identity.as_ref().map_or(no_data, |identity| &identity.data);
    let profile = Profile::from_data(data, team.mapping);
    let identity = OfIdentity {
        id: event.identity.as_ref().map(|identity| identity.id.as_str()),
        data,
        profile: &profile,
        state,
        first_seen_at: None,
        email_since: None,
    };
    let subject = Subject::new(Some(event), identity, team);
    let types: Vec<_> = subject.values(&Fact::EventType).iter().map(|of| of.text().into_owned()).collect();
    for fact in plain.iter().cloned().chain(fields(event)) {
        let Some(Said { values, event_types }) = found.get_mut(&fact) else { continue };
        if !plain.contains(&fact) && event_types.len() < TYPES_TOLD_MAX {
            event_types.extend(types.iter().cloned());
        }
        if values.len() == VALUES_MAX {
            continue;
        }
        for value in subject.values(&fact) {
            let value = match value {
                Value::Text(text) => Value::Text(text.chars().take(VALUE_MAX_CHARS).collect()),
                other => other,
            };
            if values.len() < VALUES_MAX && !values.contains(&value) {
                values.push(value);
            }
        }
    }
}

/// The paths of the fields in data.
fn collect(data: &Map<String, Json>, before: &str, depth: usize, told: &mut impl FnMut(String)) {
    for (key, value) in data {
        let path = if before.is_empty() { key.clone() } else { format!("{before}.{key}") };
        let inside = match value {
            Json::Object(inner) => vec![inner],
            Json::Array(all) => all.iter().filter_map(Json::as_object).take(1).collect(),
            _ => Vec::new(),
        };
        if inside.is_empty() {
            if path.len() <= PATH_MAX_BYTES && path.split('.').all(|part| !part.is_empty()) {
                told(path);
            }
        } else if depth < DEPTH_MAX {
            inside.into_iter().for_each(|inner| collect(inner, &path, depth + 1, told));
        }
    }
}
