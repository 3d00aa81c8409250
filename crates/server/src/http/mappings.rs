//! Mappings: what names of events and of identity fields mean.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::mapping::{CanonicalType, FIELDS, IdentityField, Mapping, MappingKind, TYPES};
use dregs_core::words::snake;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, ErrorBody, both};
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path, scope, word};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::evaluate::rescore::Concerned;
use crate::ops::team::mappings::{self as ops, Change};
use crate::store::StoreError;
use crate::store::mappings::{self, Entry};

/// Longest name of an event or key of a field that is mapped.
const SOURCE_MAX_CHARS: usize = 100;

/// A mapping of a name to a canonical type.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MappingBody {
    /// Null for built-in mappings.
    id: Option<i64>,
    #[schema(example = "EVENT_TYPE")]
    kind: &'static str,
    /// GLOBAL is built-in and read-only; CUSTOMER is the team's own, and comes first.
    #[schema(example = "CUSTOMER")]
    scope: &'static str,
    /// In lower_snake_case; names are recognized in any case and style. Those of built-in event types
    /// are words in any order.
    source: String,
    /// The canonical type; null turns a built-in mapping off.
    #[schema(example = "REGISTRATION")]
    target: Option<String>,
}

impl MappingBody {
    fn own(entry: Entry) -> Self {
        Self {
            id: Some(entry.id),
            kind: entry.kind.name(),
            scope: "CUSTOMER",
            source: entry.source,
            target: entry.target,
        }
    }

    /// Every shipped entry.
    fn shipped() -> impl Iterator<Item = Self> {
        let entry = |kind: MappingKind, target: &str, source: String| Self {
            id: None,
            kind: kind.name(),
            scope: "GLOBAL",
            source,
            target: Some(target.to_owned()),
        };
        let events = TYPES.iter().flat_map(move |canonical| {
            let phrases = canonical.phrases().iter();
            phrases
                .map(move |phrase| entry(MappingKind::EventType, canonical.name(), phrase.replace(' ', "_")))
        });
        let fields = FIELDS.iter().flat_map(move |field| {
            let keys = field.keys().iter();
            keys.map(move |key| entry(MappingKind::IdentityField, field.name(), (*key).to_owned()))
        });
        events.chain(fields)
    }
}

/// Which mappings.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only `source`.
    sort: Option<String>,
    /// EVENT_TYPE or IDENTITY_FIELD.
    kind: Option<String>,
    /// GLOBAL or CUSTOMER.
    scope: Option<String>,
    /// Part of the source or the target, in any case.
    term: Option<String>,
}

/// List the mappings
///
/// The team's own first.
#[utoipa::path(get, operation_id = "listMappings", path = "/mappings", tag = "mappings",
    params(PageQuery, ListParams), responses((status = 200, body = Page<MappingBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<MappingBody>>, ApiError> {
    let page = query.page();
    sort(params.sort.as_deref(), &[("source", ())])?;
    let kind = params.kind.as_deref().map(parse_kind).transpose()?;
    let scope = scope(params.scope.as_deref())?;
    let team_id = caller.team_id();
    let own = app.store.read(mappings::all).await?;
    let own = own.into_iter().filter(|entry| entry.team_id == team_id).map(MappingBody::own);
    let term = params.term.unwrap_or_default().to_lowercase();
    let is_wanted = |entry: &MappingBody| {
        let said = |text: &str| text.to_lowercase().contains(&term);
        kind.is_none_or(|kind| kind.name() == entry.kind)
            && scope.as_ref().is_none_or(|scope| scope == entry.scope)
            && (said(&entry.source) || entry.target.as_deref().is_some_and(said))
    };
    let mut found: Vec<_> = own.chain(MappingBody::shipped()).filter(is_wanted).collect();
    found.sort_by(|one, other| (one.id.is_none(), &one.source).cmp(&(other.id.is_none(), &other.source)));
    if query.is_descending() {
        found.reverse();
    }
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let content = found.into_iter().skip(page.start()).take(page.length()).collect();
    Ok(Answer(page.page(content, total)))
}

/// A new mapping.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMappingBody {
    /// EVENT_TYPE or IDENTITY_FIELD.
    #[schema(example = "EVENT_TYPE")]
    kind: String,
    #[schema(example = "account.opened", max_length = 100)]
    source: String,
    /// Null turns a built-in mapping off.
    #[schema(example = "REGISTRATION")]
    target: Option<String>,
}

/// Create a mapping
///
/// It holds for the past as well: affected identities are rescored in the background.
#[utoipa::path(post, operation_id = "createMapping", path = "/mappings", tag = "mappings",
    request_body = NewMappingBody, responses((status = 201, body = MappingBody),
        (status = 409, body = ErrorBody, description = "There is a mapping for this source.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(_): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewMappingBody>>,
) -> Result<(StatusCode, Answer<MappingBody>), ApiError> {
    let ((kind, target), source) =
        new.check(|new| both(parse_meaning(&new.kind, new.target.as_deref()), parse_source(&new.source)))?;
    let change = Change::Create { kind, source, target };
    match ops::change(&app.store, &app.kept, actor, change, app.clock.now()).await {
        Ok(Some(entry)) => Ok((StatusCode::CREATED, Answer(MappingBody::own(entry)))),
        Ok(None) => Err(not_found()),
        Err(StoreError::Conflict) => Err(ApiError::new(
            StatusCode::CONFLICT,
            Code::MappingExists,
            "There is a mapping for this source. Change that one.",
        )),
        Err(error) => Err(error.into()),
    }
}

/// A mapping to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingPreviewBody {
    /// EVENT_TYPE or IDENTITY_FIELD.
    #[schema(example = "EVENT_TYPE")]
    kind: String,
    #[schema(example = "account.opened", max_length = 100)]
    source: String,
    /// What the name would mean; where it means that already, nobody would be rescored. Whatever it would mean, if left out.
    #[schema(example = "REGISTRATION")]
    target: Option<String>,
}

/// What creating, changing or removing the mapping of a name would do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedMappingBody {
    /// The canonical type now.
    canonical_type: Option<&'static str>,
    /// Identities that would be rescored, of the newest `lookedAt`.
    identities: u64,
    looked_at: u64,
    /// All identities.
    total: u64,
    /// Events with this name, where counting stops at 10,000; null for an identity field.
    event_count: Option<i64>,
    /// Whether that is all of them.
    event_count_is_exact: bool,
    /// Slugs of the channels that would be sent `identity.scored` for each of them.
    channels: Vec<String>,
}

/// Preview a mapping
///
/// Counts the identities that would be rescored. Read-only.
#[utoipa::path(post, operation_id = "previewMapping", path = "/mappings/actions/preview", tag = "mappings",
    request_body = MappingPreviewBody, responses((status = 200, body = PreviewedMappingBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<Unchecked<MappingPreviewBody>>,
) -> Result<Answer<PreviewedMappingBody>, ApiError> {
    let ((kind, target), source) = body
        .check(|body| both(parse_meaning(&body.kind, body.target.as_deref()), parse_source(&body.source)))?;
    let ops::Preview { meaning, concerned, events } =
        ops::preview(&app.long_reads, &app.kept, &app.rosters, caller.team_id(), (kind, source)).await?;
    let is_change = target.is_none() || target.as_deref() != meaning;
    let Concerned { identities, looked_at, total, channels } = concerned;
    let (identities, channels) = if is_change { (identities, channels) } else { (0, Vec::new()) };
    Ok(Answer(PreviewedMappingBody {
        canonical_type: meaning,
        identities,
        looked_at,
        total,
        event_count: events.map(|count| count.min(ops::EVENTS_MAX)),
        event_count_is_exact: events.is_none_or(|count| count <= ops::EVENTS_MAX),
        channels,
    }))
}

/// What to change about a mapping.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingPatchBody {
    /// Null turns a built-in mapping off.
    #[schema(example = "REGISTRATION")]
    target: Option<String>,
}

/// Change a mapping
#[utoipa::path(patch, operation_id = "changeMapping", path = "/mappings/{id}", tag = "mappings",
    params(("id" = i64, Path)), request_body = MappingPatchBody,
    responses((status = 200, body = MappingBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<MappingPatchBody>>,
) -> Result<Answer<MappingBody>, ApiError> {
    let entry = find(&app, &caller, &id).await?;
    let target = patch.check(|patch| parse_target(entry.kind, patch.target.as_deref()))?;
    let change = Change::Update { entry, target };
    let changed = ops::change(&app.store, &app.kept, actor, change, app.clock.now()).await?;
    changed.map(|entry| Answer(MappingBody::own(entry))).ok_or_else(not_found)
}

/// Remove a mapping
#[utoipa::path(delete, operation_id = "removeMapping", path = "/mappings/{id}", tag = "mappings",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let entry = find(&app, &caller, &id).await?;
    ops::change(&app.store, &app.kept, actor, Change::Delete { entry }, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The canonical types.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CanonicalTypesBody {
    event_types: Vec<&'static str>,
    identity_fields: Vec<&'static str>,
}

/// List the canonical types
#[utoipa::path(get, operation_id = "listCanonicalTypes", path = "/mappings/canonical-types", tag = "mappings",
    responses((status = 200, body = CanonicalTypesBody)))]
pub async fn canonical_types(_: Caller) -> Answer<CanonicalTypesBody> {
    Answer(CanonicalTypesBody {
        event_types: TYPES.iter().map(|canonical| canonical.name()).collect(),
        identity_fields: FIELDS.iter().map(|field| field.name()).collect(),
    })
}

/// A name that events have had, or fields of identities.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SeenNameBody {
    name: String,
    /// The canonical type; null where the name has no mapping.
    canonical_type: Option<&'static str>,
}

/// Which names.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SeenParams {
    /// EVENT_TYPE by default; or IDENTITY_FIELD: keys of the data of the 1,000 newest identities.
    #[param(example = "EVENT_TYPE")]
    kind: Option<String>,
    /// Only names without a mapping.
    #[serde(default)]
    unmapped: bool,
    /// Part of the name, in any case.
    term: Option<String>,
}

/// List the names that events have had, or fields of identities
///
/// Names without a mapping first.
#[utoipa::path(get, operation_id = "listSeenNames", path = "/mappings/seen", tag = "mappings",
    params(PageQuery, SeenParams), responses((status = 200, body = Page<SeenNameBody>)))]
pub async fn seen(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<SeenParams>,
) -> Result<Answer<Page<SeenNameBody>>, ApiError> {
    let page = query.page();
    let kind = params.kind.as_deref().map_or(Ok(MappingKind::EventType), parse_kind)?;
    let term = params.term.unwrap_or_default().to_lowercase();
    let mut found = ops::seen(&app.long_reads, &app.kept, &app.rosters, caller.team_id(), kind).await?;
    found.retain(|seen| {
        seen.name.to_lowercase().contains(&term) && !(params.unmapped && seen.meaning.is_some())
    });
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let content = found.into_iter().skip(page.start()).take(page.length());
    let body = |seen: ops::Seen| SeenNameBody { name: seen.name, canonical_type: seen.meaning };
    Ok(Answer(page.page(content.map(body).collect(), total)))
}

fn parse_kind(text: &str) -> Result<MappingKind, ApiError> {
    MappingKind::parse(&word(text))
        .ok_or_else(|| ApiError::field("kind", "must be EVENT_TYPE or IDENTITY_FIELD"))
}

/// The kind, and what a name of it means.
fn parse_meaning(kind: &str, target: Option<&str>) -> Result<(MappingKind, Option<String>), ApiError> {
    let kind = parse_kind(kind)?;
    parse_target(kind, target).map(|target| (kind, target))
}

fn parse_source(text: &str) -> Result<String, ApiError> {
    let source = snake(text);
    if source.is_empty() || text.chars().count() > SOURCE_MAX_CHARS {
        let message = format!("must have a letter or a digit, and at most {SOURCE_MAX_CHARS} characters");
        return Err(ApiError::field("source", message));
    }
    Ok(source)
}

fn parse_target(kind: MappingKind, target: Option<&str>) -> Result<Option<String>, ApiError> {
    let target = target.map(word);
    if Mapping::default().insert(kind, "", target.as_deref()) {
        return Ok(target);
    }
    let names: Vec<_> = match kind {
        MappingKind::EventType => TYPES.iter().copied().map(CanonicalType::name).collect(),
        MappingKind::IdentityField => FIELDS.iter().copied().map(IdentityField::name).collect(),
    };
    Err(ApiError::field("target", format!("must be null or one of {}", names.join(", "))))
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Entry, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let team_id = caller.team_id();
    app.store.read(move |tx| mappings::find(tx, team_id, id)).await?.ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found(Code::MappingNotFound, "mapping of this team")
}
