//! Uniqueness: whether others have nearly the same name and come from the same place, or the same phone
//! number, date of birth or address.
//!
//! Limits: compares what people type of themselves; namesakes in one town and a family's one phone are alike too,
//! and made-up details all differ.

use std::collections::HashSet;

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::person::{Record, SAME_NAME_MIN_LIKENESS, name_likeness, same_name_words};
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::company::Company;
use crate::score::phrase::counted;
use crate::snapshot::{OtherIdentity, Snapshot};

/// Less than usual: people have namesakes, and families one phone.
const WEIGHT: f64 = 0.9;
const CONFIDENCE: f64 = 0.7;

/// What another account counts for, as a part of one that is certainly the same person's.
const SAME_PERSON: f64 = 1.2;
const SAME_PHONE: f64 = 0.6;
const SAME_NAME_AND_NETWORK: f64 = 0.8;
const SAME_NAME: f64 = 0.1;
/// With so many namesakes half of that is left.
const COMMON_OTHERS: f64 = 6.0;

const VALUE_BY_STRENGTH: [(f64, f64); 5] = [(0.0, 0.5), (0.5, 0.4), (1.0, 0.3), (2.0, 0.18), (4.0, 0.06)];
/// Less than this is chance.
const STRENGTH_MIN: f64 = 0.3;

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.similar-profile",
    label: "Similar profile",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let others = |kind| snapshot.shared(kind).flat_map(|shared| &shared.others);
    let nearby: HashSet<&str> = [KeyKind::Network, KeyKind::Device]
        .into_iter()
        .flat_map(others)
        .map(|other| other.id.as_str())
        .collect();
    let same = same_person(snapshot);
    let same_ids: HashSet<&str> = same.iter().map(|other| other.id.as_str()).collect();
    let named: Vec<_> = others(KeyKind::Name)
        .filter(|other| !same_ids.contains(other.id.as_str()) && is_namesake(snapshot, other))
        .collect();
    let (nearby, elsewhere): (Vec<_>, Vec<_>) =
        named.iter().copied().partition(|other| nearby.contains(other.id.as_str()));
    let near = nearby.len();
    let far = named.len() - near;
    let on_phone = others(KeyKind::Phone).count();
    // A family has one phone, and an office one switchboard.
    let own = snapshot.own();
    let in_one_hand = Company::of(own, others(KeyKind::Phone)).strength();
    let common = |count: usize| 1.0 / (1.0 + (count as f64 / COMMON_OTHERS).powi(2));
    let strength = same_ids.len() as f64 * SAME_PERSON
        + near as f64 * SAME_NAME_AND_NETWORK
        + far as f64 * SAME_NAME * common(far)
        + in_one_hand * SAME_PHONE * common(on_phone);
    if strength < STRENGTH_MIN {
        return None;
    }
    let accounts = |count: usize| counted(count as u64, "other account");
    let name = |others: &[&OtherIdentity]| {
        let of =
            |other: &&OtherIdentity| same_name_words(snapshot.profile.name.as_deref(), other.name.as_deref());
        others.iter().map(of).max_by_key(|words| words.len()).unwrap_or_default()
    };
    let explanation = match (near, on_phone) {
        _ if !same.is_empty() => format!(
            "{} with {} and the same date of birth or address; that is hardly chance.",
            accounts(same_ids.len()),
            name(&same)
        ),
        (0, 0) => {
            format!("{} with {}; names are rarely that common.", accounts(far), name(&elsewhere))
        }
        (0, _) => format!(
            "{} with the same phone number; a number usually belongs to one person or one household.",
            accounts(on_phone)
        ),
        (_, 0) => {
            format!("{} with {}, from the same network or device.", accounts(near), name(&nearby))
        }
        _ => format!(
            "{} with {}, from the same network or device, and {} with the same phone number.",
            accounts(near),
            name(&nearby),
            accounts(on_phone)
        ),
    };
    let finding = Finding::new(interpolate(&VALUE_BY_STRENGTH, strength), CONFIDENCE, explanation);
    let finding = finding.with("samePerson", same_ids.len()).with("sameNameElsewhere", far);
    Some(finding.with("sameNameNearby", near).with("sameName", named.len()).with("samePhone", on_phone))
}

/// Who gives the same details in another spelling.
fn same_person<'s>(snapshot: &'s Snapshot) -> Vec<&'s OtherIdentity> {
    let Some(own) = snapshot.profile.record() else { return Vec::new() };
    let candidates =
        [KeyKind::Name, KeyKind::Birth, KeyKind::Home].into_iter().flat_map(|kind| snapshot.shared(kind));
    let record = |other: &OtherIdentity| {
        Record::new(other.name.as_deref(), other.date_of_birth.as_deref(), other.address.as_deref())
    };
    let others = candidates.flat_map(|shared| &shared.others);
    others.filter(|other| record(other).is_some_and(|record| own.is_same_person(&record))).collect()
}

fn is_namesake(snapshot: &Snapshot, other: &OtherIdentity) -> bool {
    match (&snapshot.profile.name, &other.name) {
        (Some(own), Some(other)) => name_likeness(own, other) >= SAME_NAME_MIN_LIKENESS,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Profile;
    use crate::score::fixture::{Identity, said};

    fn ada() -> Identity {
        let profile = Profile { name: Some("Ada Byron".to_owned()), ..Profile::default() };
        Identity { profile, ..Identity::default() }
    }

    #[test]
    fn a_namesake_elsewhere_is_chance() {
        let ada =
            ada().shares_with(KeyKind::Name, "x", [(-9_000, "Ada Byron", ""), (-80_000, "Ada Byron", "")]);
        assert_eq!(said(ada.observe(ANALYZER)), None);
    }

    #[test]
    fn a_namesake_on_the_same_network_is_not() {
        let ada = ada()
            .shares_with(KeyKind::Name, "x", [(-9_000, "Byron, Ada", ""), (-80_000, "Eda Baron", "")])
            .shares_at(KeyKind::Network, "n", [-9_000, -80_000]);
        let words = "1 other account with the same name, from the same network or device.";
        assert_eq!(said(ada.observe(ANALYZER)), Some((0.34, words.to_owned())));
    }

    #[test]
    fn one_person_in_two_spellings_is_found_by_birth_and_address() {
        let profile = Profile {
            name: Some("Rupert Maier".to_owned()),
            date_of_birth: Some("1990-04-17".to_owned()),
            address: Some("12 Mill Lane, Bern 3012".to_owned()),
            ..Profile::default()
        };
        let with = |name: &str, date_of_birth: &str, address: &str| {
            let other = OtherIdentity {
                id: "other".to_owned(),
                name: Some(name.to_owned()),
                date_of_birth: Some(date_of_birth.to_owned()),
                address: Some(address.to_owned()),
                ..OtherIdentity::default()
            };
            let identity = Identity { profile: profile.clone(), ..Identity::default() };
            let mut identity = identity.shares(KeyKind::Birth, "19900417", 1, "other");
            identity.shared[0].others = vec![other];
            said(identity.observe(ANALYZER))
        };
        let words = "1 other account with nearly the same name and the same date of birth or address; that is \
                     hardly chance.";
        assert_eq!(
            with("Maier, Rupprt", "1990/04/71", "Mill Ln 12, 3012 Bern"),
            Some((0.276, words.to_owned()))
        );
        assert_eq!(with("Ada Byron", "1990-04-17", "7 High Street, Leeds"), None, "born on the same day");
    }

    #[test]
    fn a_phone_in_common_counts() {
        let ada = ada().shares_at(KeyKind::Phone, "301234567", [-50, -9_000]);
        let words = "2 other accounts with the same phone number; a number usually belongs to one person or one household.";
        assert_eq!(said(ada.observe(ANALYZER)), Some((0.29, words.to_owned())));
    }
}
