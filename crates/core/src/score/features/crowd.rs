//! How the others on a shared key came: all at once, or as they do every day.

use crate::snapshot::SharedKey;
use crate::time::{HOUR_MS, Timestamp};

/// Others who came within this long of somebody, before or after, came together.
pub const TOGETHER_MS: i64 = HOUR_MS;
/// From so many others on, what is usual on the key can be told.
const USUAL_MIN_OTHERS: usize = 8;
/// Or from so many who came each in another hour: a desk that serves somebody now and then, and no two waves.
const USUAL_MIN_HOURS: usize = 3;

/// Those who came to a key around the time an identity did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crowd {
    /// Within [`TOGETHER_MS`].
    pub together: usize,
    /// At other times.
    pub apart: usize,
    /// Of those together, more than the key usually sees in that time: 0 on a carrier's address, where
    /// people arrive by the dozen every hour.
    pub excess: f64,
    /// From the first of all to the last, of those together, in milliseconds.
    pub together_span_ms: i64,
}

/// Looks at the others of a key from the moment `since`.
pub fn crowd(shared: &SharedKey, since: Timestamp) -> Crowd {
    crowd_of(shared.others.iter().map(|other| other.first_seen_at), since)
}

/// Looks at those who came at these times.
pub fn crowd_of(came_at: impl Iterator<Item = Timestamp>, since: Timestamp) -> Crowd {
    let (mut together, mut apart) = (0, 0);
    let (mut first, mut last) = (0, 0);
    let (mut earliest, mut latest) = (0, 0);
    let mut hours = Hours::default();
    for gap in came_at.map(|at| at.millis_since(since)) {
        (earliest, latest) = (earliest.min(gap), latest.max(gap));
        if gap.abs() <= TOGETHER_MS {
            together += 1;
            (first, last) = (first.min(gap), last.max(gap));
        } else {
            hours.add(apart, gap);
            apart += 1;
        }
    }
    let usual = if apart < USUAL_MIN_OTHERS && hours.count(apart) < USUAL_MIN_HOURS {
        0.0
    } else {
        let around_ms = (latest - earliest - 2 * TOGETHER_MS).max(TOGETHER_MS);
        apart as f64 * (2 * TOGETHER_MS) as f64 / around_ms as f64
    };
    // Arrivals at random vary by the root of their number, and what is usual is known from those apart alone.
    let variance = usual + usual * usual / apart.max(1) as f64;
    let excess = (together as f64 - usual - variance.sqrt()).max(0.0);
    Crowd { together, apart, excess, together_span_ms: last - first }
}

/// The hours in which the first few of those apart came.
#[derive(Default)]
struct Hours([i64; USUAL_MIN_OTHERS]);

impl Hours {
    fn add(&mut self, place: usize, gap_ms: i64) {
        if let Some(hour) = self.0.get_mut(place) {
            *hour = gap_ms.div_euclid(HOUR_MS);
        }
    }

    /// How many hours the first `apart` came in.
    fn count(&self, apart: usize) -> usize {
        let hours = &self.0[..apart.min(USUAL_MIN_OTHERS)];
        hours.iter().enumerate().filter(|(place, hour)| !hours[..*place].contains(hour)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyKind, LinkKey};
    use crate::snapshot::OtherIdentity;
    use crate::time::MINUTE_MS;

    fn came(minutes: impl IntoIterator<Item = i64>) -> Crowd {
        let since = Timestamp::from_millis(1_795_426_200_000);
        let others = minutes.into_iter().map(|minute| OtherIdentity {
            first_seen_at: since.plus_millis(minute * MINUTE_MS),
            ..OtherIdentity::default()
        });
        let key = LinkKey { kind: KeyKind::Ip, value: "203.0.113.7".to_owned() };
        crowd(&SharedKey { key, since, others: others.collect() }, since)
    }

    #[test]
    fn those_who_come_at_once_stand_out() {
        let found = came([-10, -5, 5, 20, 4_000]);
        let expected = Crowd { together: 4, apart: 1, excess: 4.0, together_span_ms: 30 * MINUTE_MS };
        assert_eq!(found, expected);
    }

    #[test]
    fn those_who_come_as_always_do_not() {
        let found = came((-50..50).map(|n| n * 20 + 1));
        assert_eq!((found.together, found.apart, found.excess), (6, 94, 0.0));
        assert!(came((-50..50).map(|n| n * 20 + 1).chain(0..20)).excess > 10.0);
    }

    #[test]
    fn somebody_now_and_then_is_usual_and_a_second_wave_is_not() {
        assert_eq!(came([-190, -130, -70, 50]).excess, 0.0, "one in each hour");
        assert_eq!(came([-75, -70, -65, 5, 10, 15]).excess, 3.0, "three, and three again");
        assert!(came([-9_000, -6_000, -3_000, 5, 10, 15, 20]).excess > 3.5, "a family, and four at once");
    }
}
