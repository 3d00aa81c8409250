//! The team's lists that an identity is on.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::{ApiError, Code};
use super::lists::{ListBody, ListEntryBody};
use super::params::Path;
use crate::app::App;
use crate::ops::identities::listed::{self, Listed};

/// An entry of a list that an identity falls under.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedBody {
    list: ListBody,
    entry: ListEntryBody,
    /// What the identity shows that falls under it.
    #[schema(example = json!(["203.0.113.7"]))]
    shown: Vec<String>,
    /// The names of rules that are on and have conditions on the list. Without one, that it is on the list does nothing.
    rules: Vec<String>,
    /// The entry in the audit log by which a ban of a ring put it there, and by which the whole ban can be undone; null where
    /// none did.
    ban_audit_id: Option<i64>,
}

impl From<Listed> for ListedBody {
    fn from(Listed { list, entry, shown, rules, ban }: Listed) -> Self {
        Self { list: list.into(), entry: entry.into(), shown, rules, ban_audit_id: ban }
    }
}

/// List the list entries that an identity falls under
///
/// By the values that are remembered of it, now. On lists of texts nobody is found: what a text is, a rule says.
#[utoipa::path(get, operation_id = "listListEntriesOfIdentity", path = "/identities/{id}/list-entries", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = Vec<ListedBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Vec<ListedBody>>, ApiError> {
    let found = listed::find(&app.long_reads, app.seen(), (caller.team_id(), id), app.clock.now()).await?;
    let found = found.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))?;
    Ok(Answer(found.into_iter().map(ListedBody::from).collect()))
}
