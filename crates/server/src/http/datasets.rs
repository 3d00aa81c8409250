//! Datasets: what is shipped, and what the team adds or takes away.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::dataset::Dataset;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::elsewhere::elsewhere;
use super::error::{ApiError, Code, ErrorBody, both, must_have};
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path, scope};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::evaluate::rescore::Concerned;
use crate::ops::team::datasets as ops;
use crate::store::StoreError;
use crate::store::datasets::{self, Entry};

const NOTE_MAX_CHARS: usize = 500;

/// A dataset.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatasetBody {
    #[schema(example = "disposable-email-domains")]
    slug: &'static str,
    description: &'static str,
    /// The source of the built-in part.
    source: &'static str,
    /// The version of the built-in part: that of its package, or its date.
    version: &'static str,
    /// When the built-in part was updated.
    #[schema(value_type = String, format = DateTime)]
    taken_at: Timestamp,
    /// How much of the value of the built-in part remains, from 0.0 to 1.0: old lists miss new entries.
    freshness: f64,
    /// Built-in entries.
    global_entry_count: usize,
    /// The team's own entries.
    customer_entry_count: usize,
}

/// List the datasets
#[utoipa::path(get, operation_id = "listDatasets", path = "/datasets", tag = "datasets",
    responses((status = 200, body = Vec<DatasetBody>)))]
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<Vec<DatasetBody>>, ApiError> {
    let (now, team_id) = (app.clock.now(), caller.team_id());
    let own: HashMap<_, _> =
        app.long_reads.read(move |tx| datasets::counts(tx, team_id)).await?.into_iter().collect();
    let body = move |dataset: Dataset| DatasetBody {
        slug: dataset.slug(),
        description: dataset.description(),
        source: dataset.source(),
        version: dataset.version(),
        taken_at: dataset.taken_at(),
        freshness: dataset.freshness(now),
        global_entry_count: dataset.shipped().len(),
        customer_entry_count: own.get(dataset.slug()).map_or(0, |count| usize::try_from(*count).unwrap_or(0)),
    };
    // The first time, the built-in lists are unpacked.
    elsewhere(move || Dataset::ALL.map(body).into()).await.map(Answer)
}

/// A value of a dataset.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatasetEntryBody {
    /// Null for a built-in one.
    id: Option<i64>,
    /// GLOBAL is built-in; CUSTOMER is the team's own.
    #[schema(example = "CUSTOMER")]
    scope: &'static str,
    #[schema(example = "mailinator.com")]
    value: String,
    /// False excludes a built-in value.
    included: bool,
    note: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
}

impl DatasetEntryBody {
    fn own(entry: Entry) -> Self {
        Self {
            id: Some(entry.id),
            scope: "CUSTOMER",
            value: entry.value,
            included: entry.included,
            note: entry.note,
            created_at: Some(entry.created_at),
        }
    }

    fn shipped(value: &str) -> Self {
        let value = value.to_owned();
        Self { id: None, scope: "GLOBAL", value, included: true, note: None, created_at: None }
    }
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only `value`.
    sort: Option<String>,
    /// GLOBAL or CUSTOMER.
    scope: Option<String>,
    /// Part of the value, in any case.
    term: Option<String>,
}

/// List the entries of a dataset
///
/// The team's own first.
#[utoipa::path(get, operation_id = "listDatasetEntries", path = "/datasets/{slug}/entries", tag = "datasets",
    params(("slug" = String, Path), PageQuery, ListParams),
    responses((status = 200, body = Page<DatasetEntryBody>)))]
pub async fn entries(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(slug): Path<String>,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<DatasetEntryBody>>, ApiError> {
    let (dataset, page, team_id) = (find(&slug)?, query.page(), caller.team_id());
    sort(params.sort.as_deref(), &[("value", ())])?;
    let wanted = scope(params.scope.as_deref())?;
    let is_wanted = |scope: &str| wanted.as_deref().is_none_or(|wanted| wanted == scope);
    let term = params.term.unwrap_or_default().to_lowercase();
    let mut own = Vec::new();
    if is_wanted("CUSTOMER") {
        own = app.long_reads.read(move |tx| datasets::of_team(tx, team_id, dataset.slug())).await?;
    }
    let shipped = if is_wanted("GLOBAL") { dataset.shipped() } else { &[] };
    // The built-in lists are long.
    let select = move || {
        own.retain(|entry| entry.value.contains(&term));
        let mut shipped: Vec<_> = shipped.iter().filter(|value| value.contains(&term)).collect();
        let total = i64::try_from(own.len() + shipped.len()).unwrap_or(i64::MAX);
        if query.is_descending() {
            own.reverse();
            shipped.reverse();
        }
        let own = own.into_iter().map(DatasetEntryBody::own);
        let shipped = shipped.into_iter().map(|value| DatasetEntryBody::shipped(value));
        page.page(own.chain(shipped).skip(page.start()).take(page.length()).collect(), total)
    };
    elsewhere(select).await.map(Answer)
}

/// A new entry.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDatasetEntryBody {
    /// A domain; those under it are meant as well.
    #[schema(example = "disposable.example", max_length = 253)]
    value: String,
    /// False excludes a built-in value.
    #[serde(default = "yes")]
    included: bool,
    #[schema(max_length = 500)]
    note: Option<String>,
}

fn yes() -> bool {
    true
}

/// Add an entry to a dataset
///
/// Identities with an e-mail address at the domain are rescored in the background.
#[utoipa::path(post, operation_id = "createDatasetEntry", path = "/datasets/{slug}/entries", tag = "datasets",
    params(("slug" = String, Path)), request_body = NewDatasetEntryBody,
    responses((status = 201, body = DatasetEntryBody),
        (status = 409, body = ErrorBody, description = "There is an entry for this value.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(slug): Path<String>,
    Json(new): Json<Unchecked<NewDatasetEntryBody>>,
) -> Result<(StatusCode, Answer<DatasetEntryBody>), ApiError> {
    let (dataset, team_id) = (find(&slug)?, caller.team_id());
    let (value, new) = new.check(|new| {
        let value = parse_value(dataset, &new.value);
        let chars = new.note.as_ref().map_or(0, |note| note.chars().count());
        let note = must_have("note", chars, 0..=NOTE_MAX_CHARS, "characters");
        both(value, note.map(|()| new))
    })?;
    let mut entry = Entry {
        id: 0,
        team_id,
        dataset: slug,
        value,
        included: new.included,
        note: new.note,
        created_at: app.clock.now(),
    };
    entry.id =
        ops::create(&app.store, &app.kept, actor, entry.clone()).await.map_err(|error| match error {
            StoreError::Conflict => {
                let message = "There is an entry for this value. Remove that one first.";
                ApiError::new(StatusCode::CONFLICT, Code::EntryExists, message)
            }
            other => other.into(),
        })?;
    Ok((StatusCode::CREATED, Answer(DatasetEntryBody::own(entry))))
}

/// Remove an entry of the team's own
#[utoipa::path(delete, operation_id = "removeDatasetEntry", path = "/datasets/{slug}/entries/{id}",
    tag = "datasets", params(("slug" = String, Path), ("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(_): Manager,
    actor: Actor,
    Path((slug, id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let not_found = || ApiError::not_found(Code::EntryNotFound, "entry");
    let (dataset, id) = (find(&slug)?, id.parse().map_err(|_| not_found())?);
    let deleted = ops::delete(&app.store, &app.kept, actor, (dataset, id), app.clock.now()).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(not_found()) }
}

/// An entry to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetEntryPreviewBody {
    #[schema(example = "disposable.example", max_length = 253)]
    value: String,
}

/// What adding or removing an entry would do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedDatasetEntryBody {
    /// Identities that would be rescored, of the newest `lookedAt`.
    identities: u64,
    looked_at: u64,
    /// All identities.
    total: u64,
    /// Slugs of the channels that would be sent `identity.scored` for each of them.
    channels: Vec<String>,
}

/// Preview adding or removing an entry
///
/// Counts the identities that would be rescored. Read-only.
#[utoipa::path(post, operation_id = "previewDatasetEntry", path = "/datasets/{slug}/actions/preview",
    tag = "datasets", params(("slug" = String, Path)), request_body = DatasetEntryPreviewBody,
    responses((status = 200, body = PreviewedDatasetEntryBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(slug): Path<String>,
    Json(body): Json<Unchecked<DatasetEntryPreviewBody>>,
) -> Result<Answer<PreviewedDatasetEntryBody>, ApiError> {
    let dataset = find(&slug)?;
    let value = body.check(|body| parse_value(dataset, &body.value))?;
    let entry = (dataset, value);
    let found = ops::preview(&app.long_reads, &app.kept, &app.rosters, caller.team_id(), entry).await?;
    let Concerned { identities, looked_at, total, channels } = found;
    Ok(Answer(PreviewedDatasetEntryBody { identities, looked_at, total, channels }))
}

/// A value as the dataset has it.
fn parse_value(dataset: Dataset, text: &str) -> Result<String, ApiError> {
    let expected = match dataset {
        Dataset::Hosting | Dataset::Tor => "must be a network such as 198.51.100.0/24, or AS64496",
        _ => "must be a domain such as mail.example",
    };
    dataset.value(text).ok_or_else(|| ApiError::field("value", expected))
}

fn find(slug: &str) -> Result<Dataset, ApiError> {
    Dataset::parse(slug).ok_or_else(|| ApiError::not_found(Code::DatasetNotFound, "dataset"))
}
