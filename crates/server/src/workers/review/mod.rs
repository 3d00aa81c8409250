//! Reviews, written one after the other: by a model where one is configured, else by the built-in
//! reviewer.

mod model;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::app::App;
use crate::failpoint::{self, Failpoint};
use crate::limit::{self, Limit};
use crate::ops::identities::reviews::{self, Assignment, BUILT_IN};
use crate::shutdown::Shutdown;
use crate::store::{Result, log_failure};
use model::Model;

/// How often there is a look for reviews that another process left behind.
const POLL: Duration = Duration::from_millis(2_000);
/// How often a review that a model takes its time for is held: several times within its lease.
const HOLD: Duration = Duration::from_millis(1_000);

/// Works until shutdown begins.
pub async fn run(app: Arc<App>, mut shutdown: Shutdown) {
    let model = Model::of(&app);
    loop {
        let work = async {
            match write_next(&app, model.as_ref()).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => log_failure!(error, "a review could not be written; trying again"),
            }
            tokio::select! {
                () = sleep(POLL) => {}
                () = app.reviews.notified() => {}
            }
        };
        tokio::select! {
            () = work => {}
            () = shutdown.begun() => return,
        }
    }
}

/// Writes the next review; `false` when there is none to write.
async fn write_next(app: &App, model: Option<&Model>) -> Result<bool> {
    let (store, config, clock) = (&app.store, &app.config, &app.clock);
    let next = reviews::next(store, clock.now()).await?;
    let Some(assignment) = next else { return Ok(false) };
    failpoint::reach(Failpoint::ReviewClaimed);
    let (reviewer, outcome) = match model {
        Some(model) if reviews::is_within_budget(store, config.reviewer_daily_max, clock.now()).await? => {
            (model.name().to_owned(), held(app, assignment.review.id, model.write(&assignment)).await)
        }
        Some(_) => {
            limit::reached(Limit::DailyReviews);
            (BUILT_IN.to_owned(), Ok(over_budget(&assignment)))
        }
        None => (BUILT_IN.to_owned(), Ok(reviews::built_in(&assignment))),
    };
    reviews::finish(store, assignment.review.id, reviewer, outcome, clock.now()).await?;
    Ok(true)
}

/// Waits for what a model writes, and holds the review meanwhile.
async fn held<T>(app: &App, id: i64, writing: impl Future<Output = T>) -> T {
    let mut writing = std::pin::pin!(writing);
    loop {
        tokio::select! {
            written = &mut writing => return written,
            () = sleep(HOLD) => {}
        }
        if let Err(error) = reviews::hold(&app.store, id, app.clock.now()).await {
            log_failure!(error, "a review could not be held; another node may write it too");
        }
    }
}

fn over_budget(assignment: &Assignment) -> String {
    let said =
        "The model has written as many reviews as it may in a day; this one is by the built-in reviewer.";
    format!("{said}\n\n{}", reviews::built_in(assignment))
}
