//! What somebody who watches is told.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dregs_core::score::PRIOR;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::super::api::Api;
use super::super::output::{Paint, Tone, columns, counted, line};
use super::super::receiver::Score;
use super::receivers::{Arrival, Kind, SLOW_SECONDS};

/// Between two lines that sum up.
const SUMMARY_EVERY: Duration = Duration::from_secs(5);
/// A fall of a score by less than this is not told.
const FALL_MIN: i64 = 8;
/// From here on down a score is bad news: what the usual rules escalate.
const LOW_SCORE_MAX: i64 = 49;
/// The categories in the order in which they are shown, and the rows of each in the table at the end: what is worst in one
/// would leave no room for the others.
const CATEGORIES: [&str; 4] = ["humanity", "authenticity", "uniqueness", "behavior"];
const LOWEST_OF_EACH: usize = 3;
/// What nothing is known of scores this: who is below is worth a row.
const PRIOR_SCORE: i64 = (100.0 * PRIOR) as i64;
const NAME_WIDTH: usize = 14;

/// Tells what happens, and keeps count.
pub struct Story {
    api: Api,
    paint: Paint,
    started: Instant,
    counts: Counts,
    /// The scores of each identity, as last told; and as they are, with what was too small to be told.
    told: HashMap<String, Vec<Score>>,
    latest: HashMap<String, Vec<Score>>,
}

#[derive(Default)]
struct Counts {
    verified: u64,
    not_verified: u64,
    refused: u64,
    retried: u64,
    slow: u64,
}

impl Story {
    pub fn new(api: Api, started: Instant) -> Self {
        Self {
            api,
            paint: Paint::for_stdout(),
            started,
            counts: Counts::default(),
            told: HashMap::new(),
            latest: HashMap::new(),
        }
    }

    /// Tells until nothing can happen any more. `sent` counts the events that the server stored.
    pub async fn tell(&mut self, mut arrivals: UnboundedReceiver<Arrival>, sent: &AtomicU64) {
        let mut summary = tokio::time::interval(SUMMARY_EVERY);
        summary.tick().await;
        loop {
            tokio::select! {
                arrival = arrivals.recv() => match arrival {
                    Some(arrival) => self.arrived(arrival).await,
                    None => return,
                },
                _ = summary.tick() => self.sum_up(sent.load(Ordering::Relaxed)),
            }
        }
    }

    async fn arrived(&mut self, arrival: Arrival) {
        if let Err(problem) = &arrival.checked {
            self.counts.not_verified += 1;
            self.say(Mark::Bad, &format!("a webhook did not verify: {problem}"));
            return;
        }
        self.counts.verified += 1;
        let subject = format!(
            "{} #{}",
            arrival.content.identity.as_deref().unwrap_or("-"),
            arrival.content.sequence.unwrap_or(0)
        );
        match arrival.kind {
            Kind::Healthy => self.scored(&arrival).await,
            Kind::Flaky if !arrival.answer.is_success() => {
                self.counts.refused += 1;
                let text = format!("the flaky receiver answered {} to {subject}", arrival.answer.as_u16());
                self.say(Mark::None, &self.paint.paint(Tone::Warning, text));
            }
            Kind::Flaky if arrival.is_retry => {
                self.counts.retried += 1;
                self.say(Mark::Good, &format!("the flaky receiver took {subject} at the second attempt"));
            }
            Kind::Flaky => {}
            Kind::Slow => {
                self.counts.slow += 1;
                if self.counts.slow == 1 {
                    let text =
                        format!("the slow receiver answers after {SLOW_SECONDS} s, and nobody else waits");
                    self.say(Mark::None, &self.paint.paint(Tone::Quiet, text));
                }
            }
        }
    }

    async fn scored(&mut self, arrival: &Arrival) {
        let Some(identity) = arrival.content.identity.clone() else { return };
        let scores = &arrival.content.scores;
        self.latest.insert(identity.clone(), scores.clone());
        let falls = match self.told.get_mut(&identity) {
            Some(told) => update(told, scores),
            None => {
                let shown: Vec<String> = scores.iter().map(|score| self.first(score)).collect();
                let lowest = scores.iter().min_by_key(|score| score.now);
                let why = match lowest.filter(|score| score.now <= LOW_SCORE_MAX) {
                    Some(low) => self.why(&identity, &low.category).await,
                    None => String::new(),
                };
                self.say(Mark::Good, &format!("{identity:NAME_WIDTH$}  {}{why}", shown.join("  ")));
                self.told.insert(identity, scores.clone());
                return;
            }
        };
        for Score { category, now, before } in falls {
            let before = before.map_or_else(|| "-".to_owned(), |before| before.to_string());
            let numbers = self.paint.paint(Tone::Bad, format_args!("{before:>3} -> {now:<3}"));
            let why = self.why(&identity, &category).await;
            self.say(Mark::Good, &format!("{identity:NAME_WIDTH$}  {category:12}  {numbers}{why}"));
        }
    }

    /// What mattered most for a score, in a sentence of the server, to stand at the end of a line.
    async fn why(&self, identity: &str, category: &str) -> String {
        let (api, path) = (self.api.clone(), format!("/identities/{identity}/analysis"));
        let analysis = tokio::task::spawn_blocking(move || api.get(&path)).await;
        let worst = analysis.ok().and_then(|answer| worst(&answer.ok()?, category));
        worst.map(|why| format!("  {why}")).unwrap_or_default()
    }

    fn first(&self, score: &Score) -> String {
        let text = format!("{} {}", score.category, score.now);
        if score.now <= LOW_SCORE_MAX { self.paint.paint(Tone::Bad, text) } else { text }
    }

    fn say(&self, mark: Mark, text: &str) {
        let time =
            self.paint.paint(Tone::Quiet, format_args!("{:5.1} s", self.started.elapsed().as_secs_f64()));
        let mark = match mark {
            Mark::Good => self.paint.paint(Tone::Good, "✓"),
            Mark::Bad => self.paint.paint(Tone::Bad, "✗"),
            Mark::None => " ".to_owned(),
        };
        line(format_args!("{time}  {mark} {text}"));
    }

    fn sum_up(&self, sent: u64) {
        let text = format!("-- {}", self.totals(sent));
        self.say(Mark::None, &self.paint.paint(Tone::Strong, text));
    }

    fn totals(&self, sent: u64) -> String {
        let Counts { verified, not_verified, refused, retried, .. } = self.counts;
        let failed = if not_verified > 0 { format!(", {not_verified} not verified") } else { String::new() };
        format!(
            "{}, {} scored, {} verified{failed}; {refused} refused, {retried} of them taken again",
            counted(sent, "event"),
            counted(self.told.len() as u64, "identity"),
            counted(verified, "webhook"),
        )
    }

    /// The last word: totals, and who scored lowest.
    pub fn conclude(&self, sent: u64) {
        line("");
        line(self.paint.paint(Tone::Strong, self.totals(sent)));
        let rows = lowest(&self.latest);
        if !rows.is_empty() {
            line("");
            line("Lowest scores:");
            columns(&rows).iter().for_each(|row| line(format_args!("  {row}")));
        }
    }
}

/// Who scores lowest in each category, the lowest first: category, identity and score.
fn lowest(latest: &HashMap<String, Vec<Score>>) -> Vec<[String; 3]> {
    let of_category = |category: &str| {
        let mut low: Vec<(i64, &str)> = latest
            .iter()
            .flat_map(|(identity, scores)| scores.iter().map(move |score| (identity, score)))
            .filter(|(_, score)| score.category.eq_ignore_ascii_case(category) && score.now < PRIOR_SCORE)
            .map(|(identity, score)| (score.now, identity.as_str()))
            .collect();
        low.sort_unstable_by_key(|(score, identity)| (*score, numbered(identity)));
        low.truncate(LOWEST_OF_EACH);
        low
    };
    CATEGORIES
        .into_iter()
        .flat_map(|category| of_category(category).into_iter().map(move |low| (category, low)))
        .map(|(category, (score, identity))| {
            [category.to_owned(), identity.to_owned(), format!("{score:>3}")]
        })
        .collect()
}

/// An id as people order it: "ring-2" before "ring-10".
fn numbered(identity: &str) -> (&str, u64) {
    let split = identity.rsplit_once('-');
    let number = split.and_then(|(name, number)| Some((name, number.parse().ok()?)));
    number.unwrap_or((identity, 0))
}

enum Mark {
    Good,
    Bad,
    None,
}

/// Takes over the scores that have risen or fallen far, and gives back those that fell: what is
/// low from the beginning fell as well.
fn update(told: &mut Vec<Score>, scores: &[Score]) -> Vec<Score> {
    let mut falls = Vec::new();
    for score in scores {
        let Some(old) = told.iter_mut().find(|old| old.category == score.category) else {
            told.push(score.clone());
            falls.extend((score.now <= LOW_SCORE_MAX).then(|| Score { before: None, ..score.clone() }));
            continue;
        };
        let before = old.now;
        if score.now > before {
            old.now = score.now;
        } else if before - score.now >= FALL_MIN {
            old.now = score.now;
            falls.push(Score { before: Some(before), ..score.clone() });
        }
    }
    falls
}

/// The explanation of the observation that pulls the score of a category down the most.
fn worst(analysis: &Value, category: &str) -> Option<String> {
    let scores = analysis["scores"].as_array()?;
    let score = scores
        .iter()
        .find(|score| score["category"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(category)))?;
    let pull = |observation: &Value| {
        let number = |name: &str| observation[name].as_f64().unwrap_or(0.0);
        (PRIOR - number("value")) * number("confidence") * number("weight")
    };
    let observations = score["observations"].as_array()?;
    let worst = observations.iter().max_by(|a, b| pull(a).total_cmp(&pull(b)))?;
    worst["explanation"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn score(category: &str, now: i64, before: Option<i64>) -> Score {
        Score { category: category.into(), now, before }
    }

    #[test]
    fn falls_are_told_against_what_was_told_last_and_rises_are_not() {
        let mut told = vec![score("humanity", 70, None), score("behavior", 60, None)];
        let now =
            |humanity, behavior| [score("humanity", humanity, Some(99)), score("behavior", behavior, None)];
        assert_eq!(update(&mut told, &now(65, 65)), []);
        let falls = [score("humanity", 62, Some(70)), score("behavior", 50, Some(65))];
        assert_eq!(update(&mut told, &now(62, 50)), falls);
        assert_eq!(update(&mut told, &now(62, 50)), []);
    }

    #[test]
    fn a_score_that_is_low_from_the_beginning_is_a_fall() {
        let mut told = Vec::new();
        let first = [score("humanity", 80, None), score("authenticity", 8, None)];
        assert_eq!(update(&mut told, &first), [score("authenticity", 8, None)]);
        assert_eq!(told, first);
    }

    #[test]
    fn the_lowest_of_each_category_are_shown_by_score_and_then_by_number() {
        let one = |category, now| vec![score(category, now, None)];
        let mut latest: HashMap<String, Vec<Score>> =
            (1..=12).map(|n| (format!("disposable-{n}"), one("authenticity", 4))).collect();
        latest.insert("ring-1".to_owned(), one("uniqueness", 9));
        latest.insert("bot-1".to_owned(), one("humanity", 3));
        latest.insert("anna.weber".to_owned(), one("behavior", 80));
        let shown: Vec<_> = lowest(&latest).into_iter().map(|row| row.join(" ")).collect();
        let expected = [
            "humanity bot-1   3",
            "authenticity disposable-1   4",
            "authenticity disposable-2   4",
            "authenticity disposable-3   4",
            "uniqueness ring-1   9",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_observation_with_the_most_pull_explains_a_score() {
        let observation = |explanation: &str, value, confidence, weight| json!({"explanation": explanation, "value": value, "confidence": confidence, "weight": weight});
        let analysis = json!({"scores": [
            {"category": "BEHAVIOR", "observations": [observation("other", 0.0, 1.0, 9.0)]},
            {"category": "HUMANITY", "observations": [
                observation("sure and good", 0.9, 1.0, 1.0),
                observation("bad and unsure", 0.1, 0.2, 1.0),
                observation("bad", 0.1, 0.9, 1.0),
            ]},
        ]});
        assert_eq!(worst(&analysis, "humanity").as_deref(), Some("bad"));
        assert_eq!(worst(&analysis, "uniqueness"), None);
        assert_eq!(worst(&json!(null), "humanity"), None);
    }
}
