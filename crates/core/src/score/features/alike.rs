//! How the e-mail addresses of two accounts are alike.

use crate::person::{EmailParts, Resemblance, folded_email, resemblance};
use crate::snapshot::{OtherIdentity, Own, Snapshot};

/// How another address is like one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alike {
    Identical,
    /// The same mailbox, written in another way.
    Spelling,
    /// The same mailbox, with the given name of each as a tag.
    Tag,
    /// A mailbox of an organization, which many use.
    Role,
    /// The same but for digits, signs and tags, at one domain.
    Variant,
    /// The same name, which few have, at two large providers.
    SameName,
}

impl Alike {
    /// Whether it says that both are one person's, and not that they are a family's or an organization's.
    pub fn is_plain(self) -> bool {
        !matches!(self, Self::Tag | Self::Role)
    }
}

/// How the address of another is like this identity's; `None` where that is nothing but chance.
pub fn alike(snapshot: &Snapshot, own: &Own, other: &OtherIdentity) -> Option<Alike> {
    let email = snapshot.profile.email.as_deref()?;
    let resemblance = resemblance(email, other.email.as_deref()?)?;
    let lower = folded_email(email);
    let is_role =
        || EmailParts::of(&lower).is_some_and(|own| own.is_role() && own.is_own_domain(snapshot.datasets));
    // Of those called so some come at the same time.
    if resemblance == Resemblance::Variant && EmailParts::of(&lower).is_some_and(|own| own.is_namesakes()) {
        return None;
    }
    Some(match resemblance {
        Resemblance::SameMailbox if own.is_tagged_alike(other) => Alike::Tag,
        Resemblance::Identical | Resemblance::SameMailbox | Resemblance::Variant if is_role() => Alike::Role,
        Resemblance::Identical => Alike::Identical,
        Resemblance::SameMailbox => Alike::Spelling,
        Resemblance::Variant => Alike::Variant,
        Resemblance::SameName => Alike::SameName,
    })
}
