//! Events as lists ask for them: from the words of a caller to what the store knows.

use dregs_core::event::Event;
use dregs_core::link::{KeyHasher, KeyKind, LinkKey};
use dregs_core::mapping::CanonicalType;
use dregs_core::time::Timestamp;
use dregs_core::words::snake;

use crate::ops::directories::Directories;
use crate::ops::identities::groups as group_lists;
use crate::ops::team::mappings::Mappings;
use crate::store::event_lists::{self, Filter, Listed};
use crate::store::links::HashedKey;
use crate::store::names::NameKind;
use crate::store::{Result, Store, codec, devices, groups, identities};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub identity: Option<String>,
    pub group: Option<String>,
    pub group_type: Option<String>,
    pub device: Option<String>,
    pub session: Option<String>,
    pub term: Option<String>,
    pub canonical_type: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

/// What to look for in the store; `None` where something is named that does not exist.
///
/// # Errors
/// Those of the store.
pub async fn filter(
    store: &Store,
    kept: &Directories,
    hasher: KeyHasher,
    team_id: i64,
    wanted: Wanted,
) -> Result<Option<Filter>> {
    let mut filter = Filter { from: wanted.from, to: wanted.to, ..Filter::default() };
    if wanted.term.is_some() || wanted.canonical_type.is_some() {
        filter.names = Some(names(kept, team_id, &wanted));
        if let (Some([]), Some(term)) = (filter.names.as_deref(), &wanted.term) {
            filter.event = event_id(store, team_id, term).await?;
        }
        if filter.event.is_none() && filter.names.as_ref().is_some_and(Vec::is_empty) {
            return Ok(None);
        }
    }
    if let Some(id) = wanted.identity {
        let identity = store.read(move |tx| identities::find(tx, team_id, &id)).await?;
        let Some(identity) = identity else { return Ok(None) };
        filter.identity_id = Some(identity.row_id);
    }
    if let Some(fingerprint) = wanted.device {
        let device = store.read(move |tx| devices::find(tx, team_id, &fingerprint)).await?;
        let Some(device) = device else { return Ok(None) };
        filter.device_id = Some(device.id);
    }
    if let Some(session) = wanted.session {
        let key = LinkKey { kind: KeyKind::Session, value: session };
        filter.session = Some(HashedKey::new(&hasher, team_id, &key).hash);
    }
    match (wanted.group, wanted.group_type) {
        (None, None) => {}
        (None, Some(group_type)) => {
            let group_type = snake(&group_type);
            let words = kept.names.select(team_id, NameKind::GroupType, |name| name == group_type);
            filter.groups = Some(words.into_iter().map(|(_, id)| -id).collect());
        }
        (Some(group), group_type) => {
            filter.groups =
                Some(group_lists::find_all(store, &kept.names, team_id, group, group_type).await?);
        }
    }
    Ok(Some(filter))
}

/// The numbers of the names that have the term in them and mean what is asked for.
fn names(kept: &Directories, team_id: i64, wanted: &Wanted) -> Vec<i64> {
    let mappings = kept.mappings.current();
    let term = wanted.term.as_ref().map(|term| term.to_lowercase());
    let found = kept.names.select(team_id, NameKind::Event, |name| {
        term.as_ref().is_none_or(|term| name.to_lowercase().contains(term))
            && wanted
                .canonical_type
                .as_ref()
                .is_none_or(|wanted| canonical(&mappings, team_id, name).is_some_and(|found| found == wanted))
    });
    found.into_iter().map(|(_, id)| id).collect()
}

/// What an event's name means to a team.
fn canonical(mappings: &Mappings, team_id: i64, name: &str) -> Option<&'static str> {
    mappings.of(team_id).event_type(name).map(CanonicalType::name)
}

async fn event_id(store: &Store, team_id: i64, id: &str) -> Result<Option<i64>> {
    let packed = codec::pack_id(id);
    store.read(move |tx| event_lists::find(tx, team_id, &packed)).await
}

/// The event with this id, if there is one.
///
/// # Errors
/// Those of the store.
pub async fn find(store: &Store, team_id: i64, id: &str) -> Result<Vec<Listed>> {
    let row_id = event_id(store, team_id, id).await?;
    store.read(move |tx| event_lists::load(tx, row_id.as_slice())).await
}

/// An event with what people call what it names.
pub struct Shown {
    pub event: Event,
    pub identity_label: Option<String>,
    /// One a group of the event.
    pub group_labels: Vec<Option<String>>,
    pub canonical_type: Option<&'static str>,
}

/// Adds the names of groups and the meaning of the events' own names.
///
/// # Errors
/// Those of the store.
pub async fn show(
    store: &Store,
    mappings: &Mappings,
    team_id: i64,
    events: Vec<Listed>,
) -> Result<Vec<Shown>> {
    let mut keys: Vec<_> = events
        .iter()
        .flat_map(|listed| &listed.event.groups)
        .map(|group| (group.group_type.clone(), group.id.clone()))
        .collect();
    keys.sort();
    keys.dedup();
    let known = store
        .read(move |tx| {
            let keys: Vec<_> = keys.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).collect();
            groups::labels(tx, team_id, &keys)
        })
        .await?;
    let label = |group_type: &str, id: &str| {
        let group = known.iter().find(|(known_type, known_id, _)| known_type == group_type && known_id == id);
        group.map(|(_, _, label)| label.clone())
    };
    let shown = events.into_iter().map(|listed| Shown {
        group_labels: listed.event.groups.iter().map(|group| label(&group.group_type, &group.id)).collect(),
        canonical_type: canonical(mappings, team_id, &listed.event.name),
        identity_label: listed.identity_label,
        event: listed.event,
    });
    Ok(shown.collect())
}
