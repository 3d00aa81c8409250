//! Behavior: whether it came in a burst of accounts on one device, address or network, or with variants
//! of one e-mail address.

use super::crowd::crowd;
use super::{Analyzer, Category, Finding, counted, duration, interpolate};
use crate::link::KeyKind;
use crate::snapshot::Snapshot;

/// Bursts of sign-ups are the plainest trace of scripts that make accounts.
const WEIGHT: f64 = 1.4;
const CONFIDENCE: f64 = 0.9;

/// For one kind of key: accounts beyond the usual that came within an hour of this one, and what that is
/// worth; and the words for it. An office that is brought on board, a class, a crowd behind one address
/// arrive over hours, so that addresses take many, and networks more.
struct Kind {
    kind: KeyKind,
    words: &'static str,
    usual: &'static str,
    value_by_excess: &'static [(f64, f64)],
}

const KINDS: [Kind; 4] = [
    Kind {
        kind: KeyKind::Device,
        words: "on one device",
        usual: "a device usually sees one",
        value_by_excess: &[(1.0, 0.5), (2.0, 0.3), (4.0, 0.1), (8.0, 0.03)],
    },
    Kind {
        kind: KeyKind::Ip,
        words: "at one address",
        usual: "an address usually sees a few in a month",
        value_by_excess: &[(5.0, 0.5), (20.0, 0.4), (50.0, 0.12), (90.0, 0.04)],
    },
    Kind {
        kind: KeyKind::Network,
        words: "in one network",
        usual: "a network usually sees a few in a day",
        value_by_excess: &[(6.0, 0.5), (15.0, 0.3), (35.0, 0.1)],
    },
    Kind {
        kind: KeyKind::Mailbox,
        words: "with variants of one e-mail address",
        usual: "people have one",
        value_by_excess: &[(1.0, 0.5), (3.0, 0.25), (8.0, 0.08), (20.0, 0.03)],
    },
];

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "behavior.sign-up-burst",
    label: "Burst of sign-ups",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let signed_up_at = snapshot.state.first_event_at()?;
    let judged = KINDS.iter().flat_map(|kind| {
        snapshot.shared(kind.kind).map(move |shared| {
            let crowd = crowd(shared, signed_up_at);
            (interpolate(kind.value_by_excess, crowd.excess), crowd, kind)
        })
    });
    let (value, crowd, kind) = judged.min_by(|one, other| one.0.total_cmp(&other.0))?;
    if value >= 0.5 {
        return None;
    }
    let explanation = format!(
        "{} appeared {} within {}, this one among them; {}.",
        counted(crowd.together as u64 + 1, "account"),
        kind.words,
        duration(crowd.together_span_ms as f64),
        kind.usual
    );
    let finding = Finding::new(value, CONFIDENCE, explanation);
    Some(finding.with("accounts", crowd.together + 1).with("withinMillis", crowd.together_span_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn with(kind: KeyKind, minutes: impl IntoIterator<Item = i64>) -> Option<(f64, String)> {
        said(Identity::default().events("signup", [0]).shares_at(kind, "k", minutes).observe(ANALYZER))
    }

    #[test]
    fn says_how_many_came_at_once() {
        let words = "5 accounts appeared on one device within 40.0 min, this one among them; a device usually sees one.";
        assert_eq!(with(KeyKind::Device, [-20, -10, 10, 20]), Some((0.1, words.to_owned())));
        let words = "21 accounts appeared at one address within 20.0 min, this one among them; an address usually sees \
                     a few in a month.";
        assert_eq!(with(KeyKind::Ip, 1..=20), Some((0.4, words.to_owned())));
    }

    #[test]
    fn offices_families_and_carriers_are_no_burst() {
        assert_eq!(with(KeyKind::Ip, (-25..25).map(|n| n * 10 + 5)), None, "50 in a day");
        assert_eq!(with(KeyKind::Ip, (-50..50).map(|n| n * 2 + 1)), None, "a carrier's address");
        assert_eq!(with(KeyKind::Device, [-10]), None, "a couple");
        assert_eq!(with(KeyKind::Device, [-9_000, -5_000, -100]), None, "a family");
    }
}
