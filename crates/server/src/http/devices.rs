//! Devices: what identities were seen on.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::device::{self, Part};
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Triager};
use super::body::Json;
use super::error::{ApiError, Code};
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path};
use super::triage::{ChangePreviewBody, DisregardBody};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::identities::devices as ops;
use crate::ops::identities::preview;
use crate::ops::lists::roster::{Filter, Slice, Sort};
use crate::store::devices::{self, Device};
use crate::store::rosters::Kind;
use crate::store::{event_lists, identities};

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
    /// The time of its earliest event.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    /// The time of its latest event, whenever that was received.
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

/// A device, and how many use it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsedDeviceBody {
    #[serde(flatten)]
    device: DeviceBody,
    /// Identities that were seen on it; counting stops at 100.
    identity_count: usize,
    /// Whether that is all of them.
    identity_count_is_exact: bool,
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
    /// Part of the fingerprint or the address, in any spelling.
    term: Option<String>,
    disregarded: Option<bool>,
}

/// List the devices
#[utoipa::path(get, operation_id = "listDevices", path = "/devices", tag = "devices",
    params(PageQuery, ListParams), responses((status = 200, body = Page<UsedDeviceBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<UsedDeviceBody>>, ApiError> {
    let page = query.page();
    let sort = sort(params.sort.as_deref(), &SORTS)?;
    let team_id = caller.team_id();
    let among = match params.identity {
        Some(id) => {
            let find = move |tx: &mut crate::store::Tx| {
                let identity = identities::find(tx, team_id, &id)?;
                identity.map_or(Ok(Vec::new()), |identity| ops::of_identity(tx, team_id, identity.row_id))
            };
            Some(app.long_reads.read(find).await?)
        }
        None => None,
    };
    let term = params.term.filter(|term| !term.is_empty());
    let filter = Filter { term, among, disregarded: params.disregarded, ..Filter::default() };
    let slice = Slice { sort, ascending: query.ascending(), offset: page.start(), limit: page.length() };
    let (total, ids) =
        app.rosters.ask(team_id, Kind::Devices, move |table| table.find(&filter, slice)).await?;
    let found = app.store.read(move |tx| devices::load(tx, &ids)).await?;
    let content = used(&app, team_id, found).await?;
    Ok(Answer(page.page(content, i64::try_from(total).unwrap_or(i64::MAX))))
}

/// Read a device
#[utoipa::path(get, operation_id = "readDevice", path = "/devices/{fingerprint}", tag = "devices",
    params(("fingerprint" = String, Path)), responses((status = 200, body = UsedDeviceBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
) -> Result<Answer<UsedDeviceBody>, ApiError> {
    let device = find(&app, &caller, fingerprint).await?;
    one(&app, &caller, device).await
}

/// Events of a device that are looked at for a report of the browser script.
const REPORTS_MAX: i64 = 25;

/// What a device's fingerprint was made of.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeviceComponentsBody {
    /// The newest event with which the browser script reported them; null where a backend gave the fingerprint.
    event_id: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    reported_at: Option<Timestamp>,
    /// By name.
    components: Vec<ComponentBody>,
}

/// One thing that a browser says of its device.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ComponentBody {
    #[schema(example = "hardwareConcurrency")]
    name: String,
    /// As reported; long values as their hash.
    value: Value,
    /// Whether it is part of the fingerprint: what changes on one device is not.
    in_fingerprint: bool,
    /// DRAWING, SOUND, SCREEN or MACHINE: a device is known again when one of these has changed. Null for what changes
    /// on one device.
    part: Option<&'static str>,
}

/// Read what a device's fingerprint was made of
#[utoipa::path(get, operation_id = "readDeviceComponents", path = "/devices/{fingerprint}/components", tag = "devices",
    params(("fingerprint" = String, Path)), responses((status = 200, body = DeviceComponentsBody)))]
pub async fn components(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
) -> Result<Answer<DeviceComponentsBody>, ApiError> {
    let team_id = caller.team_id();
    let device_id = find(&app, &caller, fingerprint).await?.id;
    let newest = move |tx: &mut crate::store::Tx| {
        let filter = event_lists::Filter { device_id: Some(device_id), ..event_lists::Filter::default() };
        let ids = event_lists::page(tx, team_id, &filter, false, 0, REPORTS_MAX)?;
        event_lists::load(tx, &ids)
    };
    let events = app.store.read(newest).await?.into_iter().map(|listed| listed.event);
    let mut reports = events.filter_map(|event| Some((event.components?, event.id, event.timestamp)));
    let Some((components, event_id, timestamp)) = reports.next() else {
        return Ok(Answer(DeviceComponentsBody {
            event_id: None,
            reported_at: None,
            components: Vec::new(),
        }));
    };
    let names = device::in_fingerprint(&components);
    let own = components.iter().map(|(name, value)| ComponentBody {
        name: name.clone(),
        value: value.clone(),
        in_fingerprint: names.contains(&name.as_str()),
        part: Part::of(name).map(Part::name),
    });
    let components = own.collect();
    Ok(Answer(DeviceComponentsBody { event_id: Some(event_id), reported_at: Some(timestamp), components }))
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
    responses((status = 200, body = UsedDeviceBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(fingerprint): Path<String>,
    Json(patch): Json<DevicePatchBody>,
) -> Result<Answer<UsedDeviceBody>, ApiError> {
    let device = find(&app, &caller, fingerprint).await?;
    let after = Device { disregarded: patch.disregarded, ..device.clone() };
    app.editor().disregard(actor, device, patch.disregarded, app.clock.now()).await?;
    one(&app, &caller, after).await
}

/// Preview disregarding a device
///
/// Whose scores, badges and escalations would change, and what would be sent. Read-only.
#[utoipa::path(post, operation_id = "previewDeviceDisregard",
    path = "/devices/{fingerprint}/actions/preview-disregard", tag = "devices",
    params(("fingerprint" = String, Path)), request_body = DisregardBody,
    responses((status = 200, body = ChangePreviewBody)))]
pub async fn preview_disregard(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(fingerprint): Path<String>,
    Json(body): Json<DisregardBody>,
) -> Result<Answer<ChangePreviewBody>, ApiError> {
    let device = find(&app, &caller, fingerprint).await?;
    let key = ops::key(&app.key_hasher, caller.team_id(), device.fingerprint);
    let (reads, now) = (&app.long_reads, app.clock.now());
    let preview = preview::preview_device(reads, app.seen(), key, body.disregarded, now).await?;
    Ok(Answer(preview.into()))
}

async fn one(app: &App, caller: &Caller, device: Device) -> Result<Answer<UsedDeviceBody>, ApiError> {
    let found = used(app, caller.team_id(), vec![device]).await?.pop();
    found.map(Answer).ok_or_else(|| ApiError::not_found(Code::DeviceNotFound, "device"))
}

async fn used(app: &App, team_id: i64, found: Vec<Device>) -> Result<Vec<UsedDeviceBody>, ApiError> {
    let users = ops::users(&app.store, &app.rosters, &app.key_hasher, team_id, &found).await?;
    let body = |(device, ops::Users { count, is_exact }): (Device, ops::Users)| UsedDeviceBody {
        device: device.into(),
        identity_count: count,
        identity_count_is_exact: is_exact,
    };
    Ok(found.into_iter().zip(users).map(body).collect())
}

async fn find(app: &App, caller: &Caller, fingerprint: String) -> Result<Device, ApiError> {
    let team_id = caller.team_id();
    let device = app.store.read(move |tx| devices::find(tx, team_id, &fingerprint)).await?;
    device.ok_or_else(|| ApiError::not_found(Code::DeviceNotFound, "device"))
}
