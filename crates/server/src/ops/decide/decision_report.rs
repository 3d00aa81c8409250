//! How fast people decide on escalations, and how often two of them decide alike.

use std::collections::BTreeMap;

use dregs_core::label::Outcome;
use dregs_core::time::{DAY_MS, Timestamp};
use dregs_core::wilson::wilson;

use crate::store::escalations::{self, ClosedByHand};
use crate::store::labels::{self, Judgement};
use crate::store::{Result, Tx};

/// Escalations, and labels, that are looked at: the newest.
pub const LOOKED_AT_MAX: i64 = 10_000;
const WEEK_MS: i64 = 7 * DAY_MS;

/// How long so many escalations were open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    pub closed: usize,
    /// The median and the 90th percentile of the time to closing; `None` where none was closed.
    pub median_ms: Option<i64>,
    pub ninth_decile_ms: Option<i64>,
}

impl Times {
    fn of(mut millis: Vec<i64>) -> Self {
        millis.sort_unstable();
        // The nearest rank: the smallest that at least this part is not above.
        let rank = |part: f64| {
            let rank = (part * millis.len() as f64).ceil() as usize;
            millis.get(rank.saturating_sub(1)).copied()
        };
        Self { closed: millis.len(), median_ms: rank(0.5), ninth_decile_ms: rank(0.9) }
    }
}

/// How alike people decide, of identities that several have labeled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    pub identities: u64,
    /// All who labeled them said the same last.
    pub agreed: u64,
    /// Between which that part is with 95% (Wilson's interval).
    pub low: f64,
    pub high: f64,
}

/// What people have decided in a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub all: Times,
    /// By the first moment of the week, from now backwards, the oldest first; weeks without are absent.
    pub weeks: Vec<(Timestamp, Times)>,
    /// By who closed them, the busiest first.
    pub people: Vec<(String, Times)>,
    /// `None` where no identity was labeled by two.
    pub agreement: Option<Agreement>,
}

/// Looks at what people of a team have decided since `from`.
///
/// # Errors
/// Those of the store.
pub fn read(tx: &mut Tx, team_id: i64, from: Timestamp, now: Timestamp) -> Result<Report> {
    let closed = escalations::closed_by_hand(tx, team_id, from, LOOKED_AT_MAX)?;
    let judged = labels::by_analysts(tx, team_id, from, LOOKED_AT_MAX)?;
    Ok(report(&closed, &judged, now))
}

fn report(closed: &[ClosedByHand], judged: &[Judgement], now: Timestamp) -> Report {
    let (mut weeks, mut people) = (BTreeMap::<i64, Vec<i64>>::new(), BTreeMap::<&str, Vec<i64>>::new());
    for one in closed {
        let millis = one.closed_at.millis_since(one.opened_at).max(0);
        let weeks_ago = now.millis_since(one.closed_at).max(0) / WEEK_MS;
        weeks.entry(-weeks_ago).or_default().push(millis);
        people.entry(&one.by).or_default().push(millis);
    }
    let begin = |weeks_ago: i64| now.plus_millis((weeks_ago - 1) * WEEK_MS);
    let mut people: Vec<_> =
        people.into_iter().map(|(by, millis)| (by.to_owned(), Times::of(millis))).collect();
    people.sort_by_key(|(_, times)| std::cmp::Reverse(times.closed));
    Report {
        all: Times::of(closed.iter().map(|one| one.closed_at.millis_since(one.opened_at).max(0)).collect()),
        weeks: weeks.into_iter().map(|(week, millis)| (begin(week), Times::of(millis))).collect(),
        people,
        agreement: agreement(judged),
    }
}

/// Of each person the newest label of an identity counts.
fn agreement(judged: &[Judgement]) -> Option<Agreement> {
    let mut newest: BTreeMap<i64, BTreeMap<&str, (Timestamp, Outcome)>> = BTreeMap::new();
    for one in judged {
        let of_author = newest.entry(one.identity_id).or_default();
        let known = of_author.entry(&one.author).or_insert((one.decided_at, one.outcome));
        if one.decided_at >= known.0 {
            *known = (one.decided_at, one.outcome);
        }
    }
    let by_two: Vec<_> = newest.into_values().filter(|of_author| of_author.len() > 1).collect();
    let agreed = by_two.iter().filter(|of_author| {
        let mut outcomes = of_author.values().map(|(_, outcome)| outcome);
        let first = outcomes.next();
        outcomes.all(|outcome| Some(outcome) == first)
    });
    let (identities, agreed) = (by_two.len() as u64, agreed.count() as u64);
    let (low, high) = wilson(agreed, identities);
    (identities > 0).then_some(Agreement { identities, agreed, low, high })
}

#[cfg(test)]
mod tests {
    use dregs_core::time::MINUTE_MS;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn closed(by: &str, minutes: i64, days_ago: i64) -> ClosedByHand {
        let closed_at = NOW.plus_millis(-days_ago * DAY_MS);
        let opened_at = closed_at.plus_millis(-minutes * MINUTE_MS);
        ClosedByHand { by: by.to_owned(), opened_at, closed_at }
    }

    fn judged(identity_id: i64, author: &str, outcome: Outcome, hours_ago: i64) -> Judgement {
        let decided_at = NOW.plus_millis(-hours_ago * 60 * MINUTE_MS);
        Judgement { identity_id, author: author.to_owned(), outcome, decided_at }
    }

    #[test]
    fn half_of_the_escalations_were_closed_within_the_median() {
        let all: Vec<_> = (1..=10).map(|n| closed(if n < 4 { "bob" } else { "ada" }, n, n - 1)).collect();
        let report = report(&all, &[], NOW);
        let minutes = |times: Times| (times.closed, times.median_ms, times.ninth_decile_ms);
        let told = |closed, median, ninth| (closed, Some(median * MINUTE_MS), Some(ninth * MINUTE_MS));
        assert_eq!(minutes(report.all), told(10, 5, 9));
        let weeks: Vec<_> = report.weeks.iter().map(|(from, times)| (*from, minutes(*times))).collect();
        let ago = |weeks: i64| NOW.plus_millis(-weeks * WEEK_MS);
        assert_eq!(weeks, [(ago(2), told(3, 9, 10)), (ago(1), told(7, 4, 7))]);
        let people: Vec<_> = report.people.iter().map(|(by, times)| (by.as_str(), minutes(*times))).collect();
        assert_eq!(people, [("ada", told(7, 7, 10)), ("bob", told(3, 2, 3))]);
        assert_eq!(Times::of(Vec::new()), Times::default());
    }

    #[test]
    fn people_agree_where_what_they_said_last_is_the_same() {
        let (good, bad) = (Outcome::Good, Outcome::Bad);
        let all = [
            judged(1, "ada", bad, 5),
            judged(1, "bob", bad, 4),
            judged(2, "ada", good, 5),
            judged(2, "bob", bad, 4),
            // She has changed her mind.
            judged(3, "ada", good, 5),
            judged(3, "ada", bad, 3),
            judged(3, "bob", bad, 4),
            // By one alone.
            judged(4, "ada", good, 5),
            judged(4, "ada", bad, 4),
        ];
        let found = report(&[], &all, NOW).agreement.unwrap();
        assert_eq!((found.identities, found.agreed), (3, 2));
        assert_eq!((found.low, found.high), wilson(2, 3));
        assert_eq!(report(&[], &all[7..], NOW).agreement, None);
    }
}
