//! The audit log: who did what, when, from where.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::answer::Answer;
use super::auth::Admin;
use super::error::ApiError;
use super::page::{Page, PageQuery, sort};
use super::params::{Params, times};
use crate::app::App;
use crate::channels::webhook::masked_path;
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
}

impl From<Entry> for AuditEntryBody {
    fn from(entry: Entry) -> Self {
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
        actor: params.actor,
        action: params.action,
        target_type: params.target_type,
        target_id: params.target_id,
        from,
        to,
    };
    let (count, found) = app
        .long_reads
        .read_if(page.is_deep(), move |tx| {
            let count = audit_log::count(tx, user.team_id, &filter, page.count_limit())?;
            let (ascending, offset, limit) = (query.ascending(), page.offset(), page.limit());
            Ok((count, audit_log::page(tx, user.team_id, &filter, ascending, offset, limit)?))
        })
        .await?;
    Ok(Answer(page.counted(found.into_iter().map(AuditEntryBody::from).collect(), count)))
}
