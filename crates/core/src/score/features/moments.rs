//! The recent moments at which an identity did something.

use crate::snapshot::Snapshot;
use crate::time::Timestamp;

/// The times of the recent events, sorted, each once: events of one moment are one act, reported
/// in several events or sent in a batch without times. Events that programs send by themselves
/// ([`crate::mapping::is_automatic`]) are left out, and those that carry nothing of the person: their times are those of the
/// backend that sent them.
pub fn moments(snapshot: &Snapshot) -> Vec<Timestamp> {
    let own = snapshot.acts().iter().filter(|act| act.is_of_person && !act.is_automatic);
    let mut times: Vec<_> = own.map(|act| act.event.at).collect();
    times.dedup();
    times
}

/// The milliseconds between one moment and the next.
pub fn gaps_ms(moments: &[Timestamp]) -> Vec<f64> {
    moments.windows(2).map(|pair| pair[1].millis_since(pair[0]) as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::Identity;

    #[test]
    fn moments_are_sorted_distinct_and_the_persons_own() {
        let identity = Identity::default()
            .events("click", [5_000, 1_000, 1_000, 9_000])
            .events("page.heartbeat", [2_000, 3_000]);
        assert_eq!(gaps_ms(&moments(&identity.snapshot())), [4_000.0, 4_000.0]);
        assert_eq!(gaps_ms(&moments(&Identity::default().snapshot())), [0.0; 0]);
    }
}
