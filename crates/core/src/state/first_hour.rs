//! In which moments of the first hour after somebody came to a device something happened there: who was at it in
//! turn, and who at the same time.

use crate::time::Timestamp;

/// Moments are this long: somebody who hands a device on needs more.
const MOMENT_MS: i64 = 30_000;
/// Somebody who does something again within so many moments, ten minutes, has not handed the device on.
pub const SOON_MOMENTS: i64 = 20;

/// The moments of an hour and four minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstHour {
    /// The number of the first moment since the Unix epoch.
    first: i64,
    /// One bit for each moment.
    moments: u128,
}

impl FirstHour {
    /// That of somebody first seen at `first_at`, of whom these moments are known.
    pub(super) fn new(first_at: Timestamp, moments: u128) -> Self {
        Self { first: number(first_at), moments }
    }

    /// With one more event, which may be earlier than all before it.
    pub(super) fn with(self, at: Timestamp) -> Self {
        let first = self.first.min(number(at));
        let earlier = u32::try_from(self.first - first).unwrap_or(u32::MAX);
        let moments = self.moments.checked_shl(earlier).unwrap_or(0);
        let place = u32::try_from(number(at) - first).unwrap_or(u32::MAX);
        Self { first, moments: moments | 1_u128.checked_shl(place).unwrap_or(0) }
    }

    pub(super) fn bits(self) -> u128 {
        self.moments
    }

    /// How many moments ago it began.
    pub fn age(self, now: Timestamp) -> i64 {
        number(now) - self.first
    }

    /// How many moments had events.
    pub fn count(self) -> u32 {
        self.moments.count_ones()
    }

    /// The numbers of the moments with events, in order.
    pub fn moments(self) -> impl Iterator<Item = i64> {
        let places = (0..u128::BITS).filter(move |place| self.moments >> place & 1 == 1);
        places.map(move |place| self.first + i64::from(place))
    }

    /// Whether it was at the device between two moments of somebody else's, and not only to take it over from
    /// them, or to hand it on to them.
    pub fn is_between(self, from: i64, to: i64) -> bool {
        self.has(from + 1, to - 1)
            || self.has(from, from) && self.has(from + 1, from + SOON_MOMENTS)
            || self.has(to, to) && self.has(to - SOON_MOMENTS, to - 1)
    }

    /// Whether one of these moments had an event.
    fn has(self, from: i64, to: i64) -> bool {
        let last = i64::from(u128::BITS) - 1;
        let (from, to) = ((from - self.first).max(0), (to - self.first).min(last));
        from <= to && self.moments & (u128::MAX << from) & (u128::MAX >> (last - to)) != 0
    }
}

fn number(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MOMENT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_who_was_there_meanwhile_from_who_hands_on() {
        let of = |moments: &[i64]| {
            let at = |moment: &i64| Timestamp::from_millis((1_000_000 + moment) * MOMENT_MS);
            moments.iter().fold(FirstHour::new(at(&moments[0]), 0), |hour, moment| hour.with(at(moment)))
        };
        let cases: [(&[i64], bool); 8] = [
            (&[0, 1, 2], false),
            (&[4, 5, 6], false),
            (&[0, 1, 2, 60], false),
            (&[3], true),
            (&[0, 3, 9], true),
            (&[1, 2, 5], true),
            (&[1, 4], true),
            (&[7, 8], false),
        ];
        for (moments, expected) in cases {
            let found = of(moments).is_between(1_000_002, 1_000_004);
            assert_eq!(found, expected, "{moments:?}");
        }
    }

    #[test]
    fn knows_the_moments_of_an_hour_in_whatever_order_they_are_told() {
        let at = |seconds: i64| Timestamp::from_millis(1_795_426_200_000 + seconds * 1_000);
        let of = |times: &[i64]| {
            times.iter().fold(FirstHour::new(at(times[0]), 0), |hour, seconds| hour.with(at(*seconds)))
        };
        let begin = number(at(0));
        let moments = |hour: FirstHour| hour.moments().map(|moment| moment - begin).collect::<Vec<_>>();
        let cases: [(&[i64], &[i64]); 4] = [
            (&[0, 1, 29, 30, 3_600], &[0, 1, 120]),
            (&[3_600, 30, 0, 29], &[0, 1, 120]),
            (&[0, 3_840, 1_000_000], &[0]),
            (&[1_000_000, 0], &[0]),
        ];
        for (times, expected) in cases {
            assert_eq!(moments(of(times)), expected, "{times:?}");
            let hour = of(times);
            assert_eq!(FirstHour::new(at(*times.iter().min().unwrap()), hour.bits()), hour, "{times:?}");
        }
    }
}
