//! Uniqueness: whether somebody with the same e-mail address was deleted before.
//!
//! Limits: only deleted accounts are compared, by a keyed hash of the address; another spelling of it is another
//! address.

use crate::key::KeyKind;
use crate::score::contract::{Analyzer, Category, Finding};
use crate::score::phrase::counted;
use crate::snapshot::Snapshot;

/// A mailbox has one owner, but to come back is no offense in itself.
const WEIGHT: f64 = 1.5;
/// About 41 for one who comes back with nothing else against them.
const VALUE: f64 = 0.3;
const CONFIDENCE: f64 = 0.95;

pub const ANALYZER: Analyzer = Analyzer {
    id: "uniqueness.same-email",
    label: "Same e-mail address",
    category: Category::Uniqueness,
    weight: WEIGHT,
    observe,
};

/// Only deleted identities are found by their e-mail address.
fn observe(snapshot: &Snapshot) -> Option<Finding> {
    let others = snapshot.shared(KeyKind::Email).map(|shared| shared.others.len()).max()?;
    let accounts = counted(others as u64, "account");
    let were = if others == 1 { "was" } else { "were" };
    let explanation = format!("{accounts} with the same e-mail address {were} deleted before.");
    Some(Finding::new(VALUE, CONFIDENCE, explanation).with("deletedAccounts", others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::fixture::{Identity, said};

    #[test]
    fn abstains_unless_somebody_with_the_address_was_deleted() {
        let identity = Identity::default().events("a", [0]);
        assert_eq!(identity.observe(ANALYZER), None);
        let one = identity.shares(KeyKind::Email, "a@b.c", 1, "o");
        let expected = (0.3, "1 account with the same e-mail address was deleted before.".to_owned());
        assert_eq!(said(one.observe(ANALYZER)), Some(expected));
        let two = Identity::default().shares(KeyKind::Email, "a@b.c", 2, "o");
        let expected = (0.3, "2 accounts with the same e-mail address were deleted before.".to_owned());
        assert_eq!(said(two.observe(ANALYZER)), Some(expected));
    }
}
