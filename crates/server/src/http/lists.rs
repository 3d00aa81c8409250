//! Lists of the team's own, and what is on them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::list::ListType;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager, Triager, forbidden};
use super::body::{Json, Unchecked};
use super::channels::{NO_SLUG_IN_NAME, check_slug, slug_of};
use super::error::{ApiError, Code, ErrorBody, both, check_name, every, must, must_have, text};
use super::page::PAGE_SIZE_MAX;
use super::params::{Params, Path, time_ahead, whole_number};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::evaluate::rescore::Concerned;
use crate::ops::identities::ring;
use crate::ops::team::lists::{self as ops, Added, Changed, ENTRIES_AT_ONCE_MAX, NewEntry};
use crate::store::StoreError;
use crate::store::lists::{self, Entry, TeamList};

const NAME_MAX_CHARS: usize = 100;
pub const COMMENT_MAX_CHARS: usize = 500;

/// A list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListBody {
    id: i64,
    /// What rules call it.
    #[schema(example = "our-office")]
    slug: String,
    name: String,
    description: Option<String>,
    /// EMAIL, EMAIL_DOMAIN, IP, NETWORK, ASN, COUNTRY, DEVICE, IDENTITY, PHONE or TEXT.
    #[serde(rename = "type")]
    #[schema(example = "NETWORK")]
    list_type: &'static str,
    /// Whether what is on it is left out of evidence: who shares it says nothing.
    trusted: bool,
    entry_count: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<TeamList> for ListBody {
    fn from(list: TeamList) -> Self {
        let TeamList {
            id,
            slug,
            name,
            description,
            list_type,
            trusted,
            entry_count,
            created_at,
            updated_at,
            ..
        } = list;
        let list_type = list_type.name();
        Self { id, slug, name, description, list_type, trusted, entry_count, created_at, updated_at }
    }
}

/// List the lists, by name
#[utoipa::path(get, operation_id = "listLists", path = "/lists", tag = "lists",
    responses((status = 200, body = Vec<ListBody>)))]
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<Vec<ListBody>>, ApiError> {
    let team_id = caller.team_id();
    let found = app.store.read(move |tx| lists::of_team(tx, team_id)).await?;
    Ok(Answer(found.into_iter().map(ListBody::from).collect()))
}

/// A new list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewListBody {
    #[schema(example = "Our office", min_length = 1, max_length = 100)]
    name: String,
    /// What rules call it, from then on. Made from the name where it is left out.
    #[schema(example = "our-office", min_length = 1, max_length = 60, pattern = "^[a-z0-9-]+$")]
    slug: Option<String>,
    #[schema(max_length = 500)]
    description: Option<String>,
    /// EMAIL, EMAIL_DOMAIN, IP, NETWORK, ASN, COUNTRY, DEVICE, IDENTITY, PHONE or TEXT, from then on.
    #[serde(rename = "type")]
    #[schema(example = "NETWORK")]
    list_type: String,
    /// Whether what is on it is left out of evidence. Not of lists of countries and texts.
    #[serde(default)]
    trusted: bool,
}

impl NewListBody {
    fn check(self, team_id: i64, now: Timestamp) -> Result<TeamList, ApiError> {
        let slug = match self.slug {
            None if check_name(&self.name, NAME_MAX_CHARS).is_ok() => {
                slug_of(&self.name).ok_or_else(|| ApiError::field("slug", NO_SLUG_IN_NAME))
            }
            None => Ok(String::new()),
            Some(slug) => check_slug(&slug).map(|()| slug),
        };
        let named = both(check_name(&self.name, NAME_MAX_CHARS), slug);
        let names: Vec<_> = ListType::ALL.iter().map(|list_type| list_type.name()).collect();
        let known = ListType::parse(&self.list_type)
            .ok_or_else(|| ApiError::field("type", format!("must be one of {}", names.join(", "))));
        let list_type = known.and_then(|list_type| check_trust(list_type, self.trusted).map(|()| list_type));
        let description = text("description", self.description, COMMENT_MAX_CHARS);
        let ((((), slug), list_type), description) = both(both(named, list_type), description)?;
        Ok(TeamList {
            id: 0,
            team_id,
            slug,
            name: self.name.trim().to_owned(),
            description,
            list_type,
            trusted: self.trusted,
            revision: 1,
            removals_since: 0,
            entry_count: 0,
            created_at: now,
            updated_at: now,
        })
    }
}

fn check_trust(list_type: ListType, trusted: bool) -> Result<(), ApiError> {
    let message = "cannot be true of a list of countries or texts: nobody is accused for sharing one";
    must(!trusted || list_type.can_be_trusted(), "trusted", message)
}

/// Make a list
#[utoipa::path(post, operation_id = "createList", path = "/lists", tag = "lists", request_body = NewListBody,
    responses((status = 201, body = ListBody),
        (status = 409, body = ErrorBody, description = "The team has a list with this slug.")))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewListBody>>,
) -> Result<(StatusCode, Answer<ListBody>), ApiError> {
    let mut list = new.check(|new| new.check(caller.team_id(), app.clock.now()))?;
    list.id = ops::create(&app.store, &app.kept, actor, list.clone()).await.map_err(|error| match error {
        StoreError::Conflict => {
            ApiError::new(StatusCode::CONFLICT, Code::SlugTaken, "The team has a list with this slug.")
        }
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Answer(list.into())))
}

/// Get a list
#[utoipa::path(get, operation_id = "getList", path = "/lists/{id}", tag = "lists",
    params(("id" = i64, Path)), responses((status = 200, body = ListBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<ListBody>, ApiError> {
    Ok(Answer(find(&app, &caller, &id).await?.into()))
}

/// What to change about a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListPatchBody {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// An empty one removes it.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Identities with a value on the list are rescored in the background.
    trusted: Option<bool>,
}

/// Change a list
#[utoipa::path(patch, operation_id = "updateList", path = "/lists/{id}", tag = "lists",
    params(("id" = i64, Path)), request_body = ListPatchBody, responses((status = 200, body = ListBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(id): Path<String>,
    Json(patch): Json<Unchecked<ListPatchBody>>,
) -> Result<Answer<ListBody>, ApiError> {
    let list = find(&app, &caller, &id).await?;
    let changed = patch.check(|patch| {
        let name = patch.name.as_ref().map_or(Ok(()), |name| check_name(name, NAME_MAX_CHARS));
        let trust = check_trust(list.list_type, patch.trusted == Some(true));
        let has_description = patch.description.is_some();
        let description = text("description", patch.description, COMMENT_MAX_CHARS);
        let (((), ()), description) = both(both(name, trust), description)?;
        let name = patch.name.map(|name| name.trim().to_owned());
        Ok(Changed { name, description: has_description.then_some(description), trusted: patch.trusted })
    })?;
    let updated = ops::update(&app.store, &app.kept, actor, (list.id, changed), app.clock.now()).await?;
    updated.map(|list| Answer(list.into())).ok_or_else(not_found)
}

/// Remove a list with its entries
///
/// Conditions on it hold of nobody then.
#[utoipa::path(delete, operation_id = "removeList", path = "/lists/{id}", tag = "lists",
    params(("id" = i64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Arc<App>>,
    Manager(_): Manager,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = id.parse().map_err(|_| not_found())?;
    let deleted = ops::delete(&app.store, &app.kept, actor, id, app.clock.now()).await?;
    if deleted { Ok(StatusCode::NO_CONTENT) } else { Err(not_found()) }
}

pub fn not_found() -> ApiError {
    ApiError::not_found(Code::ListNotFound, "list")
}

/// The list of the caller's team with this id.
pub async fn find(app: &App, caller: &Caller, id: &str) -> Result<TeamList, ApiError> {
    let (team_id, id) = (caller.team_id(), id.parse().map_err(|_| not_found())?);
    app.store.read(move |tx| lists::get(tx, team_id, id)).await?.ok_or_else(not_found)
}

/// The list on which the caller may put something: on a trusted one, admins alone.
pub async fn find_to_change(app: &App, caller: &Caller, id: &str) -> Result<TeamList, ApiError> {
    let list = find(app, caller, id).await?;
    if list.trusted && !caller.may_manage() {
        return Err(forbidden("Only an admin may change what is on a trusted list."));
    }
    Ok(list)
}

/// An entry of a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListEntryBody {
    id: i64,
    /// As the list's type spells it.
    #[schema(example = "203.0.113.0/24")]
    value: String,
    comment: Option<String>,
    /// Who put it in, or changed it last.
    author: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From then on it counts no more; null where it has no end.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
}

impl From<Entry> for ListEntryBody {
    fn from(entry: Entry) -> Self {
        let Entry { id, value, comment, author, created_at, ends_at, .. } = entry;
        Self { id, value, comment, author, created_at, ends_at }
    }
}

/// Entries of a list, in the order of their values.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListEntriesBody {
    content: Vec<ListEntryBody>,
    /// Where the next page begins, as `after`; null after the last.
    next: Option<String>,
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct EntriesParams {
    /// Part of the value.
    term: Option<String>,
    /// Those that come after this value.
    after: Option<String>,
    #[serde(default = "page_size", deserialize_with = "whole_number::<1, PAGE_SIZE_MAX, _>")]
    #[param(minimum = 1, maximum = 100, default = 100)]
    page_size: u32,
}

fn page_size() -> u32 {
    PAGE_SIZE_MAX
}

/// List the entries of a list
///
/// In the order of their values, those whose end has passed among them.
#[utoipa::path(get, operation_id = "listListEntries", path = "/lists/{id}/entries", tag = "lists",
    params(("id" = i64, Path), EntriesParams), responses((status = 200, body = ListEntriesBody)))]
pub async fn entries(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Params(params): Params<EntriesParams>,
) -> Result<Answer<ListEntriesBody>, ApiError> {
    let list = find(&app, &caller, &id).await?;
    let is_folded = !matches!(list.list_type, ListType::Device | ListType::Identity);
    let term = params.term.map(|term| term.trim().to_owned()).map(|term| match list.list_type {
        ListType::Asn | ListType::Country => term.to_uppercase(),
        _ if is_folded => term.to_lowercase(),
        _ => term,
    });
    let (key, limit) = ((list.team_id, list.id), params.page_size as usize);
    let after = params.after.unwrap_or_default();
    let read =
        move |tx: &mut crate::store::Tx| lists::page(tx, key, term.as_deref(), &after, limit as i64 + 1);
    let mut found = app.long_reads.read(read).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|last| last.value.clone());
    Ok(Answer(ListEntriesBody { content: found.into_iter().map(ListEntryBody::from).collect(), next }))
}

/// An entry to put on a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NewListEntryBody {
    #[schema(example = "203.0.113.0/24", max_length = 320)]
    value: String,
    #[schema(max_length = 500)]
    comment: Option<String>,
    /// When it stops counting.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
}

impl NewListEntryBody {
    fn check(self, list_type: ListType, place: usize, now: Timestamp) -> Result<NewEntry, ApiError> {
        let field = |name: &str| format!("entries[{place}].{name}");
        let value = list_type
            .value(&self.value)
            .ok_or_else(|| ApiError::field(&field("value"), format!("must be {}", list_type.expected())));
        let comment = text(&field("comment"), self.comment, COMMENT_MAX_CHARS);
        let ends_at = time_ahead(&field("endsAt"), self.ends_at.as_deref(), now);
        let ((value, comment), ends_at) = both(both(value, comment), ends_at)?;
        Ok(NewEntry { value, comment, ends_at })
    }
}

/// Entries to put on a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewListEntriesBody {
    #[schema(min_items = 1, max_items = 1000)]
    entries: Vec<NewListEntryBody>,
}

/// What was put on a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListChangeBody {
    added: usize,
    /// That were there with another comment or another end.
    changed: usize,
    unchanged: usize,
    /// The entry of the audit log by which what was added can be undone; null where nothing was added.
    audit_id: Option<i64>,
}

/// Put entries on a list
///
/// An entry with a value that is on the list takes the place of that one. Identities that show one of the values are
/// rescored in the background.
#[utoipa::path(post, operation_id = "addListEntries", path = "/lists/{id}/entries", tag = "lists",
    params(("id" = i64, Path)), request_body = NewListEntriesBody,
    responses((status = 200, body = ListChangeBody)))]
pub async fn add(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<NewListEntriesBody>>,
) -> Result<Answer<ListChangeBody>, ApiError> {
    let list = find_to_change(&app, &caller, &id).await?;
    let now = app.clock.now();
    let entries = body.check(|body| {
        must_have("entries", body.entries.len(), 1..=ENTRIES_AT_ONCE_MAX, "entries")?;
        let entries = body.entries.into_iter().enumerate();
        every(entries.map(|(place, entry)| entry.check(list.list_type, place, now)))
    })?;
    let new = (ops::ADDED, list.id, entries);
    let done = ops::add(&app.store, &app.kept, actor, new, now).await?;
    let Added { put, audit_id } = done.ok_or_else(not_found)?;
    let (added, changed) = (put.added.len(), put.changed.len());
    Ok(Answer(ListChangeBody { added, changed, unchanged: put.unchanged, audit_id }))
}

/// Take an entry off a list
///
/// Identities that show its value are rescored in the background.
#[utoipa::path(delete, operation_id = "removeListEntry", path = "/lists/{id}/entries/{entryId}", tag = "lists",
    params(("id" = i64, Path), ("entryId" = i64, Path)), responses((status = 204)))]
pub async fn remove(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path((id, entry_id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let list = find_to_change(&app, &caller, &id).await?;
    let not_there = || ApiError::not_found(Code::EntryNotFound, "entry");
    let entry_id = entry_id.parse().map_err(|_| not_there())?;
    let removed = ops::remove(&app.store, &app.kept, actor, (list.id, entry_id), app.clock.now()).await?;
    if removed { Ok(StatusCode::NO_CONTENT) } else { Err(not_there()) }
}

/// What of a list to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPreviewBody {
    /// Values that would be put on the list, changed or taken off; without them, all that are on it.
    #[schema(min_items = 1, max_items = 1000)]
    values: Option<Vec<String>>,
}

/// Whom a change of a list would concern.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedListBody {
    /// Identities that would be rescored, of the newest `lookedAt`.
    identities: u64,
    looked_at: u64,
    /// All identities.
    total: u64,
    /// Slugs of the channels that would be sent `identity.scored` for each of them.
    channels: Vec<String>,
    /// The names of rules that are on and have conditions on the list.
    asked_by: Vec<String>,
    /// The names of rules that are on and add to it.
    added_to_by: Vec<String>,
    /// How many of the values are on the list already.
    listed: usize,
}

/// Preview changing a list
///
/// Counts the identities that would be rescored if the list were trusted or not, or removed; with `values`, if these were
/// put on it, changed or taken off. Read-only.
#[utoipa::path(post, operation_id = "previewList", path = "/lists/{id}/actions/preview", tag = "lists",
    params(("id" = i64, Path)), request_body = ListPreviewBody,
    responses((status = 200, body = PreviewedListBody)))]
pub async fn preview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<Unchecked<ListPreviewBody>>,
) -> Result<Answer<PreviewedListBody>, ApiError> {
    let list = find(&app, &caller, &id).await?;
    let values = body.check(|body| {
        let Some(values) = body.values else { return Ok(None) };
        must_have("values", values.len(), 1..=ENTRIES_AT_ONCE_MAX, "values")?;
        let expected = format!("must be {}", list.list_type.expected());
        let value = |(place, value): (usize, &String)| {
            let value = list.list_type.value(value);
            value.ok_or_else(|| ApiError::field(&format!("values[{place}]"), expected.clone()))
        };
        every(values.iter().enumerate().map(value)).map(Some)
    })?;
    let listed = match &values {
        Some(values) => ops::listed(&app.long_reads, &list, values.clone()).await?,
        None => 0,
    };
    previewed(&app, &list, values, listed).await.map(Answer)
}

/// Whom changing a list, or some values on it, would concern.
pub async fn previewed(
    app: &App,
    list: &TeamList,
    values: Option<Vec<String>>,
    listed: usize,
) -> Result<PreviewedListBody, ApiError> {
    let found = ops::preview(&app.long_reads, &app.kept, &app.rosters, list, values).await?;
    let Concerned { identities, looked_at, total, channels } = found;
    let rules = app.kept.rules.current();
    let rules = rules.of(list.team_id);
    let (asked_by, added_to_by) = (ring::asked_by(rules, &list.slug), rules.that_add_to(&list.slug));
    Ok(PreviewedListBody { identities, looked_at, total, channels, asked_by, added_to_by, listed })
}
