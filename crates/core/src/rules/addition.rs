//! What rules put on lists of the team's: of its identities what is their own, see [`Owner`](super::Owner).

use serde::{Deserialize, Serialize};

use super::{Condition, Rules};
use crate::fact::Fact;
use crate::list::{ListType, Lists};

/// Lists to which one rule adds.
pub const ADDITIONS_MAX: usize = 10;
/// Values that one decision puts on lists, all of its rules together.
pub const ADDED_VALUES_MAX: usize = 20;

/// What a rule puts on a list when it gives its badge or opens its escalation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Addition {
    /// The slug of the list.
    pub list: String,
    /// Which values of the identity: those of this type, which is the list's.
    pub what: ListType,
    /// From then on, in seconds, the entries count no more; without it they have no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<u64>,
}

impl Addition {
    /// What a rule can put on a list. Networks, systems and countries are everybody's, and a text is nobody's.
    pub const WHAT: [ListType; 6] = [
        ListType::Device,
        ListType::Ip,
        ListType::Email,
        ListType::EmailDomain,
        ListType::Phone,
        ListType::Identity,
    ];

    /// What is wrong with it beside these lists, if anything: which parameter, and why.
    pub fn flaw(&self, lists: &Lists) -> Option<(&'static str, String)> {
        if !Self::WHAT.contains(&self.what) {
            return Some(("what", "must be DEVICE, IP, EMAIL, EMAIL_DOMAIN, PHONE or IDENTITY".to_owned()));
        }
        let slug = &self.list;
        match lists.get(slug) {
            None => Some(("list", format!("there is no list `{slug}`"))),
            Some(list) if list.trusted => {
                Some(("list", format!("the list `{slug}` is trusted: a rule cannot add to it")))
            }
            Some(list) if list.list_type != self.what => {
                let (what, has) = (self.what.name(), list.list_type.name());
                Some(("what", format!("must be {has}, the type of the list `{slug}`, not {what}")))
            }
            Some(_) => None,
        }
    }
}

impl Rules {
    /// Whether what rules have put on lists may be why these conditions hold: they ask for a badge, or for a list to which
    /// one of the rules adds. A rule with such conditions does not put in again what has ended, or rules could keep each
    /// other going for ever.
    pub fn may_follow_from_lists(&self, conditions: &[Condition]) -> bool {
        let adds_to = |slug: &str| self.additions().any(|addition| addition.list == slug);
        let mut all = conditions.iter().flat_map(Condition::walk);
        all.any(|one| {
            one.badge().is_some() || one.fact() == Some(&Fact::Badge) || one.list().is_some_and(adds_to)
        })
    }

    /// The names of those that add to the list with this slug.
    pub fn that_add_to(&self, slug: &str) -> Vec<String> {
        let adds = |additions: &[Addition]| additions.iter().any(|addition| addition.list == slug);
        let badges = self.badges.iter().filter(|rule| adds(&rule.adds_to_lists)).map(|rule| &rule.name);
        let escalations = self.escalations.iter().filter(|rule| adds(&rule.adds_to_lists));
        badges.chain(escalations.map(|rule| &rule.name)).cloned().collect()
    }

    /// What all of them add.
    fn additions(&self) -> impl Iterator<Item = &Addition> {
        let of_badges = self.badges.iter().flat_map(|rule| &rule.adds_to_lists);
        of_badges.chain(self.escalations.iter().flat_map(|rule| &rule.adds_to_lists))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::key::KeyHasher;
    use crate::list::List;

    fn lists(trusted: bool) -> Lists {
        let mut lists = Lists::new(KeyHasher::new([7; 16]));
        lists.put("ours".to_owned(), Arc::new(List::new("Ours".to_owned(), ListType::Device, trusted)));
        lists
    }

    #[test]
    fn a_list_must_be_there_fit_and_not_be_trusted() {
        let flaw = |list: &str, what, trusted| {
            let addition = Addition { list: list.to_owned(), what, for_seconds: None };
            addition.flaw(&lists(trusted)).map(|(parameter, _)| parameter)
        };
        assert_eq!(flaw("ours", ListType::Device, false), None);
        assert_eq!(flaw("ours", ListType::Device, true), Some("list"));
        assert_eq!(flaw("gone", ListType::Device, false), Some("list"));
        assert_eq!(flaw("ours", ListType::Ip, false), Some("what"));
        assert_eq!(flaw("ours", ListType::Country, false), Some("what"));
    }
}
