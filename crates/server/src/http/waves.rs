//! Waves: escalations of identities that have something in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use dregs_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::auth::Caller;
use super::error::ApiError;
use super::escalations::ListParams;
use super::params::Params;
use super::reference::Reference;
use crate::app::App;
use crate::ops::decide::waves::{self as ops, Terms, Wave};
use crate::store::escalations::Status;

/// Escalations of identities that share one thing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaveBody {
    /// What they share: DEVICE, NEAR_DEVICE, SESSION, IP, NETWORK, EMAIL_DOMAIN, MAILBOX, PHONE, NAME, DATE_OF_BIRTH, ADDRESS,
    /// FIRST_STEPS or CODE.
    #[schema(example = "DEVICE")]
    kind: &'static str,
    /// Which one; null where it is nothing that one can read.
    #[schema(example = "203.0.113.0/24")]
    value: Option<String>,
    /// For the parameter `shares` of lists and of bulk changes.
    #[schema(example = "NETWORK:203.0.113.0/24")]
    shares: String,
    escalations: usize,
    /// Of those, the open ones.
    open: usize,
    /// Of those that are not closed, the ones that somebody works on.
    assigned: usize,
    identities: usize,
    /// The worst of them: INFO, WARNING or CRITICAL.
    #[schema(example = "CRITICAL")]
    severity: &'static str,
    /// The rules that have opened them, the busiest first.
    escalation_rules: Vec<Reference>,
    #[schema(value_type = String, format = DateTime)]
    first_opened_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_opened_at: Timestamp,
    /// Some of the identities.
    examples: Vec<Reference>,
}

impl WaveBody {
    /// `None` of one that has no escalations.
    fn new(wave: Wave) -> Option<Self> {
        let Wave { shared, escalations: all, identities, named } = wave;
        let mut rules: BTreeMap<(i64, String), usize> = BTreeMap::new();
        for one in &all {
            *rules.entry((one.rule_id, one.rule_name.clone())).or_default() += 1;
        }
        let mut rules: Vec<_> = rules.into_iter().collect();
        rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Some(Self {
            kind: shared.kind(),
            value: shared.is_readable().then(|| shared.value().to_owned()),
            shares: shared.text(),
            escalations: all.len(),
            open: all.iter().filter(|one| one.status == Status::Open).count(),
            assigned: all.iter().filter(|one| one.status != Status::Closed && one.assignee.is_some()).count(),
            identities,
            severity: all.iter().map(|one| one.severity).max_by_key(|severity| *severity as i64)?.name(),
            escalation_rules: rules.into_iter().map(|((id, name), _)| Reference::rule(id, name)).collect(),
            first_opened_at: all.iter().map(|one| one.opened_at).min()?,
            last_opened_at: all.iter().map(|one| one.opened_at).max()?,
            examples: named.into_iter().map(|(id, name)| Reference::identity(id, name)).collect(),
        })
    }
}

/// Waves, and what is in none.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WavesBody {
    /// The 100 largest at most; those with the most severe escalation first, then the largest.
    waves: Vec<WaveBody>,
    /// Escalations that were looked at: of those that match, the newest 10,000.
    looked_at: usize,
    /// Of those, the ones that are in no wave.
    others: usize,
}

/// List the waves among escalations
///
/// Identities with open escalations that share a device, an address, a mailbox, a domain and the like: at least three, or
/// five where strangers share it as well. Somebody may be in several. Takes the filters of `listEscalations`; by default
/// those that are not closed.
#[utoipa::path(get, operation_id = "listWaves", path = "/escalations/waves", tag = "escalations",
    params(ListParams), responses((status = 200, body = WavesBody)))]
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(params): Params<ListParams>,
) -> Result<Answer<WavesBody>, ApiError> {
    let params = params.active_by_default();
    let Some(filter) = params.filter(&app, &caller, app.clock.now()).await? else {
        return Ok(Answer(WavesBody { waves: Vec::new(), looked_at: 0, others: 0 }));
    };
    let terms = Terms { mappings: app.kept.mappings.current(), common: app.kept.common.current() };
    let found = ops::find(&app.long_reads, terms, caller.team_id(), filter).await?;
    let waves = found.waves.into_iter().filter_map(WaveBody::new).collect();
    Ok(Answer(WavesBody { waves, looked_at: found.looked_at, others: found.others }))
}
