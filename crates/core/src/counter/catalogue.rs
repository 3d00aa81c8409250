//! Counters that most teams can use, ready to be made.

use super::Function;
use crate::fact::Fact;
use crate::rules::Condition;

/// A counter that a team may make.
pub struct Template {
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    function: &'static str,
    of: Option<&'static str>,
    per: &'static str,
    /// Types of the events that it counts; of all where there are none.
    events: &'static [&'static str],
    pub window_seconds: u64,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The ready-made dozen. None is switched on by itself.
pub const CATALOGUE: [Template; 12] = [
    Template {
        name: "Accounts on one device in 1 h",
        description: "Many accounts from one device are one person, or a farm.",
        function: "DISTINCT",
        of: Some("identity.id"),
        per: "device",
        events: &[],
        window_seconds: HOUR,
    },
    Template {
        name: "Sign-ups from one network in 1 h",
        description: "Accounts that are made in bulk come from few networks.",
        function: "DISTINCT",
        of: Some("identity.id"),
        per: "ip.network",
        events: &["REGISTRATION"],
        window_seconds: HOUR,
    },
    Template {
        name: "Sign-ups from one address in 24 h",
        description: "One household signs up a few times, a bot many times.",
        function: "DISTINCT",
        of: Some("identity.id"),
        per: "ip",
        events: &["REGISTRATION"],
        window_seconds: DAY,
    },
    Template {
        name: "Sign-ups of one e-mail domain in 24 h",
        description: "A domain that nobody knows, and then many do. Large providers have many at all times.",
        function: "DISTINCT",
        of: Some("identity.id"),
        per: "email.domain",
        events: &["REGISTRATION"],
        window_seconds: DAY,
    },
    Template {
        name: "Failed logins of one account in 10 min",
        description: "Somebody guesses a password.",
        function: "COUNT",
        of: None,
        per: "identity.id",
        events: &["LOGIN_FAILED"],
        window_seconds: 10 * MINUTE,
    },
    Template {
        name: "Failed logins from one address in 10 min",
        description: "Somebody tries passwords of many accounts.",
        function: "COUNT",
        of: None,
        per: "ip",
        events: &["LOGIN_FAILED"],
        window_seconds: 10 * MINUTE,
    },
    Template {
        name: "Accounts with failed logins from one address in 1 h",
        description: "Stolen passwords are tried, one account after the other.",
        function: "DISTINCT",
        of: Some("identity.id"),
        per: "ip",
        events: &["LOGIN_FAILED"],
        window_seconds: HOUR,
    },
    Template {
        name: "Countries of one account in 24 h",
        description: "Few people are in three countries on one day.",
        function: "DISTINCT",
        of: Some("ip.country"),
        per: "identity.id",
        events: &[],
        window_seconds: DAY,
    },
    Template {
        name: "Purchases of one account in 1 h",
        description: "A stolen card is used as often as it works.",
        function: "COUNT",
        of: None,
        per: "identity.id",
        events: &["PURCHASE"],
        window_seconds: HOUR,
    },
    Template {
        name: "Sum of purchases of one account in 24 h",
        description: "The amount is the field \"amount\" of the event's data: give yours.",
        function: "SUM",
        of: Some("event.data.amount"),
        per: "identity.id",
        events: &["PURCHASE"],
        window_seconds: DAY,
    },
    Template {
        name: "Failed payments of one account in 1 h",
        description: "Cards are tested with small payments until one is taken.",
        function: "COUNT",
        of: None,
        per: "identity.id",
        events: &["PAYMENT_FAILED"],
        window_seconds: HOUR,
    },
    Template {
        name: "Accounts with one card in 7 days",
        description: "The card is the field \"cardHash\" of the event's data: give yours, and never the number itself.",
        function: "DISTINCT",
        of: Some("identity.id"),
        per: "event.data.cardHash",
        events: &[],
        window_seconds: 7 * DAY,
    },
];

impl Template {
    /// What it counts, and by what; `None` for none that exists.
    pub fn counts(&self) -> Option<(Function, Fact)> {
        let of = self.of.map(|of| Fact::parse(of).ok_or(())).transpose().ok()?;
        Some((Function::parse(self.function, of)?, Fact::parse(self.per)?))
    }

    /// Which events it counts.
    pub fn conditions(&self) -> Vec<Condition> {
        let events: Vec<_> = self.events.iter().map(|name| (*name).to_owned()).collect();
        if events.is_empty() { Vec::new() } else { vec![Condition::EventIs { events }] }
    }
}
