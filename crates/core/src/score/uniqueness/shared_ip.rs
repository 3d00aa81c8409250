//! Uniqueness: how many other accounts come from the same address.
//!
//! Limits: never enough alone for a low score; silent for addresses that most of your users share and for
//! those on trusted lists, and blind to
//! whoever changes address with each account.

use std::collections::BTreeSet;

use crate::curve::interpolate;
use crate::key::{KeyKind, OTHERS_MAX, ip_value};
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::company::Company;
use crate::score::features::trust::abstention;
use crate::score::phrase::counted;
use crate::snapshot::{OtherIdentity, SharedKey, Snapshot};

/// Weak: households, offices, schools and whole mobile networks share addresses.
const WEIGHT: f64 = 0.8;

/// Nobody else at the address so far.
const ALONE: (f64, f64) = (0.65, 0.4);

/// Other accounts at the address, and what that is worth: always near to nothing.
const VALUE_BY_OTHERS: [(f64, f64); 3] = [(1.0, 0.45), (4.0, 0.35), (10.0, 0.35)];
/// The more there are, the likelier it is an office or a network rather than one hand: at 50 next
/// to nothing is left, and such an office's members stay above 60.
const CONFIDENCE_BY_OTHERS: [(f64, f64); 5] =
    [(1.0, 0.3), (4.0, 0.5), (10.0, 0.3), (50.0, 0.1), (100.0, 0.05)];
/// From here on the explanation says that the address is no household's.
pub const OFFICE_MIN_OTHERS: usize = 10;
/// Up to here that it may be one.
const HOUSEHOLD_MAX_OTHERS: usize = 4;

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.shared-ip",
    label: "Shared IP address",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe<'s>(snapshot: &'s Snapshot) -> Option<Finding> {
    let is_own = |ip| ip_value(ip).is_some() && !snapshot.common.has_address(ip);
    if !snapshot.state.addresses().iter().any(|seen| is_own(seen.value)) {
        return None;
    }
    // Accounts on the same device have the same address by nature and are counted there.
    let on_device: BTreeSet<&str> = snapshot
        .shared(KeyKind::Device)
        .flat_map(|shared| &shared.others)
        .map(|other| other.id.as_str())
        .collect();
    let others = |shared: &'s SharedKey| -> Vec<&'s OtherIdentity> {
        shared.others.iter().filter(|other| !on_device.contains(other.id.as_str())).collect()
    };
    // The least crowded of its shared addresses says most.
    let shared = snapshot.shared(KeyKind::Ip).map(others).filter(|others| !others.is_empty());
    let Some(least) = shared.min_by_key(Vec::len) else {
        let trusted = abstention(snapshot, &[KeyKind::Ip]);
        return trusted.or_else(|| alone(snapshot.shared(KeyKind::Ip).count()));
    };
    let others = least.len();
    let company = Company::of(snapshot.own(), least.into_iter());
    let more = if others >= OTHERS_MAX { " or more" } else { "" };
    let meaning = company.words().unwrap_or(match others {
        OFFICE_MIN_OTHERS.. => "so many mean an office or a network, which says little about one account",
        ..=HOUSEHOLD_MAX_OTHERS => "a household has about that many",
        _ => "a household rarely has that many, a small office has",
    });
    let accounts = counted(others as u64, "other account");
    let explanation = format!("{accounts}{more} came from the same address; {meaning}.");
    let value = interpolate(&VALUE_BY_OTHERS, others as f64);
    // Of a family and of colleagues one expects it.
    let unexpected = company.strength() / others as f64;
    let confidence = interpolate(&CONFIDENCE_BY_OTHERS, others as f64) * unexpected;
    Some(Finding::new(value, confidence, explanation).with("otherAccounts", others))
}

/// `None` when the address is shared, but only with accounts on the same device.
fn alone(shared_addresses: usize) -> Option<Finding> {
    let (value, confidence) = ALONE;
    (shared_addresses == 0).then(|| {
        Finding::new(value, confidence, "No other account was seen at its addresses.")
            .with("otherAccounts", 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};
    use crate::score::{Weights, analyze};

    fn at(ip: &str) -> Identity {
        Identity::default().event("a", 0, |event| event.ip = ip.parse().ok())
    }

    #[test]
    fn abstains_without_an_address_that_says_anything() {
        assert_eq!(Identity::default().events("a", [0]).observe(ANALYZER), None);
        assert_eq!(at("10.0.0.1").observe(ANALYZER), None);
    }

    #[test]
    fn says_how_many_and_what_that_means() {
        let household = "a household has about that many.";
        let office = "so many mean an office or a network, which says little about one account.";
        let cases = [
            (0, 0.65, "No other account was seen at its addresses.".to_owned()),
            (1, 0.45, format!("1 other account came from the same address; {household}")),
            (4, 0.35, format!("4 other accounts came from the same address; {household}")),
            (
                7,
                0.35,
                "7 other accounts came from the same address; a household rarely has that many, a small office has."
                    .to_owned(),
            ),
            (50, 0.35, format!("50 other accounts came from the same address; {office}")),
            (100, 0.35, format!("100 other accounts or more came from the same address; {office}")),
        ];
        for (others, value, explanation) in cases {
            let identity = match others {
                0 => at("203.0.113.7"),
                _ => at("203.0.113.7").shares(KeyKind::Ip, "203.0.113.7", others, "o"),
            };
            assert_eq!(said(identity.observe(ANALYZER)), Some((value, explanation)));
        }
    }

    #[test]
    fn accounts_on_the_same_device_are_not_counted_again() {
        let ring = at("203.0.113.7").shares(KeyKind::Device, "f", 4, "o");
        assert_eq!(ring.shares(KeyKind::Ip, "203.0.113.7", 4, "o").observe(ANALYZER), None);
        let ring = at("203.0.113.7").shares(KeyKind::Device, "f", 4, "o");
        let finding = ring.shares(KeyKind::Ip, "203.0.113.7", 5, "o").observe(ANALYZER);
        assert_eq!(finding.map(|finding| finding.metadata["otherAccounts"].clone()), Some(1.into()));
    }

    #[test]
    fn a_familys_or_an_offices_address_says_less() {
        let with = |others: [(&str, &str); 2]| {
            let profile = Profile {
                name: Some("Ada Keller".to_owned()),
                email: Some("ada@keller-bau.de".to_owned()),
                ..Profile::default()
            };
            let others = others.into_iter().map(|(name, email)| (0, name, email));
            let identity = Identity { profile, ..at("203.0.113.7") };
            let identity = identity.shares_with(KeyKind::Ip, "203.0.113.7", others);
            identity.observe(ANALYZER).map(|found| (found.confidence, found.explanation))
        };
        let (strangers, _) = with([("Ben Novak", "ben@web.de"), ("Ida Rossi", "ida@gmx.de")]).unwrap();
        for (others, words) in [
            ([("Ben Keller", "ben@web.de"), ("Ida Keller", "ida@gmx.de")], "they share a family name"),
            (
                [("Ben Novak", "novak@keller-bau.de"), ("Ida Rossi", "rossi@keller-bau.de")],
                "each has a mailbox",
            ),
        ] {
            let (confidence, said) = with(others).unwrap();
            assert!(confidence * 4.0 < strangers && said.contains(words), "{confidence} {said}");
        }
    }

    #[test]
    fn an_address_alone_never_condemns() {
        for others in 1..=100 {
            let identity = at("203.0.113.7").shares(KeyKind::Ip, "203.0.113.7", others, "o");
            let uniqueness = analyze(&identity.snapshot(), &Weights::default()).scores.uniqueness;
            assert!(uniqueness >= Some(60), "{others} others: {uniqueness:?}");
        }
    }
}
