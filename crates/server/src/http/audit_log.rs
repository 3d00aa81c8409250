//! The audit log: who did what, when, from where.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::{Admin, Triager, forbidden};
use super::error::{ApiError, Code, ErrorBody};
use super::page::{Page, PageQuery, sort};
use super::params::{Params, Path, times};
use crate::app::App;
use crate::channels::webhook::masked_path;
use crate::ops::audit::Actor;
use crate::ops::team::list_undo::{self, OfList, Refusal, Undoer};
use crate::store::audit_log::{self, Entry, Filter};

/// An entry of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntryBody {
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// USER, CREDENTIAL or SYSTEM.
    #[schema(example = "USER")]
    actor_type: String,
    actor_id: Option<i64>,
    /// The user's e-mail address, or the credential's name.
    actor: String,
    /// The name of the MCP token, or of the client that the user has connected, through which their agent did it; null
    /// where none did.
    mcp_token: Option<String>,
    address: Option<String>,
    #[schema(example = "channel.create")]
    action: String,
    #[schema(example = "channel")]
    target_type: String,
    target_id: String,
    /// How it was, without secrets; null where it was not.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// How it is, without secrets; null where it is no more.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// Whether it put entries on lists that can be taken off again in one step.
    can_be_undone: bool,
    /// Where that was done; null where it was not.
    undone: Option<UndoingBody>,
}

/// When, and by whom, an entry of the audit log was undone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndoingBody {
    /// Of the entry that says so.
    id: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The user's e-mail address, or the credential's name.
    actor: String,
}

impl AuditEntryBody {
    /// An entry, of those that were undone in `undoings`.
    fn new(entry: Entry, undoings: &[Entry]) -> Self {
        let id = entry.id.to_string();
        let undone = undoings.iter().find(|undoing| undoing.target_id == id);
        let undone =
            undone.map(|Entry { id, at, actor, .. }| UndoingBody { id: *id, at: *at, actor: actor.clone() });
        let can_be_undone = undone.is_none() && list_undo::can_be_undone(&entry);
        let json = |text: Option<String>| {
            let mut value: Value = serde_json::from_str(&text?).ok()?;
            // As older versions wrote it: whole.
            if let Some(url) = value.pointer_mut("/config/url") {
                *url = url.as_str().map(masked_path).into();
            }
            Some(value)
        };
        Self {
            id: entry.id,
            at: entry.at,
            actor_type: entry.actor_type,
            actor_id: entry.actor_id,
            actor: entry.actor,
            mcp_token: entry.mcp_token,
            address: entry.address,
            action: entry.action,
            target_type: entry.target_type,
            target_id: entry.target_id,
            before: json(entry.before),
            after: json(entry.after),
            can_be_undone,
            undone,
        }
    }
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only `at`.
    sort: Option<String>,
    /// The entry with this id.
    id: Option<i64>,
    /// The e-mail address of a user, or the name of a credential.
    actor: Option<String>,
    /// Such as `channel.create`.
    action: Option<String>,
    /// Such as `channel`.
    target_type: Option<String>,
    target_id: Option<String>,
    #[param(format = DateTime)]
    from: Option<String>,
    /// Up to, but not at, this time.
    #[param(format = DateTime)]
    to: Option<String>,
}

/// List the audit log, newest first
#[utoipa::path(get, operation_id = "listAuditLog", path = "/audit-log", tag = "audit-log",
    params(PageQuery, ListParams), responses((status = 200, body = Page<AuditEntryBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    Admin(user): Admin,
    Params(query): Params<PageQuery>,
    Params(params): Params<ListParams>,
) -> Result<Answer<Page<AuditEntryBody>>, ApiError> {
    let page = query.page();
    sort(params.sort.as_deref(), &[("at", ())])?;
    let (from, to) = times(params.from.as_deref(), params.to.as_deref())?;
    let filter = Filter {
        id: params.id,
        actor: params.actor,
        action: params.action,
        target_type: params.target_type,
        target_id: params.target_id,
        from,
        to,
    };
    let (count, undoings, found) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| {
            let count = audit_log::count(tx, user.team_id, &filter, page.count_limit())?;
            let (ascending, offset, limit) = (query.ascending(), page.offset(), page.limit());
            let found = audit_log::page(tx, user.team_id, &filter, ascending, offset, limit)?;
            let may_be: Vec<_> =
                found.iter().filter(|entry| list_undo::can_be_undone(entry)).map(|entry| entry.id).collect();
            Ok((count, audit_log::undoings(tx, user.team_id, &may_be)?, found))
        })
        .await?;
    let found = found.into_iter().map(|entry| AuditEntryBody::new(entry, &undoings)).collect();
    Ok(Answer(page.counted(found, count)))
}

/// Whether it is only tried.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct UndoParams {
    /// Whether nothing is written.
    #[serde(default)]
    #[param(default = false)]
    dry_run: bool,
}

/// What was undone, or would be.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndoneBody {
    /// Whether it was written: not where it was only tried.
    written: bool,
    lists: Vec<UndoneListBody>,
}

/// What was taken off one list, or would be.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndoneListBody {
    id: i64,
    #[schema(example = "banned-devices")]
    list: String,
    /// What it is called; its slug where it is deleted.
    #[schema(example = "Banned devices")]
    name: String,
    /// Entries that are taken off.
    removed: usize,
    /// Entries that were added then, and changed or taken off since: those on the list stay there.
    changed_since: usize,
    /// Entries that were on the list before, and were changed then: they stay as they are.
    there_before: usize,
}

impl From<OfList> for UndoneListBody {
    fn from(of_list: OfList) -> Self {
        let OfList { id, slug, name, removed, changed_since, there_before } = of_list;
        Self { id, list: slug, name, removed, changed_since, there_before }
    }
}

/// Undo what an entry of the audit log put on lists
///
/// Of `ring.ban`, `list-entry.create` and `list.import`. Entries that were on the list before, or that somebody has
/// changed since, stay. Identities that show a value are rescored in the background.
#[utoipa::path(post, operation_id = "undoAuditEntry", path = "/audit-log/{id}/actions/undo", tag = "audit-log",
    params(("id" = i64, Path), UndoParams),
    responses((status = 200, body = UndoneBody),
        (status = 409, body = ErrorBody, description = "It was undone, or is none that can be.")))]
pub async fn undo(
    State(app): State<Arc<App>>,
    Triager(caller): Triager,
    actor: Actor,
    Path(id): Path<String>,
    Params(params): Params<UndoParams>,
) -> Result<Answer<UndoneBody>, ApiError> {
    let not_found = || ApiError::not_found(Code::EntryNotFound, "entry");
    let id = id.parse().map_err(|_| not_found())?;
    let undoer = Undoer { actor, may_manage: caller.may_manage() };
    let done = if params.dry_run {
        list_undo::preview(&app.long_reads, undoer, id).await?
    } else {
        list_undo::undo(&app.store, &app.kept, undoer, id, app.clock.now()).await?
    };
    let refused = |message: &str| ApiError::new(StatusCode::CONFLICT, Code::WrongState, message);
    let done = done.map_err(|refusal| match refusal {
        Refusal::NotFound => not_found(),
        Refusal::NotOfLists => refused("Only what put entries on lists can be undone."),
        Refusal::Nothing => refused("It added nothing to a list, so that there is nothing to undo."),
        Refusal::Undone => refused("It was undone before."),
        Refusal::Trusted => forbidden("Only an admin may change what is on a trusted list."),
    })?;
    let lists = done.lists.into_iter().map(UndoneListBody::from).collect();
    Ok(Answer(UndoneBody { written: !params.dry_run, lists }))
}
