//! The budget beside what was counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dregs_powercut::Traffic;
use dregs_server::store::tally::{Counts, LOG_BYTES};

use crate::support::engine::Engine;

const BUDGET: &str = include_str!("budget.csv");
/// Three statements more in a hundred are chance: a claim that found nothing, a look at the clock.
const CHANCE: f64 = 1.03;
/// How many outcomes one commit takes is chance as well.
const CHANCE_OF_COMMITS: f64 = 1.2;
/// When the log is carried over into the file is chance, and how often a page is written twice by then.
const CHANCE_OF_CARRYING: f64 = 2.0;
/// And so much less is a budget that should be lowered.
const FAR_LESS: f64 = 0.8;
/// What is never worth a word, in statements or rows an event.
const TRIFLE: f64 = 0.05;

const COMMITS: &str = "commits";
const LOG: &str = "bytes written to the log";
const FILE: &str = "bytes written to the file";
const READ_BACK: &str = "bytes read back";
/// What a statement does that adds rows.
const WRITTEN: &str = "written to";

/// Figures of one engine, each of an event.
pub struct Figures {
    engine: &'static str,
    /// By workload and what is counted.
    counted: BTreeMap<(&'static str, String), f64>,
}

impl Figures {
    pub fn of(engine: Engine) -> Self {
        let engine = match engine {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        };
        Self { engine, counted: BTreeMap::new() }
    }

    /// Takes what was counted while so many events were played, on tables whose rows are each in so many
    /// indexes.
    pub fn add(
        &mut self,
        workload: &'static str,
        (counts, indexes): (&Counts, &BTreeMap<String, f64>),
        (trips, traffic): (Option<f64>, Option<Traffic>),
        events: usize,
    ) {
        let mut add = |what: String, count: f64| {
            *self.counted.entry((workload, what)).or_default() += count / events as f64;
        };
        if let Some(trips) = trips {
            add("round trips".to_owned(), trips);
        }
        if let Some(Traffic { read_bytes, database_bytes }) = traffic {
            add(FILE.to_owned(), database_bytes as f64);
            add(READ_BACK.to_owned(), read_bytes as f64);
        }
        for (text, count) in counts {
            let (runs, rows) = (count.runs as f64, count.rows as f64);
            if text == LOG_BYTES {
                add(COMMITS.to_owned(), runs);
                add(LOG.to_owned(), rows);
                continue;
            }
            add("statements".to_owned(), runs);
            match change(text) {
                Some((verb, table)) => {
                    add(format!("rows {verb} {table}"), rows);
                    if verb == WRITTEN {
                        add("index entries written".to_owned(), rows * indexes.get(table).unwrap_or(&0.0));
                    }
                }
                None => add("rows read".to_owned(), rows),
            }
        }
    }

    /// Compares, and prints both.
    ///
    /// # Panics
    /// When a figure is above its budget, far below it, or has none; with the lines as they should be.
    #[expect(clippy::print_stdout, reason = "`make ledger` shows it")]
    pub fn check(&self) {
        let budgets: BTreeMap<_, f64> = BUDGET
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| {
                let mut columns = line.split(',');
                let mut next = || columns.next().unwrap_or_else(|| panic!("a column is missing: {line}"));
                ((next(), next(), next()), next().parse().unwrap_or_else(|_| panic!("no number: {line}")))
            })
            .collect();
        let (mut table, mut wrong) = (String::new(), String::new());
        for ((workload, what), figure) in &self.counted {
            let budget = budgets.get(&(self.engine, *workload, what.as_str())).copied();
            let _ = writeln!(
                table,
                "{:9} {workload:22} {what:32} {figure:8.2} of {:8.2}",
                self.engine,
                budget.unwrap_or(0.0)
            );
            let chance = match what.as_str() {
                FILE => CHANCE_OF_CARRYING,
                COMMITS | LOG | READ_BACK => CHANCE_OF_COMMITS,
                _ => CHANCE,
            };
            let is_within = match budget {
                Some(budget) => {
                    *figure <= budget * chance + TRIFLE
                        && *figure >= budget * FAR_LESS.min(1.0 / chance) - TRIFLE
                }
                None => *figure <= TRIFLE,
            };
            if !is_within {
                let _ = writeln!(wrong, "{},{workload},{what},{figure:.2}", self.engine);
            }
        }
        let gone = budgets.keys().filter(|(engine, workload, what)| {
            *engine == self.engine && !self.counted.contains_key(&(*workload, (*what).to_owned()))
        });
        for (engine, workload, what) in gone {
            let _ = writeln!(wrong, "{engine},{workload},{what},(not counted any more)");
        }
        println!("{table}");
        assert!(wrong.is_empty(), "counted otherwise than budget.csv says:\n{wrong}");
    }
}

/// What a statement does to which table; `None` for one that reads.
fn change(text: &str) -> Option<(&'static str, &str)> {
    let verbs = [("insert into ", WRITTEN), ("update ", "changed in"), ("delete from ", "deleted from")];
    // A statement over many rows names them first.
    let change = text
        .find(")\n")
        .filter(|_| text.starts_with("with "))
        .map_or(text, |end| text[end + 1..].trim_start());
    verbs.into_iter().find_map(|(begins, verb)| {
        let table = change.strip_prefix(begins)?.split([' ', '\n', '(']).next()?;
        Some((verb, table))
    })
}
