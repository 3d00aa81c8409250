//! The facts that a team's rules may ask for, with values that its newest events have.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dregs_core::event::Event;
use dregs_core::fact::{Fact, OfIdentity, PATH_MAX_BYTES, Subject, Value};
use dregs_core::identity::Profile;
use dregs_core::state::IdentityState;
use serde_json::{Map, Value as Json};

use crate::ops::evaluate::evaluation::Seen;
use crate::store::{Result, Tx, events};

/// Events that are looked at: the newest.
const EVENTS_MAX: i64 = 500;
/// Fields of data that are told.
const FIELDS_MAX: usize = 200;
/// How deep fields are looked for.
const DEPTH_MAX: usize = 4;
/// Values of one fact that are told, and how much of one.
const VALUES_MAX: usize = 5;
const VALUE_MAX_CHARS: usize = 60;

/// A fact, and values it has had.
pub struct Known {
    pub fact: Fact,
    /// Different ones, the newest first.
    pub values: Vec<Value>,
}

/// Those that every event may have, and the fields that the newest events carried.
///
/// # Errors
/// Those of the store.
pub fn known(tx: &mut Tx, team_id: i64, seen: &Seen) -> Result<Vec<Known>> {
    let newest = events::newest_of_team(tx, team_id, EVENTS_MAX)?;
    let mut found: BTreeMap<Fact, Vec<Value>> =
        Fact::PLAIN.into_iter().map(|(_, fact)| (fact, Vec::new())).collect();
    let plain: Vec<_> = found.keys().cloned().collect();
    for event in &newest {
        let mut fields = Vec::new();
        collect(&event.data, "", 1, &mut |path| fields.push(Fact::EventData(path)));
        if let Some(identity) = &event.identity {
            collect(&identity.data, "", 1, &mut |path| fields.push(Fact::IdentityData(path)));
        }
        fields.extend(event.groups.iter().map(|group| Fact::Group(group.group_type.clone())));
        for field in fields {
            if found.len() < plain.len() + FIELDS_MAX {
                found.entry(field).or_default();
            }
        }
        note(event, seen, team_id, &mut found);
    }
    let mut all: Vec<_> = found.into_iter().map(|(fact, values)| Known { fact, values }).collect();
    all.sort_by_cached_key(|known| (!plain.contains(&known.fact), known.fact.to_string()));
    Ok(all)
}

/// Adds an event's values.
fn note(event: &Event, seen: &Seen, team_id: i64, found: &mut BTreeMap<Fact, Vec<Value>>) {
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
    for (fact, values) in found.iter_mut().filter(|(_, values)| values.len() < VALUES_MAX) {
        for value in subject.values(fact) {
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
