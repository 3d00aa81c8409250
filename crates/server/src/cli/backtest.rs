//! `dregs backtest`: what another configuration would have made of the past.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Args;
use dregs_core::mapping::{MappingKind, TYPES};
use dregs_core::score::{Category, Weights};

use super::existing::{Existing, OfTeam};
use super::misuse::whole;
use super::output::{columns, counted, line, note};
use super::{Failure, load, runtime};
use crate::clock::monotonic;
use crate::config::{Flags, STORE, show_only};
use crate::ops::evaluate::backtest::{self, Candidate, Compared, Outcome};
use crate::text_file;

#[derive(Args)]
#[command(mut_args(show_only(&STORE)), after_help = "\
Replays every stored event in memory, with the weights and mappings in force and with others, and compares
the scores, without touching live ones; the server may run meanwhile. It keeps every identity
in memory.

Examples:
  dregs backtest --weights humanity.timing=0,behavior.outreach=2
  dregs backtest --map 'cart.paid=PURCHASE' --threshold 40
  dregs backtest --weights uniqueness.shared-ip=0 --innocent known-good.txt")]
pub struct Backtest {
    /// Weights of analyzers, where not as they ship; 0 for one that must not count
    #[arg(long, value_name = "LIST", default_value = "", hide_default_value = true)]
    weights: String,
    /// What an event's name means, beside the mappings in force; no TYPE for no meaning
    #[arg(long = "map", value_name = "NAME=TYPE")]
    mappings: Vec<String>,
    /// An identity is caught when a score is below this, from 1 to 100
    #[arg(long, value_name = "SCORE", default_value_t = 50, value_parser = threshold)]
    threshold: u8,
    /// File with ids of identities that are known to be innocent, one a line
    #[arg(long, value_name = "FILE")]
    innocent: Option<PathBuf>,
    #[command(flatten)]
    of: OfTeam,
    #[command(flatten)]
    flags: Flags,
}

/// Without a list, those whose every score is at least this are taken for innocent.
const INNOCENT_MIN: u8 = 60;
/// Score points by which a change is worth counting.
const CHANGED_MIN: u8 = 5;
const SHOWN_MAX: usize = 10;
/// Without a change the past would be compared with itself; a list of the innocent is judged by what is in force.
const NOTHING_DIFFERS: &str = "nothing would be different from what is in force: say what to change by --weights \
    or --map, such as `dregs backtest --weights humanity.timing=0`";

impl Backtest {
    pub fn run(self) -> Result<(), Failure> {
        let misused = |option: &str, problem: String| Failure::Misused(format!("{option}: {problem}"));
        let weights = Weights::parse(&self.weights).map_err(|problem| misused("--weights", problem))?;
        let mappings =
            self.mappings.iter().map(|text| mapping(text).map_err(|problem| misused("--map", problem)));
        let candidate = Candidate { weights, mappings: mappings.collect::<Result<_, _>>()? };
        let innocent = match &self.innocent {
            Some(path) => {
                let text = text_file::read(path)
                    .map_err(|error| misused("--innocent", format!("{}: {error}", path.display())))?;
                Some(text.lines().map(|id| id.trim().to_owned()).collect::<HashSet<_>>())
            }
            None => None,
        };
        let config = load(&self.flags)?.config;
        let in_force = Weights::parse(&config.analyzer_weights)
            .map_err(|problem| misused("analyzer_weights", problem))?;
        if candidate.mappings.is_empty() && candidate.weights == in_force && innocent.is_none() {
            return Err(Failure::Misused(NOTHING_DIFFERS.to_owned()));
        }
        let opened = Existing::open(&config)?;
        let store = &opened.store;
        let failed = |error| opened.failed(&error);
        let begun = monotonic();
        let outcome = runtime()?.block_on(async {
            let team = opened.team(self.of.team.as_deref()).await?;
            backtest::run(store, team.id, &in_force, candidate).await.map_err(failed)
        })?;
        let seconds = begun.elapsed().as_secs_f64();
        note(format_args!(
            "replayed {} of {} in {seconds:.1} s",
            counted(outcome.events, "event"),
            counted(outcome.identities.len() as u64, "identity")
        ));
        if let Some(until) = outcome.forgotten_until {
            note(format_args!("events that arrived up to {until} are no longer kept, and not in this"));
        }
        for name in &outcome.unseen {
            note(format_args!("no event is called \"{name}\": its mapping changes nothing"));
        }
        let tried: HashSet<_> = outcome.identities.iter().map(|one| &one.id).collect();
        let unknown: Vec<_> = innocent.iter().flatten().filter(|id| !tried.contains(id)).collect();
        if let Some(one) = unknown.iter().min() {
            let how_many = counted(unknown.len() as u64, "identity");
            note(format_args!("--innocent names {how_many} not among those tried, such as \"{one}\""));
        }
        report(&outcome, self.threshold, innocent.as_ref());
        Ok(())
    }
}

fn threshold(text: &str) -> Result<u8, String> {
    whole(text, 1, 100).and_then(|score| u8::try_from(score).map_err(|error| error.to_string()))
}

/// `cart.paid=PURCHASE`.
fn mapping(text: &str) -> Result<(MappingKind, String, Option<String>), String> {
    let (source, target) =
        text.split_once('=').ok_or_else(|| format!("\"{text}\" is not like cart.paid=PURCHASE"))?;
    let target = Some(target.trim()).filter(|target| !target.is_empty());
    if !dregs_core::mapping::Mapping::default().insert(MappingKind::EventType, source, target) {
        let known: Vec<_> = TYPES.iter().map(|known| known.name()).collect();
        let target = target.unwrap_or_default();
        return Err(format!("there is no event type \"{target}\"; there are {}", known.join(", ")));
    }
    Ok((MappingKind::EventType, source.to_owned(), target.map(str::to_owned)))
}

fn report(outcome: &Outcome, threshold: u8, innocent: Option<&HashSet<String>>) {
    let heads = ["CATEGORY", "CHANGED BY 5 OR MORE", "MEAN BEFORE", "MEAN AFTER"].map(str::to_owned);
    let rows: Vec<_> = [heads].into_iter().chain(Category::ALL.map(|c| row(outcome, c))).collect();
    columns(&rows).iter().for_each(line);
    let is_innocent = |one: &Compared| match innocent {
        Some(known) => known.contains(&one.id),
        None => one.looks_innocent(INNOCENT_MIN),
    };
    let caught: Vec<_> = outcome.identities.iter().filter(|one| one.is_caught(threshold)).collect();
    let released: Vec<_> = outcome.identities.iter().filter(|one| one.is_released(threshold)).collect();
    let innocents = outcome.identities.iter().filter(|one| is_innocent(one)).count();
    let cost = caught.iter().filter(|one| is_innocent(one)).count();
    let who = match innocent {
        Some(_) => "known to be innocent".to_owned(),
        None => format!("at {INNOCENT_MIN} or above in every category today"),
    };
    line(format_args!(""));
    line(format_args!("caught, now below {threshold}:        {}", caught.len()));
    line(format_args!("let go, no longer below {threshold}:  {}", released.len()));
    let innocents = counted(innocents as u64, "identity");
    line(format_args!("cost: of {innocents} {who}, {cost} would be caught"));
    for (what, found) in [("caught", caught), ("let go", released)] {
        for one in found.iter().take(SHOWN_MAX) {
            line(format_args!("{what}  {}  {} -> {}", one.id, shown(&one.before), shown(&one.after)));
        }
        if found.len() > SHOWN_MAX {
            line(format_args!("{what}  and {} more", found.len() - SHOWN_MAX));
        }
    }
}

fn row(outcome: &Outcome, category: Category) -> [String; 4] {
    let scores = |of: fn(&Compared) -> &dregs_core::score::Scores| {
        outcome.identities.iter().filter_map(move |one| of(one).get(category)).map(f64::from)
    };
    let mean = |of| {
        let (sum, count) = scores(of).fold((0.0, 0), |(sum, count), score| (sum + score, count + 1));
        if count == 0 { "-".to_owned() } else { format!("{:.1}", sum / f64::from(count)) }
    };
    let changed = outcome.identities.iter().filter(|one| {
        let (before, after) = (one.before.get(category), one.after.get(category));
        before.zip(after).map_or(before != after, |(before, after)| before.abs_diff(after) >= CHANGED_MIN)
    });
    [category.name().to_owned(), changed.count().to_string(), mean(|one| &one.before), mean(|one| &one.after)]
}

/// `H 80 A 75 U 40 B -`.
fn shown(scores: &dregs_core::score::Scores) -> String {
    let one = |category: Category| {
        let score = scores.get(category).map_or_else(|| "-".to_owned(), |score| score.to_string());
        format!("{} {score}", &category.name()[..1])
    };
    Category::ALL.map(one).join(" ")
}
