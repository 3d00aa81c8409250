//! A scenario: innocent people, a team's or a part of it, in several sizes.

use crate::stage::Stage;

/// The part of its people that may be accused at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Below 60 in some category at the end.
    pub low: f64,
    /// That ever carried a BAD badge.
    pub badged: f64,
    /// Of whom an escalation was ever opened.
    pub escalated: f64,
}

impl Bounds {
    pub const OWN: Self = Self { low: 0.01, badged: 0.0, escalated: 0.0 };
    /// Who shares a device with others looks like who has several accounts.
    pub const SHARED_DEVICE: Self = Self { low: 0.10, badged: 0.05, escalated: 0.05 };
}

/// Makes so many people, or groups of them, and what they do.
type Enter = Box<dyn Fn(&mut Stage, usize) + Send + Sync>;

pub struct Scenario {
    /// The row of the table that it is counted in.
    pub row: &'static str,
    /// Which of the row's scenarios, such as the user agent; empty if there is one.
    pub variant: String,
    pub bounds: Bounds,
    /// The first is that of the small edition.
    pub sizes: &'static [usize],
    pub enter: Enter,
}

impl Scenario {
    pub fn new(
        row: &'static str,
        sizes: &'static [usize],
        enter: impl Fn(&mut Stage, usize) + Send + Sync + 'static,
    ) -> Self {
        Self { row, variant: String::new(), bounds: Bounds::OWN, sizes, enter: Box::new(enter) }
    }

    pub fn shared_device(self) -> Self {
        Self { bounds: Bounds::SHARED_DEVICE, ..self }
    }

    /// The largest of the sizes that is no larger than this; this, if all are.
    pub fn size_up_to(&self, most: usize) -> usize {
        self.sizes.iter().copied().filter(|size| *size <= most).max().unwrap_or(most)
    }

    pub fn variant(self, variant: impl Into<String>) -> Self {
        Self { variant: variant.into(), ..self }
    }
}

/// All of them, in the order of the table.
pub fn all() -> Vec<Scenario> {
    [
        super::people::scenarios(),
        super::details::scenarios(),
        super::backends::scenarios(),
        super::apps::scenarios(),
        super::places::scenarios(),
        super::devices::scenarios(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Those that are whole teams, over a month.
pub fn whole_teams() -> Vec<Scenario> {
    vec![
        Scenario::new(super::people::TEAM, &[], super::people::ordinary),
        Scenario::new(super::backends::TEAM, &[], super::backends::sign_ups_of_a_month),
    ]
}
