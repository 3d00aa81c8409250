//! The recent moments at which an identity did something.

use crate::snapshot::Snapshot;
use crate::time::Timestamp;
use crate::words::snake;

/// The times of the recent events, sorted, each once: events of one moment are one act, reported
/// in several events or sent in a batch without times. Events that programs send by themselves
/// ([`is_automatic`]) are left out, and those that carry nothing of the person: their times are those of the
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

/// Whether events of this name are sent by a program on its own, at regular times, whoever sits
/// in front of it: they tell nothing of the person's rhythm.
pub fn is_automatic(name: &str) -> bool {
    snake(name).split('_').any(|word| {
        matches!(
            word,
            "heartbeat"
                | "ping"
                | "poll"
                | "polling"
                | "keepalive"
                | "sync"
                | "cron"
                | "scheduled"
                | "renewal"
                | "renewed"
                | "recurring"
        )
    })
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

    #[test]
    fn programs_are_told_from_people_by_whole_words() {
        let cases = [
            ("heartbeat", true),
            ("session.keepalive", true),
            ("subscriptionRenewed", true),
            ("shopping", false),
            ("async_upload", false),
            ("user.signup", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_automatic(name), expected, "{name}");
        }
    }
}
