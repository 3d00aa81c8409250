//! Behavior: whether its password is being guessed: sign-ins that fail again and again, from one place or
//! from many.
//!
//! Limits: needs five failures within an hour; the account is most often the victim, and whoever tries one
//! password on many accounts is not seen here.

use std::collections::BTreeSet;

use crate::curve::interpolate;
use crate::mapping::CanonicalType;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::acts::{most_within, of_types};
use crate::score::phrase::{counted, within};
use crate::snapshot::Snapshot;
use crate::time::HOUR_MS;

/// Less than usual: it is done to an account as often as by it.
const WEIGHT: f64 = 0.9;
const CONFIDENCE: f64 = 0.8;

/// Sign-ins that failed within an hour, and what that is worth: people mistype three times and then ask for
/// a new password.
const VALUE_BY_FAILURES: [(f64, f64); 4] = [(4.0, 0.5), (8.0, 0.35), (15.0, 0.15), (30.0, 0.05)];
const FAILURES_MIN: usize = 5;
/// Each address beyond the first counts as so many failures more: people sit in one place.
const FAILURES_PER_ADDRESS: f64 = 2.0;

pub const ANALYZER: Analyzer = Analyzer {
    id: "behavior.failed-sign-ins",
    label: "Failed sign-ins",
    category: Category::Behavior,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let failures = of_types(snapshot, &[CanonicalType::LoginFailed]);
    let moments: Vec<_> = failures.iter().map(|(event, _)| event.at).collect();
    let (most, first, last) = most_within(HOUR_MS, &moments)?;
    if most < FAILURES_MIN {
        return None;
    }
    let meanwhile = failures.iter().filter(|(event, _)| event.at >= first && event.at <= last);
    let addresses = meanwhile.filter_map(|(event, _)| event.address).collect::<BTreeSet<_>>().len().max(1);
    let within_ms = last.millis_since(first);
    let explanation = format!(
        "{} from {} {}; people mistype a few times and ask for a new password.",
        counted(most as u64, "failed sign-in"),
        if addresses == 1 { "1 address".to_owned() } else { format!("{addresses} addresses") },
        within(within_ms)
    );
    let strength = most as f64 + (addresses - 1) as f64 * FAILURES_PER_ADDRESS;
    let finding = Finding::new(interpolate(&VALUE_BY_FAILURES, strength), CONFIDENCE, explanation);
    Some(finding.with("failedSignIns", most).with("withinMillis", within_ms).with("addresses", addresses))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    fn failed(count: u8, addresses: u8) -> Option<(f64, String)> {
        let identity = (0..count).fold(Identity::default(), |identity, n| {
            let ip = std::net::Ipv4Addr::new(203, 0, 113, n % addresses);
            identity.event("login_failed", i64::from(n) * 10_000, |event| event.ip = Some(ip.into()))
        });
        said(identity.observe(ANALYZER))
    }

    #[test]
    fn people_mistype_and_guessing_goes_on() {
        assert_eq!(failed(4, 1), None);
        let words = "15 failed sign-ins from 1 address within 2.3 min; people mistype a few times and ask for a new \
                     password.";
        assert_eq!(failed(15, 1), Some((0.15, words.to_owned())));
        assert!(failed(8, 6) < failed(8, 1), "from many places it is worse");
    }
}
