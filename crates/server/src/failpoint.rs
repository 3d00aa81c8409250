//! Places where a test may end the process, as a kill would. Not in release builds.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! failpoints {
    ($($name:ident = $text:literal,)*) => {
        /// A place between a commit and the step after it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Failpoint { $($name,)* }

        impl Failpoint {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// By which it is armed.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

failpoints! {
    IngestCommitted = "ingest.committed",
    EvaluateClaimed = "evaluate.claimed",
    EvaluateRead = "evaluate.read",
    EvaluateCommitted = "evaluate.committed",
    BulkChanged = "bulk.changed",
    CounterStepped = "counter.stepped",
    DeliverClaimed = "deliver.claimed",
    DeliverSent = "deliver.sent",
    DeliverRecorded = "deliver.recorded",
    DecideClaimed = "decide.claimed",
    DecideCommitted = "decide.committed",
    ErasureBegun = "erasure.begun",
    LabelGiven = "label.given",
    ReplayQueued = "replay.queued",
    RescoreStepped = "rescore.stepped",
    ResendQueued = "resend.queued",
    RetentionRemoved = "retention.removed",
    ReviewClaimed = "review.claimed",
    ReviewRequested = "review.requested",
    SecretRotated = "secret.rotated",
}

impl Failpoint {
    /// Those on the path of an event, in the order in which it passes them.
    pub const PATH: [Self; 7] = [
        Self::IngestCommitted,
        Self::EvaluateClaimed,
        Self::EvaluateRead,
        Self::EvaluateCommitted,
        Self::DeliverClaimed,
        Self::DeliverSent,
        Self::DeliverRecorded,
    ];
}

struct Armed {
    failpoint: Failpoint,
    remaining: AtomicU64,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms one place with `name:count`: the process ends when it is reached for the `count`th time.
///
/// # Errors
/// Says what is wrong with the text, or that this build has no such places.
pub fn arm(text: &str) -> Result<(), String> {
    if !cfg!(debug_assertions) {
        return Err("only a debug build has failpoints".to_owned());
    }
    let (name, count) = text.split_once(':').unwrap_or((text, "1"));
    let Some(failpoint) = Failpoint::ALL.iter().find(|failpoint| failpoint.name() == name) else {
        let names: Vec<_> = Failpoint::ALL.iter().map(|failpoint| failpoint.name()).collect();
        return Err(format!("there is no failpoint {name:?}; there are {}", names.join(", ")));
    };
    let count = count.parse().map_err(|_| format!("{count:?} is not a number"))?;
    let _ = ARMED.set(Armed { failpoint: *failpoint, remaining: AtomicU64::new(count) });
    Ok(())
}

/// Ends the process if this place is armed and its count is used up.
pub fn reach(failpoint: Failpoint) {
    if !cfg!(debug_assertions) {
        return;
    }
    if let Some(armed) = ARMED.get()
        && armed.failpoint == failpoint
        && armed.remaining.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}
