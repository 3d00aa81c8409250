//! Lists of identities.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use super::identities::IdentityBody;
use super::known_names;
use super::page::{Page, PageQuery, sort};
use super::params::{Params, score};
use crate::app::App;
use crate::ops::identities::devices;
use crate::ops::identities::groups;
use crate::ops::lists::roster::{Filter, Slice, Sort};
use crate::ops::lists::search;
use crate::store::rosters::Kind;
use crate::store::{badges, identities, links};

/// By what identities are sorted: columns of [`crate::store::rosters::Entry`].
pub const SORTS: [(&str, Sort); 13] = [
    ("updatedAt", Sort::Time(1)),
    ("createdAt", Sort::Time(0)),
    ("firstSeenAt", Sort::Time(4)),
    ("lastTrackedAt", Sort::Time(2)),
    ("lastScoredAt", Sort::Time(3)),
    ("humanityScore", Sort::Score(0)),
    ("authenticityScore", Sort::Score(1)),
    ("uniquenessScore", Sort::Score(2)),
    ("behaviorScore", Sort::Score(3)),
    ("id", Sort::Text(0)),
    ("displayName", Sort::Text(1)),
    ("displayEmail", Sort::Text(2)),
    ("displayUsername", Sort::Text(3)),
];
/// Holders of a device that are looked at.
const HOLDERS_MAX: i64 = 100_000;

/// Which identities.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// `updatedAt` by default; else `createdAt`, `firstSeenAt`, `lastTrackedAt`, `lastScoredAt`,
    /// `humanityScore`, `authenticityScore`, `uniquenessScore`, `behaviorScore`, `id`, `displayName`, `displayEmail` or
    /// `displayUsername`. What has no value comes last.
    sort: Option<String>,
    /// In any spelling: part of the id, the name, the e-mail address or the username; several words in any order, each
    /// the beginning of a word of these; or a whole phone number, postal address, date of birth, IP address or
    /// network.
    term: Option<String>,
    /// Members of the group with this id.
    group: Option<String>,
    /// Narrows `group`; alone, members of any group of this type.
    group_type: Option<String>,
    /// Seen on the device with this fingerprint.
    device: Option<String>,
    /// With the badge with this slug: that of a badge rule or of an analyzer, or one that somebody still carries.
    badge: Option<String>,
    disregarded: Option<bool>,
    /// Humanity of at least this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    humanity_min: Option<u8>,
    /// Humanity of at most this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    humanity_max: Option<u8>,
    /// Authenticity of at least this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    authenticity_min: Option<u8>,
    /// Authenticity of at most this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    authenticity_max: Option<u8>,
    /// Uniqueness of at least this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    uniqueness_min: Option<u8>,
    /// Uniqueness of at most this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    uniqueness_max: Option<u8>,
    /// Behavior of at least this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    behavior_min: Option<u8>,
    /// Behavior of at most this.
    #[serde(default, deserialize_with = "score")]
    #[param(maximum = 100)]
    behavior_max: Option<u8>,
}

impl ListParams {
    pub fn sort(&self) -> Option<&str> {
        self.sort.as_deref()
    }
}

/// List the identities
///
/// A filter by score leaves out identities without that score.
#[utoipa::path(get, operation_id = "listIdentities", path = "/identities", tag = "identities",
    params(PageQuery, ListParams), responses((status = 200, body = Page<IdentityBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<IdentityBody>>, ApiError> {
    let page = query.page();
    let sort = sort(params.sort(), &SORTS)?;
    let team_id = caller.team_id();
    let filter = filter(&app, team_id, params).await?;
    let slice = Slice { sort, ascending: query.ascending(), offset: page.start(), limit: page.length() };
    let (total, ids) =
        app.rosters.ask(team_id, Kind::Identities, move |table| table.find(&filter, slice)).await?;
    let found = app.store.read(move |tx| identities::load(tx, &ids)).await?;
    let content = IdentityBody::all(found).await?;
    Ok(Answer(page.page(content, i64::try_from(total).unwrap_or(i64::MAX))))
}

pub async fn filter(app: &App, team_id: i64, params: ListParams) -> Result<Filter, ApiError> {
    let range = |from: Option<u8>, to: Option<u8>| {
        (from.is_some() || to.is_some()).then(|| (from.unwrap_or(0), to.unwrap_or(100)))
    };
    let mut among = None;
    let mut of_groups = None;
    if params.group.is_some() || params.group_type.is_some() {
        let named = (params.group, params.group_type);
        of_groups = Some(groups::select(&app.store, &app.kept.names, &app.rosters, team_id, named).await?);
    }
    if let Some(fingerprint) = params.device {
        let key = devices::key(&app.key_hasher, team_id, fingerprint);
        narrow(
            &mut among,
            app.long_reads.read(move |tx| links::holders_after(tx, key, 0, HOLDERS_MAX)).await?,
        );
    }
    if let Some(slug) = params.badge {
        let wanted = slug.clone();
        let carriers = app.long_reads.read(move |tx| badges::carriers(tx, team_id, &slug)).await?;
        if carriers.is_empty() {
            known_names::badge(app, team_id, &wanted).await?;
        }
        narrow(&mut among, carriers);
    }
    let term = params.term.filter(|term| !term.is_empty());
    let known = match &term {
        Some(term) => {
            let found =
                search::by_details(&app.long_reads, &app.kept.mappings, app.key_hasher, team_id, term)
                    .await?;
            found.into_keys().collect()
        }
        None => BTreeSet::new(),
    };
    Ok(Filter {
        term,
        known: known.into_iter().collect(),
        among,
        groups: of_groups,
        scores: [
            range(params.humanity_min, params.humanity_max),
            range(params.authenticity_min, params.authenticity_max),
            range(params.uniqueness_min, params.uniqueness_max),
            range(params.behavior_min, params.behavior_max),
        ],
        disregarded: params.disregarded,
        ..Filter::default()
    })
}

/// Leaves in `among` what is in `ids` too.
fn narrow(among: &mut Option<Vec<i64>>, mut ids: Vec<i64>) {
    ids.sort_unstable();
    match among {
        Some(among) => among.retain(|id| ids.binary_search(id).is_ok()),
        None => *among = Some(ids),
    }
}
