//! Every analyzer there is.

use crate::score::contract::Analyzer;
use crate::score::{authenticity, behavior, humanity, uniqueness};

/// Every analyzer, in the order of their observations.
pub const ANALYZERS: &[Analyzer] = &[
    humanity::user_agent::ANALYZER,
    humanity::agent_signature::ANALYZER,
    humanity::device::ANALYZER,
    humanity::interaction::ANALYZER,
    humanity::timing::ANALYZER,
    humanity::round_the_clock::ANALYZER,
    humanity::network::ANALYZER,
    authenticity::email::ANALYZER,
    authenticity::name::ANALYZER,
    authenticity::agreement::ANALYZER,
    uniqueness::shared_device::ANALYZER,
    uniqueness::shared_session::ANALYZER,
    uniqueness::shared_ip::ANALYZER,
    uniqueness::similar_email::ANALYZER,
    uniqueness::similar_profile::ANALYZER,
    uniqueness::similar_behavior::ANALYZER,
    uniqueness::same_email::ANALYZER,
    behavior::sign_up_burst::ANALYZER,
    behavior::pace::ANALYZER,
    behavior::code_ring::ANALYZER,
    behavior::repetition::ANALYZER,
    behavior::takeover::ANALYZER,
    behavior::failed_sign_ins::ANALYZER,
    behavior::failed_payments::ANALYZER,
    behavior::outreach::ANALYZER,
    behavior::dormancy::ANALYZER,
    behavior::confirmed_links::ANALYZER,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_say_their_category() {
        let mut ids: Vec<_> = ANALYZERS.iter().map(|analyzer| analyzer.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ANALYZERS.len());
        for analyzer in ANALYZERS {
            let category = format!("{:?}.", analyzer.category).to_lowercase();
            assert!(analyzer.id.starts_with(&category), "{}", analyzer.id);
        }
    }
}
