//! Uniqueness: whether others were active in the same browser session.
//!
//! Limits: sees only sessions that your application or `dregs.js` sends; somebody who signs in anew for each
//! account has a new one.

use crate::curve::interpolate;
use crate::key::KeyKind;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::features::company::Company;
use crate::score::phrase::counted;
use crate::snapshot::Snapshot;

/// Says what a shared device says once more, and that one hand went from account to account.
const WEIGHT: f64 = 0.8;
const CONFIDENCE: f64 = 0.9;

/// For how many accounts in one hand the others in the session stand, and what that is worth: couples sign in
/// one after the other, and whoever shares a desk or a tablet leaves it open.
const VALUE_BY_STRENGTH: [(f64, f64); 4] = [(1.0, 0.46), (3.0, 0.44), (4.0, 0.12), (8.0, 0.05)];

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.shared-session",
    label: "Shared session",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let own = snapshot.own();
    let judged = snapshot.shared(KeyKind::Session).map(|shared| {
        let company = Company::of(own, shared.others.iter());
        (shared.others.len(), company)
    });
    let (others, company) =
        judged.max_by(|(_, one), (_, other)| one.strength().total_cmp(&other.strength()))?;
    let accounts = counted(others as u64, "other account");
    let were = if others == 1 { "was" } else { "were" };
    let meaning = company.words().unwrap_or("a session is one visit of one person");
    let explanation = format!("{accounts} {were} active in the same browser session; {meaning}.");
    let value = interpolate(&VALUE_BY_STRENGTH, company.strength());
    Some(Finding::new(value, CONFIDENCE, explanation).with("otherAccounts", others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn says_how_many_were_in_the_session() {
        assert_eq!(Identity::default().observe(ANALYZER), None);
        let words =
            "4 other accounts were active in the same browser session; a session is one visit of one person.";
        let found = Identity::default().shares_at(KeyKind::Session, "s", [1, 2, 3, 4]).observe(ANALYZER);
        assert_eq!(said(found), Some((0.12, words.to_owned())));
    }
}
