//! False accusations, and attacks among innocents, in tables.

use std::fmt::Write as _;

use dregs_core::score::{Category, Scores};

/// Of the people of a scenario, the parts that were accused, in the worst of its sizes.
#[derive(Clone, Debug)]
pub struct Counts {
    pub people: usize,
    /// Below 60 in some category, at the end.
    pub low: f64,
    /// At any moment.
    pub was_low: f64,
    /// With a BAD badge at any moment.
    pub badged: f64,
    /// With an escalation opened at any moment.
    pub escalated: f64,
    /// Where it is worst, and which analyzers accuse.
    pub worst: String,
}

/// A scenario of innocents.
pub struct Accusations {
    pub scenario: &'static str,
    /// The most that may be low, badged and escalated.
    pub bounds: [f64; 3],
    pub new_team: Counts,
    /// `None` where it is a whole team itself.
    pub mature_team: Option<Counts>,
}

impl Counts {
    fn is_met(&self, [low, badged, escalated]: [f64; 3]) -> bool {
        self.low <= low && self.badged <= badged && self.escalated <= escalated
    }
}

impl Accusations {
    pub fn is_met(&self) -> bool {
        self.teams().all(|team| team.is_met(self.bounds))
    }

    fn teams(&self) -> impl Iterator<Item = &Counts> {
        std::iter::once(&self.new_team).chain(&self.mature_team)
    }

    fn met(&self) -> &'static str {
        if self.is_met() { "met" } else { "NOT MET" }
    }

    /// The worst of all that is bounded.
    pub fn worst(&self) -> f64 {
        self.teams().map(|team| team.low.max(team.badged).max(team.escalated)).fold(0.0, f64::max)
    }

    /// One figure in a new and in a mature team.
    fn cell(&self, figure: fn(&Counts) -> f64) -> String {
        let cells: Vec<_> = self.teams().map(|team| percent(figure(team))).collect();
        cells.join(" · ")
    }

    fn bounds_words(&self) -> String {
        let [low, badged, escalated] = self.bounds.map(percent);
        format!("{low}, {badged}, {escalated}")
    }

    pub fn words(&self) -> String {
        let worst: Vec<_> =
            self.teams().filter(|team| !team.worst.is_empty()).map(|team| team.worst.as_str()).collect();
        let worst = if worst.is_empty() { String::new() } else { format!(" ({})", worst.join(" · ")) };
        format!(
            "{}: of {} low {}%, was low {}%, badged {}%, escalated {}%; at most {}: {}{worst}",
            self.scenario,
            self.new_team.people,
            self.cell(|team| team.low),
            self.cell(|team| team.was_low),
            self.cell(|team| team.badged),
            self.cell(|team| team.escalated),
            self.bounds_words(),
            self.met(),
        )
    }
}

/// An attack among innocents. Parts of the attackers, and of the innocents.
pub struct Scene {
    pub attack: &'static str,
    pub among: String,
    pub accounts: usize,
    pub auc: f64,
    pub below_60: f64,
    /// Below 40 in Uniqueness.
    pub not_unique: f64,
    /// With a BAD badge or an escalation.
    pub flagged: f64,
    pub innocents: Counts,
}

impl Scene {
    pub fn words(&self) -> String {
        format!(
            "{} among {}: {} accounts, AUC {:.4}, below 60 {}%, Uniqueness below 40 {}%, badged or escalated {}%; \
             of {} innocents low {}%, badged {}%, escalated {}%",
            self.attack,
            self.among,
            self.accounts,
            self.auc,
            percent(self.below_60),
            percent(self.not_unique),
            percent(self.flagged),
            self.innocents.people,
            percent(self.innocents.low),
            percent(self.innocents.badged),
            percent(self.innocents.escalated),
        )
    }
}

/// All of it.
#[derive(Default)]
pub struct Accused {
    pub rows: Vec<Accusations>,
    pub scenes: Vec<Scene>,
    /// Attacks of the simulator, and the parts of their accounts that are caught.
    pub caught: Vec<(String, f64)>,
}

impl Accused {
    /// Empty if nothing of it was measured.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        if self.rows.is_empty() {
            return text;
        }
        text.push_str(
            "\n## People who do nothing wrong\n\nPer cent of them, in the worst size of each scenario: in new teams · in mature \
             ones. *Low* is below 60 in some category at the end; *badged* and *escalated* are whoever ever carried a BAD \
             badge or had an escalation by the rules that a team begins with. The bounds are in this order.\n\n\
             | scenario | people | low | was low | badged | escalated | at most | | worst where, and by which analyzers |\n\
             |---|---:|---:|---:|---:|---:|---:|---|---|\n",
        );
        for row in &self.rows {
            let worst: Vec<_> =
                row.teams().filter(|team| !team.worst.is_empty()).map(|team| team.worst.as_str()).collect();
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                row.scenario,
                row.new_team.people,
                row.cell(|team| team.low),
                row.cell(|team| team.was_low),
                row.cell(|team| team.badged),
                row.cell(|team| team.escalated),
                row.bounds_words(),
                row.met(),
                worst.join(" · ").replace('|', "\\|"),
            );
        }
        text.push_str(
            "\n## Attacks among them\n\nOf the attackers: how well the lowest score tells them from those around them, and the \
             parts that are low, not unique, and badged or escalated; of the innocents: the parts that are low, badged, \
             escalated.\n\n\
             | attack | among | accounts | AUC | below 60 | Uniqueness below 40 | badged or escalated | innocents | low | badged | escalated |\n\
             |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for scene in &self.scenes {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.4} | {} | {} | {} | {} | {} | {} | {} |",
                scene.attack,
                scene.among,
                scene.accounts,
                scene.auc,
                percent(scene.below_60),
                percent(scene.not_unique),
                percent(scene.flagged),
                scene.innocents.people,
                percent(scene.innocents.low),
                percent(scene.innocents.badged),
                percent(scene.innocents.escalated),
            );
        }
        text
    }
}

/// The lowest of the scores there are; where every category starts, if there is none.
pub fn lowest(scores: &Scores) -> u8 {
    Category::ALL.iter().filter_map(|category| scores.get(*category)).min().unwrap_or(70)
}

/// Per cent, with a digit behind the point where it is not whole.
pub fn percent(part: f64) -> String {
    let tenths = (part * 1_000.0).round() / 10.0;
    // What is there is not shown as nothing.
    if part > 0.0 && tenths == 0.0 { "< 0.1".to_owned() } else { format!("{tenths}") }
}
