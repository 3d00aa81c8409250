//! Behavior: whether people have labeled as bad those who plainly have something in common with the identity.
//!
//! Limits: as right as the labels of your team; only a shared device, session or phone number counts, never an
//! address alone; one of many there hardly counts, and family and colleagues in part.

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::label::Verdict;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
use crate::snapshot::{SharedKey, Snapshot};

/// People have looked at the others, and not at this one.
const WEIGHT: f64 = 1.0;
/// As a shared device: who else uses it may be anybody of a household.
const CONFIDENCE: f64 = 0.8;

/// What ties two accounts to one hand, unless their names say otherwise. An address does not, nor does a name.
const STRONG: [(KeyKind, &str); 3] = [
    (KeyKind::Session, "in the same browser session"),
    (KeyKind::Device, "on the same device"),
    (KeyKind::Phone, "with the same phone number"),
];

/// Others in a doubt: a single bad one on a device of two is a third, one of thirty in a library next to nothing.
const DOUBT: f64 = 2.0;

/// By which part of the others, [`DOUBT`] among them, is bad. Four of four are two thirds, and by themselves leave 44 of
/// 100: no rule that ships matches by that alone.
const VALUE_BY_PART: [(f64, f64); 4] = [(0.2, 0.5), (0.33, 0.37), (0.67, 0.2), (1.0, 0.1)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.confirmed-links",
    label: "Links to confirmed accounts",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let of_kind = |(kind, place)| snapshot.shared(kind).map(move |shared| (place, shared));
    let found =
        STRONG.into_iter().flat_map(of_kind).map(|(place, shared)| (part(snapshot, shared), place, shared));
    let (part, place, shared) = found.max_by(|(one, ..), (other, ..)| one.total_cmp(other))?;
    let bad = bad(shared).count();
    if part <= VALUE_BY_PART[0].0 {
        return None;
    }
    let others = counted(shared.others.len() as u64, "other account");
    let were = if bad == 1 { "was" } else { "were" };
    let explanation = format!("Of {others} {place}, {bad} {were} confirmed as bad.");
    let finding = Finding::new(interpolate(&VALUE_BY_PART, part), CONFIDENCE, explanation);
    Some(finding.with("otherAccounts", shared.others.len()).with("confirmedBad", bad))
}

fn bad(shared: &SharedKey) -> impl Iterator<Item = &crate::snapshot::OtherIdentity> {
    shared.others.iter().filter(|other| other.verdict.is_some_and(Verdict::is_of_owner))
}

/// Which part of the others on a key is bad. Of family and colleagues only a part counts: they are somebody else.
fn part(snapshot: &Snapshot, shared: &SharedKey) -> f64 {
    let own = snapshot.own();
    let bad: f64 = bad(shared).map(|other| own.relation(other).part()).sum();
    bad / (shared.others.len() as f64 + DOUBT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{LabelKind, Outcome};
    use crate::score::fixture::{Identity, said};
    use crate::score::{Weights, analyze};

    const BAD: Verdict = Verdict { outcome: Outcome::Bad, kind: None };

    /// On a device with so many others, of whom so many have this verdict.
    fn beside(others: usize, judged: usize, verdict: Verdict) -> Identity {
        let minutes = (0..others).map(|n| -10_000 * (n as i64 + 1));
        let mut identity = Identity::default().shares_at(KeyKind::Device, "d", minutes);
        identity.shared[0].others.iter_mut().take(judged).for_each(|other| other.verdict = Some(verdict));
        identity
    }

    #[test]
    fn says_how_many_of_the_others_are_bad() {
        let words = "Of 4 other accounts on the same device, 4 were confirmed as bad.".to_owned();
        assert_eq!(said(beside(4, 4, BAD).observe(ANALYZER)), Some((0.202, words)));
        let words = "Of 1 other account on the same device, 1 was confirmed as bad.".to_owned();
        assert_eq!(said(beside(1, 1, BAD).observe(ANALYZER)), Some((0.368, words)));
        assert_eq!(beside(4, 0, BAD).observe(ANALYZER), None);
    }

    #[test]
    fn whoever_was_robbed_or_is_good_counts_against_nobody() {
        for kind in LabelKind::ALL {
            let verdict = Verdict { outcome: Outcome::Bad, kind: Some(kind) };
            let found = beside(4, 4, verdict).observe(ANALYZER);
            assert_eq!(found.is_none(), kind == LabelKind::Takeover, "{kind:?}");
        }
        assert_eq!(beside(4, 4, Verdict { outcome: Outcome::Good, kind: None }).observe(ANALYZER), None);
    }

    #[test]
    fn one_of_many_says_nothing_of_the_rest() {
        assert_eq!(beside(30, 1, BAD).observe(ANALYZER), None, "a library");
        let mut office = Identity::default();
        office.profile.email = Some("ada.byron@byron-sons.de".to_owned());
        let colleagues = ["ben.hall", "cleo.kurz"].map(|name| format!("{name}@byron-sons.de"));
        let others = colleagues.iter().zip(1..).map(|(email, n)| (-10_000 * n, "", email.as_str()));
        let mut office = office.shares_with(KeyKind::Device, "d", others);
        office.shared[0].others[0].verdict = Some(BAD);
        assert_eq!(office.observe(ANALYZER), None, "an office");
    }

    #[test]
    fn the_company_alone_leaves_nobody_low() {
        let with = |judged| analyze(&beside(4, judged, BAD).snapshot(), &Weights::default()).scores.behavior;
        assert_eq!([0, 1, 2, 3, 4].map(with), [None, None, Some(60), Some(53), Some(44)]);
    }
}
