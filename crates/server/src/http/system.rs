//! What the server is and what it is busy with, for people. For machines: `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use dregs_core::common;
use dregs_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use crate::app::App;
use crate::ops::evaluate::rescore;
use crate::store::common::CommonValue;
use crate::store::nodes::{self, Node};
use crate::store::{self, Location, backup, deliveries, identities};

/// The server as it is now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemBody {
    version: &'static str,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// SQLITE or POSTGRESQL.
    engine: &'static str,
    /// The size of the database, without its log.
    database_bytes: i64,
    /// Identities waiting to be scored.
    evaluation: QueueBody,
    /// Changes of what something means — of weights, mappings, lists, datasets, rules, or of what turned out to be common —
    /// after which not all whom they concern have come to wait for their scores yet.
    rescoring: usize,
    /// Deliveries waiting to be sent.
    delivery: QueueBody,
    /// The files that say where addresses are.
    geo_databases: Vec<String>,
    /// Whether there is a mail server for channels of type EMAIL.
    mail_enabled: bool,
    /// What your integration sends for most of your users, and which therefore says nothing of any of them.
    integration: Vec<CommonValueBody>,
    /// Whether a language model writes reviews, and not the built-in reviewer.
    review_model: bool,
    /// What holds where a channel or a credential does not say otherwise.
    defaults: DefaultsBody,
    /// Whether channels may reach the machine of the server itself, at 127.0.0.1.
    reaches_itself: bool,
    /// Where links in e-mails and chats lead.
    public_url: String,
    /// The servers that run on this database, in the order in which they started.
    nodes: Vec<NodeBody>,
    /// Of when the backup is that this database was, what arrived after which is not in it; null where it never was one.
    restored: Option<RestoredBody>,
}

/// Settings that hold where nothing else is said.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefaultsBody {
    /// The timeout of a webhook's attempt, in milliseconds.
    timeout_ms: u64,
    /// Events a credential may send in a second; 0 is any number.
    rate_per_second: u64,
}

/// Where a receiver on the same machine listens.
const ITSELF: &str = "http://127.0.0.1:4000";

/// A server that runs on this database.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeBody {
    id: i64,
    /// Its machine, and the port at which it listens.
    name: String,
    /// What it does.
    #[schema(example = json!(["api", "evaluate", "deliver"]))]
    roles: Vec<String>,
    version: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it last said that it lives. One that has not for eight seconds is taken for dead, and is gone from here.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
}

impl From<Node> for NodeBody {
    fn from(node: Node) -> Self {
        let roles = node.roles.split(',').map(str::to_owned).collect();
        let Node { id, name, version, started_at, seen_at, .. } = node;
        Self { id, name, roles, version, started_at, seen_at }
    }
}

/// A database that was put back.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoredBody {
    /// Null where that is not known.
    #[schema(value_type = Option<String>, format = DateTime)]
    taken_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    restored_at: Timestamp,
}

/// A value that most of a team's identities have in common.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommonValueBody {
    /// What kind of value it is.
    #[schema(value_type = String, example = "AGENT")]
    kind: &'static str,
    value: String,
    /// Of so many identities that were active last …
    identities: i64,
    /// … so many had it when that was learned.
    holders: i64,
    #[schema(value_type = String, format = DateTime)]
    learned_at: Timestamp,
    /// What that means, and how it is sent better.
    advice: &'static str,
}

impl From<&CommonValue> for CommonValueBody {
    fn from(common: &CommonValue) -> Self {
        Self {
            kind: common.key.kind.name(),
            value: common.key.value.clone(),
            identities: common.identities,
            holders: common.holders,
            learned_at: common.learned_at,
            advice: common::advice(common.key.kind),
        }
    }
}

/// The queue of a stage.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueBody {
    waiting: i64,
    /// Since when the first of it has been due; in the future where nothing is yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    oldest_due_at: Option<Timestamp>,
}

impl From<(i64, Option<Timestamp>)> for QueueBody {
    fn from((waiting, oldest_due_at): (i64, Option<Timestamp>)) -> Self {
        Self { waiting, oldest_due_at }
    }
}

/// Read the state of the server
#[utoipa::path(get, operation_id = "readSystem", path = "/system", tag = "system",
    responses((status = 200, body = SystemBody)))]
pub async fn get(State(app): State<Arc<App>>, caller: Caller) -> Result<Answer<SystemBody>, ApiError> {
    let counted = app
        .store
        .read(|tx| {
            let (restored, nodes) = (backup::restored(tx)?, nodes::all(tx)?);
            Ok((
                store::database_bytes(tx)?,
                identities::waiting(tx)?,
                rescore::under_way(tx)?,
                deliveries::waiting(tx)?,
                restored,
                nodes,
            ))
        })
        .await?;
    let (database_bytes, evaluation, rescoring, delivery, (taken_at, restored_at), mut nodes) = counted;
    if let [own] = nodes.as_mut_slice() {
        // Who is alone need not say so again and again.
        own.seen_at = app.clock.now();
    }
    let config = &app.config;
    let name = |path: &std::path::PathBuf| {
        path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    };
    Ok(Answer(SystemBody {
        version: env!("CARGO_PKG_VERSION"),
        started_at: app.started_at,
        engine: match app.store.location() {
            Location::File(_) => "SQLITE",
            Location::Postgres(_) => "POSTGRESQL",
        },
        database_bytes,
        evaluation: evaluation.into(),
        rescoring,
        delivery: delivery.into(),
        geo_databases: config.geo_databases.iter().map(name).collect(),
        mail_enabled: config.smtp_url.is_some(),
        integration: app.kept.common.current().values(caller.team_id()).map(Into::into).collect(),
        review_model: config.reviewer_url.is_some(),
        defaults: DefaultsBody {
            timeout_ms: config.deadline_ms,
            rate_per_second: config.credential_rate_per_second,
        },
        reaches_itself: app.egress.admits(ITSELF),
        public_url: app.public_url.clone(),
        nodes: nodes.into_iter().map(Into::into).collect(),
        restored: restored_at.map(|restored_at| RestoredBody { taken_at, restored_at }),
    }))
}
