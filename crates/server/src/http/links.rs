//! What identities have in common with others.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::{ApiError, Code};
use super::identities::IdentityBody;
use super::params::Path;
use crate::app::App;
use crate::ops::identities::links::{self, Cluster, Edge, Link};

/// Another identity with something in common.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkBody {
    /// Null when the identity was deleted.
    target_identity_id: Option<String>,
    target_display_name: Option<String>,
    #[serde(rename = "type")]
    #[schema(example = "SAME_DEVICE")]
    link_type: &'static str,
    /// How strongly they are linked, from 0.0 to 1.0.
    value: f64,
    /// How sure that is, from 0.0 to 1.0.
    confidence: f64,
    explanation: String,
    metadata: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        Self {
            target_identity_id: link.id,
            target_display_name: link.name,
            link_type: link.shown.link_type.name(),
            value: link.shown.value,
            confidence: link.shown.confidence,
            explanation: link.shown.explanation,
            metadata: link.shown.metadata,
            created_at: link.since,
        }
    }
}

/// List the links of an identity, the strongest first
#[utoipa::path(get, operation_id = "listLinks", path = "/identities/{id}/links", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = Vec<LinkBody>)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<Vec<LinkBody>>, ApiError> {
    let links = links::links(&app.long_reads, &app.kept, app.key_hasher, caller.team_id(), id).await?;
    let links = links.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))?;
    Ok(Answer(links.into_iter().map(LinkBody::from).collect()))
}

/// Identities that strong links hold together.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterBody {
    /// The one that was asked for, then the nearest; 50 at most.
    members: Vec<IdentityBody>,
    links: Vec<ClusterLinkBody>,
    /// False where there are more members.
    is_whole: bool,
}

/// A link between two members of a cluster.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterLinkBody {
    /// Of one member.
    source_identity_id: String,
    /// Of the other.
    target_identity_id: String,
    #[serde(rename = "type")]
    #[schema(example = "SAME_DEVICE")]
    link_type: &'static str,
    /// How strongly they are linked, from 0.0 to 1.0.
    value: f64,
    /// How sure that is, from 0.0 to 1.0.
    confidence: f64,
    explanation: String,
}

impl ClusterBody {
    async fn new(cluster: Cluster) -> Result<Self, ApiError> {
        let Cluster { members, edges, is_whole } = cluster;
        let link = |Edge { from, to, shown }| ClusterLinkBody {
            source_identity_id: members[from].id.clone(),
            target_identity_id: members[to].id.clone(),
            link_type: shown.link_type.name(),
            value: shown.value,
            confidence: shown.confidence,
            explanation: shown.explanation,
        };
        let links = edges.into_iter().map(link).collect();
        let members = IdentityBody::all(members).await?;
        Ok(Self { members, links, is_whole })
    }
}

/// Read the cluster around an identity
///
/// Those it is strongly linked to, those they are linked to, and so on.
#[utoipa::path(get, operation_id = "readCluster", path = "/identities/{id}/cluster", tag = "identities",
    params(("id" = String, Path)), responses((status = 200, body = ClusterBody)))]
pub async fn cluster(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Answer<ClusterBody>, ApiError> {
    let found = links::cluster(&app.long_reads, &app.kept, app.key_hasher, caller.team_id(), id).await?;
    let found = found.ok_or_else(|| ApiError::not_found(Code::IdentityNotFound, "identity"))?;
    ClusterBody::new(found).await.map(Answer)
}
