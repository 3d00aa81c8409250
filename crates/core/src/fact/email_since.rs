//! Since when an identity has its e-mail address.

use crate::identity::Profile;
use crate::person::mailbox;
use crate::time::Timestamp;

/// Since when an identity has the mailbox of its e-mail address: told with each of its events, in the order in which they
/// were folded. Another spelling, or another tag, is the same mailbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailSince {
    mailbox: Option<String>,
    since: Option<Timestamp>,
}

impl EmailSince {
    /// What the identity is with an event that happened `at` that time.
    pub fn see(&mut self, profile: &Profile, at: Timestamp) {
        let given = profile.email.as_deref().and_then(mailbox);
        if given != self.mailbox {
            (self.mailbox, self.since) = (given, Some(at));
        }
    }

    /// Since when it has the address of this profile; `None` where that was never told.
    pub fn of(&self, profile: &Profile) -> Option<Timestamp> {
        let has = profile.email.as_deref().and_then(mailbox);
        self.since.filter(|_| has.is_some() && has == self.mailbox)
    }
}
