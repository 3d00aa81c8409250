//! Until when somebody is to have decided.

use serde::{Deserialize, Serialize};

use super::Severity;
use crate::time::{MINUTE_MS, Timestamp};

/// A year.
pub const DUE_MINUTES_MAX: u32 = 366 * 24 * 60;

/// How many minutes after it has opened an escalation is due, by its severity; never where there is no number.
///
/// Ships without any: how fast a team decides is the team's own promise, and a queue that is overdue from the start says
/// nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueMinutes {
    pub critical: Option<u32>,
    pub warning: Option<u32>,
    pub info: Option<u32>,
}

impl DueMinutes {
    const fn of(self, severity: Severity) -> Option<u32> {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.warning,
            Severity::Info => self.info,
        }
    }

    /// When an escalation is due.
    pub fn due_at(self, severity: Severity, opened_at: Timestamp) -> Option<Timestamp> {
        self.of(severity).map(|minutes| opened_at.plus_millis(i64::from(minutes) * MINUTE_MS))
    }

    /// Of each severity that has a time, when those have opened that are due at `now`: those before are overdue.
    pub fn overdue_before(self, now: Timestamp) -> Vec<(Severity, Timestamp)> {
        let before = |severity: Severity| {
            self.of(severity).map(|minutes| (severity, now.plus_millis(-i64::from(minutes) * MINUTE_MS)))
        };
        Severity::ALL.into_iter().filter_map(before).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escalation_is_due_so_many_minutes_after_it_has_opened() {
        let due = DueMinutes { critical: Some(60), warning: None, info: Some(1) };
        let opened_at = Timestamp::from_millis(1_000_000);
        let due_at = |severity| due.due_at(severity, opened_at).map(Timestamp::as_millis);
        assert_eq!(Severity::ALL.map(due_at), [Some(1_060_000), None, Some(4_600_000)]);
        let now = Timestamp::from_millis(4_600_000);
        let told = [(Severity::Info, 4_540_000), (Severity::Critical, 1_000_000)];
        assert_eq!(due.overdue_before(now), told.map(|(of, at)| (of, Timestamp::from_millis(at))));
    }
}
