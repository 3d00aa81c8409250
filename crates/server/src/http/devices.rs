//! Devices: what identities were seen on.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::{Caller, Triager};
use super::body::Json;
use super::error::{ApiError, Code};
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::devices as ops;
use crate::ops::roster::{self, Filter, Slice, Sort};
use crate::store::devices::{self, Device};
use crate::store::identities;
use crate::store::rosters::Kind;

const SORTS: [(&str, Sort); 4] = [
    ("lastSeenAt", Sort::Time(1)),
    ("firstSeenAt", Sort::Time(0)),
    ("fingerprint", Sort::Text(0)),
    ("ip", Sort::Text(1)),
];

/// A device, by its fingerprint.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceBody {
    fingerprint: String,
    /// The address it was last seen at.
    ip: Option<String>,
    asn: Option<String>,
    asn_label: Option<String>,
    user_agent: Option<String>,
    city: Option<String>,
    region: Option<String>,
    country: Option<String>,
    country_code: Option<String>,
    timezone: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// Whether it is left out of every analysis.
    disregarded: bool,
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
}

impl From<Device> for DeviceBody {
    fn from(device: Device) -> Self {
        Self {
            fingerprint: device.fingerprint,
            ip: device.ip,
            // Where an address is, nothing here knows yet.
            asn: None,
            asn_label: None,
            city: None,
            region: None,
            country: None,
            country_code: None,
            timezone: None,
            latitude: None,
            longitude: None,
            user_agent: device.user_agent,
            disregarded: device.disregarded,
            first_seen_at: device.first_seen_at,
            last_seen_at: device.last_seen_at,
        }
    }
}

/// Which devices.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// `lastSeenAt` by default; else `firstSeenAt`, `fingerprint` or `ip`.
    sort: Option<String>,
    /// Devices this identity was seen on.
    identity: Option<String>,
    /// Part of the fingerprint or the address, in any case.
    term: Option<String>,
    disregarded: Option<bool>,
}

/// List the devices
#[utoipa::path(get, operation_id = "listDevices", path = "/devices", tag = "devices",
    params(PageQuery, ListParams), responses((status = 200, body = Page<DeviceBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<DeviceBody>>, ApiError> {
    let page = query.page()?;
    let sort = sort(params.sort.as_deref(), &SORTS)?;
    let team_id = caller.team_id();
    let among = match params.identity {
        Some(id) => {
            let find = move |tx: &mut crate::store::Tx| {
                let identity = identities::find(tx, team_id, &id)?;
                identity.map_or(Ok(Vec::new()), |identity| devices::of_identity(tx, identity.row_id))
            };
            Some(app.read_long(find).await?)
        }
        None => None,
    };
    let term = params.term.filter(|term| !term.is_empty());
    let filter = Filter { term, among, disregarded: params.disregarded, ..Filter::default() };
    let slice = Slice { sort, ascending: query.ascending(), offset: page.start(), limit: page.length() };
    let (total, ids) =
        roster::ask(&app, team_id, Kind::Devices, move |table| table.find(&filter, slice)).await?;
    let found = app.store.read(move |tx| devices::load(tx, &ids)).await?;
    let content = found.into_iter().map(DeviceBody::from).collect();
    Ok(Answer(page.page(content, i64::try_from(total).unwrap_or(i64::MAX))))
}

/// Read a device
#[utoipa::path(get, operation_id = "readDevice", path = "/devices/{fingerprint}", tag = "devices",
    params(("fingerprint" = String, Path)), responses((status = 200, body = DeviceBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
) -> Result<Answer<DeviceBody>, ApiError> {
    Ok(Answer(find(&app, &caller, fingerprint).await?.into()))
}

/// What to change about a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicePatchBody {
    /// True leaves the device out of every analysis, such as a shared machine of an office.
    disregarded: bool,
}

/// Disregard a device, or stop disregarding it
///
/// Identities that use it are rescored.
#[utoipa::path(patch, operation_id = "changeDevice", path = "/devices/{fingerprint}", tag = "devices",
    params(("fingerprint" = String, Path)), request_body = DevicePatchBody,
    responses((status = 200, body = DeviceBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(fingerprint): Path<String>,
    Json(patch): Json<DevicePatchBody>,
) -> Result<Answer<DeviceBody>, ApiError> {
    let device = find(&app, &caller, fingerprint).await?;
    let after = Device { disregarded: patch.disregarded, ..device.clone() };
    ops::disregard(&app, actor, device, patch.disregarded).await?;
    Ok(Answer(after.into()))
}

async fn find(app: &App, caller: &Caller, fingerprint: String) -> Result<Device, ApiError> {
    let team_id = caller.team_id();
    let device = app.store.read(move |tx| devices::find(tx, team_id, &fingerprint)).await?;
    device.ok_or_else(|| ApiError::not_found(Code::DeviceNotFound, "device"))
}
