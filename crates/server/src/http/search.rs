//! One search for all: identities, devices and groups.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Caller;
use super::devices::DeviceBody;
use super::error::{ApiError, must_have};
use super::groups::GroupBody;
use super::identities::IdentityBody;
use super::params::Params;
use crate::app::App;
use crate::ops::lists::roster::{Filter, Slice, Sort};
use crate::ops::lists::search::{Detail, by_details};
use crate::store::rosters::Kind;
use crate::store::{devices, groups, identities};

/// Of each kind, the ones last seen.
const IDENTITIES_MAX: usize = 10;
const OTHERS_MAX: usize = 5;
/// Longest text that is looked for.
pub const TERM_MAX_CHARS: usize = 200;
/// Columns of [`crate::store::rosters::Entry`] with when something was last seen.
const IDENTITY_SEEN: Sort = Sort::Time(2);
const GROUP_SEEN: Sort = Sort::Time(2);
const DEVICE_SEEN: Sort = Sort::Time(1);

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// In any spelling: part of an id, a name, an e-mail address, a username or a fingerprint; several words in any
    /// order, each the beginning of a word of these; or a whole phone number, postal address, date of birth, IP
    /// address or network.
    #[param(example = "Ada Lovelace", max_length = 200, required = true)]
    #[serde(default)]
    term: String,
}

/// An identity that was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundIdentityBody {
    /// TEXT (id, name, e-mail address or username), IP, NETWORK, PHONE, ADDRESS or DATE_OF_BIRTH.
    #[schema(example = "TEXT")]
    matched_by: &'static str,
    identity: IdentityBody,
}

/// What was found, the last seen first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundBody {
    /// At most 10 of them.
    identities: Vec<FoundIdentityBody>,
    /// How many there are.
    identity_count: usize,
    /// At most 5.
    devices: Vec<DeviceBody>,
    device_count: usize,
    /// At most 5.
    groups: Vec<GroupBody>,
    group_count: usize,
}

/// Search identities, devices and groups
#[utoipa::path(get, operation_id = "search", path = "/search", tag = "identities",
    params(SearchParams), responses((status = 200, body = FoundBody)))]
pub async fn search(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<SearchParams>,
) -> Result<Answer<FoundBody>, ApiError> {
    let term = params.term.trim().to_owned();
    must_have("term", term.chars().count(), 1..=TERM_MAX_CHARS, "characters")?;
    let team_id = caller.team_id();
    let details = by_details(&app.long_reads, &app.kept.mappings, app.key_hasher, team_id, &term).await?;
    let known: Vec<i64> = details.keys().copied().collect();
    let find = async |kind, sort, limit, known| {
        let filter = Filter { term: Some(term.clone()), known, ..Filter::default() };
        let slice = Slice { sort, ascending: false, offset: 0, limit };
        app.rosters.ask(team_id, kind, move |table| table.find(&filter, slice)).await
    };
    let (identity_count, ids) = find(Kind::Identities, IDENTITY_SEEN, IDENTITIES_MAX, known).await?;
    let (device_count, device_ids) = find(Kind::Devices, DEVICE_SEEN, OTHERS_MAX, Vec::new()).await?;
    let (group_count, group_ids) = find(Kind::Groups, GROUP_SEEN, OTHERS_MAX, Vec::new()).await?;
    let load = move |tx: &mut crate::store::Tx| {
        let identities = identities::load(tx, &ids)?;
        Ok((identities, devices::load(tx, &device_ids)?, groups::load_rows(tx, &group_ids)?))
    };
    let (found, devices, groups) = app.store.read(load).await?;
    let matched_by = |row_id: &i64| details.get(row_id).map_or("TEXT", |detail| Detail::name(*detail));
    let matched: Vec<_> = found.iter().map(|identity| matched_by(&identity.row_id)).collect();
    let bodies = IdentityBody::all(found).await?.into_iter().zip(matched);
    Ok(Answer(FoundBody {
        identities: bodies.map(|(identity, matched_by)| FoundIdentityBody { matched_by, identity }).collect(),
        identity_count,
        devices: devices.into_iter().map(DeviceBody::from).collect(),
        device_count,
        groups: groups.into_iter().map(GroupBody::listed).collect(),
        group_count,
    }))
}
