//! Rules asked again without a cycle: because a delay has passed or a rule has changed. Nobody is scored.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dregs_core::time::Timestamp;

use crate::app::App;
use crate::clock::unix_nanos;
use crate::failpoint::{self, Failpoint};
use crate::ops::decide::{decisions, rule_lists};
use crate::shutdown::Shutdown;
use crate::store::claims::EVALUATION_LEASE_MS;
use crate::store::identities;
use crate::store::{Result, Tx, lists, log_failure, versions};
use crate::trace::Context;

/// Identities decided on in one transaction.
const BATCH_IDENTITIES: i64 = 256;
/// How often there is a look for what is due.
const POLL: Duration = Duration::from_millis(250);

/// Asks until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    loop {
        let wait = match batch(&app).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => POLL,
            Err(error) => {
                log_failure!(error, "rules could not be asked; they are when the lease has ended");
                POLL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shutdown.begun() => return,
        }
    }
}

/// Decides on those who are due; whether there may be more.
async fn batch(app: &Arc<App>) -> Result<bool> {
    let now = app.clock.now();
    let lease_until = now.plus_millis(EVALUATION_LEASE_MS);
    let claim = move |tx: &mut Tx| identities::claim_undecided(tx, now, lease_until, BATCH_IDENTITIES);
    let ids = app.store.write(claim).await?;
    if ids.is_empty() {
        return Ok(false);
    }
    failpoint::reach(Failpoint::DecideClaimed);
    let is_full = ids.len() as i64 == BATCH_IDENTITIES;
    let told = loop {
        match decide(app, ids.clone(), now).await? {
            Some(told) => break told,
            // Rules have changed, and are not in memory yet.
            None => app.kept.reload_changed(app.clock.now()).await?,
        }
    };
    failpoint::reach(Failpoint::DecideCommitted);
    for channel_id in told {
        app.deliveries.spill(channel_id);
    }
    Ok(is_full)
}

/// The channels that have something to send; `None`, and nothing is written, where it would go by rules that are no
/// longer in force.
async fn decide(app: &Arc<App>, ids: Vec<i64>, now: Timestamp) -> Result<Option<BTreeSet<i64>>> {
    let seen = app.seen();
    let decided = app
        .store
        .write(move |tx| {
            let began_at = unix_nanos();
            let (mut decided, mut traced) = (Vec::new(), Vec::new());
            for start in identities::load_cycle_starts(tx, &ids)? {
                let Some(mut one) = decisions::ask(&start, seen.rules.of(start.team_id), now)? else {
                    continue;
                };
                one.trace = start.decide_trace.map(Context::child);
                traced.extend(start.decide_trace.map(|cycle| (decided.len(), cycle)));
                decided.push(one);
            }
            lists::lock(tx, &rule_lists::named(decided.iter(), &seen.rules))?;
            if !versions::hold(tx, &seen.versions)? {
                return Ok(None);
            }
            let told = decisions::save(tx, &decided, &seen, now)?;
            let at = (began_at, unix_nanos());
            let spans = traced.into_iter().filter_map(|(index, cycle)| decided[index].span(cycle, at));
            Ok(Some((told, spans.collect::<Vec<_>>())))
        })
        .await?;
    Ok(decided.map(|(told, spans)| {
        spans.into_iter().for_each(|span| app.traces.record(|| span));
        told
    }))
}
