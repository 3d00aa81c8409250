//! Groups: organizations, teams, workspaces of the application.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::event::{GROUP_TYPE_DEFAULT, GROUP_TYPE_MAX_CHARS, ID_MAX_BYTES, flaw_of_group_id, redact};
use dregs_core::time::Timestamp;
use dregs_core::words::snake;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Caller, Manager};
use super::body::{Json, Unchecked};
use super::error::{ApiError, Code, both, must, must_have};
use super::identities;
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path};
use crate::app::App;
use crate::ops::audit::Actor;
use crate::ops::identities::groups as ops;
use crate::ops::lists::roster::{Filter, Slice, Sort};
use crate::store::groups::{self, Group};
use crate::store::rosters::Kind;

const SORTS: [(&str, Sort); 5] = [
    ("lastTrackedAt", Sort::Time(2)),
    ("createdAt", Sort::Time(0)),
    ("updatedAt", Sort::Time(1)),
    ("displayName", Sort::Text(1)),
    ("id", Sort::Text(0)),
];
/// Which text of an entry is the type.
const TYPE: usize = 2;

/// A group of identities.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupBody {
    /// In lower_snake_case.
    #[serde(rename = "type")]
    group_type: String,
    /// The application's own id of the group.
    id: String,
    display_name: Option<String>,
    identity_count: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When the server last received an event of it, whenever that happened; until one comes, when it was created.
    #[schema(value_type = String, format = DateTime)]
    last_tracked_at: Timestamp,
    /// Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Map<String, Value>>,
}

impl GroupBody {
    pub fn listed(group: Group) -> Self {
        Self {
            group_type: group.group_type,
            id: group.external_id,
            display_name: group.display_name,
            identity_count: group.identity_count,
            created_at: group.created_at,
            updated_at: group.updated_at,
            last_tracked_at: group.last_tracked_at,
            data: None,
        }
    }

    fn full(group: Group) -> Self {
        let data = serde_json::from_str(&group.data).unwrap_or_default();
        Self { data: Some(data), ..Self::listed(group) }
    }
}

/// Which groups.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// `lastTrackedAt` by default; else `createdAt`, `updatedAt`, `displayName` or `id`.
    sort: Option<String>,
    #[serde(rename = "type")]
    group_type: Option<String>,
    /// Groups this identity is in.
    identity: Option<String>,
    /// Part of the id, the type or the name, in any spelling.
    term: Option<String>,
}

/// List the groups
#[utoipa::path(get, operation_id = "listGroups", path = "/groups", tag = "groups",
    params(PageQuery, ListParams), responses((status = 200, body = Page<GroupBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<GroupBody>>, ApiError> {
    let page = query.page();
    let sort = sort(params.sort.as_deref(), &SORTS)?;
    let among = match params.identity {
        Some(id) => Some(of_identity(&app, &caller, id).await?),
        None => None,
    };
    let text = params.group_type.map(|group_type| (TYPE, snake(&group_type)));
    let filter =
        Filter { term: params.term.filter(|term| !term.is_empty()), text, among, ..Filter::default() };
    let slice = Slice { sort, ascending: query.ascending(), offset: page.start(), limit: page.length() };
    let found = app.rosters.ask(caller.team_id(), Kind::Groups, move |table| table.find(&filter, slice));
    let (total, ids) = found.await?;
    let found = app.store.read(move |tx| groups::load_rows(tx, &ids)).await?;
    let content = found.into_iter().map(GroupBody::listed).collect();
    Ok(Answer(page.page(content, i64::try_from(total).unwrap_or(i64::MAX))))
}

/// The groups of an identity; none, if there is no such identity.
async fn of_identity(app: &App, caller: &Caller, id: String) -> Result<Vec<i64>, ApiError> {
    let team_id = caller.team_id();
    let find = move |tx: &mut crate::store::Tx| {
        let identity = crate::store::identities::find(tx, team_id, &id)?;
        identity.map_or(Ok(Vec::new()), |identity| groups::of_identity(tx, identity.row_id))
    };
    Ok(app.store.read(find).await?)
}

/// A group to store.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroupBody {
    /// `organization` by default.
    #[serde(rename = "type")]
    #[schema(max_length = 64)]
    group_type: Option<String>,
    #[schema(max_length = 255)]
    id: String,
    /// Merged into the stored ones; null removes a key.
    attributes: Option<Map<String, Value>>,
    /// The same, as events call it.
    data: Option<Map<String, Value>>,
}

/// Create a group, or merge into the one that is there
#[utoipa::path(post, operation_id = "createGroup", path = "/groups", tag = "groups",
    request_body = NewGroupBody, responses((status = 200, body = GroupBody)))]
pub async fn create(
    State(app): State<Arc<App>>,
    Manager(_): Manager,
    actor: Actor,
    Json(new): Json<Unchecked<NewGroupBody>>,
) -> Result<Answer<GroupBody>, ApiError> {
    let (group_type, new) = new.check(|new| {
        let given = new.group_type.as_deref().filter(|group_type| !group_type.is_empty());
        let group_type = snake(given.unwrap_or(GROUP_TYPE_DEFAULT));
        let chars = given.unwrap_or_default().chars().count();
        let is_type = !group_type.is_empty() && chars <= GROUP_TYPE_MAX_CHARS;
        let message = format!("must have a letter or a digit, and at most {GROUP_TYPE_MAX_CHARS} characters");
        let id = must_have("id", new.id.len(), 1..=ID_MAX_BYTES, "bytes")
            .and_then(|()| flaw_of_group_id(&new.id).map_or(Ok(()), |flaw| Err(ApiError::field("id", flaw))));
        both(must(is_type, "type", message), id)?;
        Ok((group_type, new))
    })?;
    let mut data = new.data.unwrap_or_default();
    data.extend(new.attributes.unwrap_or_default());
    merged(&app, actor, group_type, new.id, data).await
}

async fn merged(
    app: &App,
    actor: Actor,
    group_type: String,
    id: String,
    mut data: Map<String, Value>,
) -> Result<Answer<GroupBody>, ApiError> {
    redact(&mut data);
    let group = ops::merge(
        &app.store,
        app.key_hasher,
        &app.kept.names,
        actor,
        (group_type, id),
        data,
        app.clock.now(),
    )
    .await?;
    let group = group.map_err(|error| ApiError::field("attributes", error.message))?;
    Ok(Answer(GroupBody::full(group)))
}

/// Read a group
#[utoipa::path(get, operation_id = "readGroup", path = "/groups/{type}/{id}", tag = "groups",
    params(("type" = String, Path), ("id" = String, Path)), responses((status = 200, body = GroupBody)))]
pub async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((group_type, id)): Path<(String, String)>,
) -> Result<Answer<GroupBody>, ApiError> {
    Ok(Answer(GroupBody::full(find(&app, &caller, &group_type, id).await?)))
}

/// What to change about a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupPatchBody {
    /// Merged into the stored ones; null removes a key.
    attributes: Map<String, Value>,
}

/// Change a group
#[utoipa::path(patch, operation_id = "changeGroup", path = "/groups/{type}/{id}", tag = "groups",
    params(("type" = String, Path), ("id" = String, Path)), request_body = GroupPatchBody,
    responses((status = 200, body = GroupBody)))]
pub async fn update(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path((group_type, id)): Path<(String, String)>,
    Json(patch): Json<GroupPatchBody>,
) -> Result<Answer<GroupBody>, ApiError> {
    let group = find(&app, &caller, &group_type, id).await?;
    merged(&app, actor, group.group_type, group.external_id, patch.attributes).await
}

/// Make an identity a member of a group
#[utoipa::path(put, operation_id = "addGroupMember", path = "/groups/{type}/{id}/identities/{identityId}",
    tag = "groups", params(("type" = String, Path), ("id" = String, Path), ("identityId" = String, Path)),
    responses((status = 204)))]
pub async fn add_member(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(path): Path<(String, String, String)>,
) -> Result<StatusCode, ApiError> {
    set_member(&app, &caller, actor, path, true).await
}

/// Remove an identity from a group
#[utoipa::path(delete, operation_id = "removeGroupMember", path = "/groups/{type}/{id}/identities/{identityId}",
    tag = "groups", params(("type" = String, Path), ("id" = String, Path), ("identityId" = String, Path)),
    responses((status = 204)))]
pub async fn remove_member(
    State(app): State<Arc<App>>,
    Manager(caller): Manager,
    actor: Actor,
    Path(path): Path<(String, String, String)>,
) -> Result<StatusCode, ApiError> {
    set_member(&app, &caller, actor, path, false).await
}

async fn set_member(
    app: &App,
    caller: &Caller,
    actor: Actor,
    (group_type, id, identity_id): (String, String, String),
    member: bool,
) -> Result<StatusCode, ApiError> {
    let group = find(app, caller, &group_type, id).await?;
    let identity = identities::find(app, caller, identity_id).await?;
    ops::set_member(&app.store, actor, group, identity.row_id, member, app.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(app: &App, caller: &Caller, group_type: &str, id: String) -> Result<Group, ApiError> {
    let (team_id, group_type) = (caller.team_id(), snake(group_type));
    let group = app.store.read(move |tx| groups::find(tx, team_id, &group_type, &id)).await?;
    group.ok_or_else(|| ApiError::not_found(Code::GroupNotFound, "group"))
}
