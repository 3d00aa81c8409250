//! Humanity: whether a hand operates the page.

use super::{Analyzer, Category, Finding, counted};
use crate::snapshot::Snapshot;

/// Software that takes care moves as people do.
const WEIGHT: f64 = 1.0;
const CONFIDENCE: f64 = 0.7;

/// The page's own code clicks: some password managers and assistive programs do that as well.
const SCRIPTED: f64 = 0.35;
/// It makes most of the clicks.
const MOSTLY_SCRIPTED: f64 = 0.08;
const STRAIGHT: f64 = 0.12;
const EVEN: f64 = 0.12;
/// Clicks without any movement, touch or key before.
const OUT_OF_NOWHERE: f64 = 0.3;
/// Fewer clicks may have been made before the script began to look.
const OUT_OF_NOWHERE_MIN: u32 = 3;
const BY_HAND: f64 = 0.72;

pub(super) const ANALYZER: Analyzer = Analyzer {
    id: "humanity.interaction",
    label: "Pointer and keyboard",
    category: Category::Humanity,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let seen = snapshot.state.interactions();
    let clicks = seen.clicks.saturating_add(seen.scripted_clicks);
    let by_hand = seen.moves.saturating_add(seen.keys).saturating_add(seen.scrolls);
    if clicks.saturating_add(by_hand) == 0 {
        return None;
    }
    let is_mostly_scripted = seen.scripted_clicks > seen.clicks;
    let scripted = if is_mostly_scripted { MOSTLY_SCRIPTED } else { SCRIPTED };
    let of = counted(clicks.into(), "click");
    let signs = [
        (
            seen.scripted_clicks > 0,
            scripted,
            format!("{} of {of} were made by code in the page, not by hand.", seen.scripted_clicks),
        ),
        (seen.straight > 0, STRAIGHT, "The pointer moved in lines straighter than a hand's.".to_owned()),
        (seen.even > 0, EVEN, "Keys were pressed more evenly than people type.".to_owned()),
        (
            clicks >= OUT_OF_NOWHERE_MIN && by_hand == 0,
            OUT_OF_NOWHERE,
            format!("{of} and no movement, touch or key; people move before they click."),
        ),
    ];
    let worst = signs.into_iter().filter(|(holds, ..)| *holds).min_by(|one, other| one.1.total_cmp(&other.1));
    let (value, explanation) = worst.map_or_else(
        || (BY_HAND, "Pointer, touches and keys went as a hand's do.".to_owned()),
        |(_, value, explanation)| (value, explanation),
    );
    let finding = Finding::new(value, CONFIDENCE, explanation);
    Some(finding.with("clicks", clicks).with("moves", seen.moves).with("keys", seen.keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Interaction;
    use crate::score::fixture::{Identity, said};

    fn operated(interaction: Interaction) -> Option<(f64, String)> {
        let identity =
            Identity::default().event("page_view", 0, |event| event.interaction = Some(interaction));
        said(identity.observe(ANALYZER))
    }

    #[test]
    fn tells_hands_from_code() {
        let hand = Interaction {
            clicks: 4,
            moves: 60,
            keys: 30,
            straightness: Some(0.7),
            key_interval_millis: Some(180.0),
            key_interval_deviation_millis: Some(70.0),
            ..Interaction::default()
        };
        let cases = [
            (hand, 0.72, "Pointer, touches and keys went as a hand's do."),
            (
                Interaction { clicks: 1, scripted_clicks: 3, ..hand },
                0.08,
                "3 of 4 clicks were made by code in the page, not by hand.",
            ),
            (
                Interaction { scripted_clicks: 1, ..hand },
                0.35,
                "1 of 5 clicks were made by code in the page, not by hand.",
            ),
            (
                Interaction { straightness: Some(1.0), ..hand },
                0.12,
                "The pointer moved in lines straighter than a hand's.",
            ),
            (
                Interaction { key_interval_deviation_millis: Some(2.0), ..hand },
                0.12,
                "Keys were pressed more evenly than people type.",
            ),
            (
                Interaction { clicks: 3, ..Interaction::default() },
                0.3,
                "3 clicks and no movement, touch or key; people move before they click.",
            ),
            (
                Interaction { clicks: 3, keys: 5, ..Interaction::default() },
                0.72,
                "Pointer, touches and keys went as a hand's do.",
            ),
        ];
        for (interaction, value, words) in cases {
            assert_eq!(operated(interaction), Some((value, words.to_owned())), "{interaction:?}");
        }
        assert_eq!(operated(Interaction::default()), None);
    }
}
