//! The built-in reviewer: a plain account of an analysis for a support agent, made of nothing but
//! what the analysis says.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::score::{Category, Observation, Scores, logit};

/// Observations named for each score.
const NAMED_MAX: usize = 3;
/// Moves of a score smaller than this (in log-odds) are not worth a word: about two points of 100.
const TELLING_MIN: f64 = 0.1;
/// Of the feedback this much is repeated.
const FEEDBACK_SHOWN_MAX_CHARS: usize = 300;
/// Words of feedback shorter than this are found in any sentence.
const WORD_MIN_CHARS: usize = 4;
/// From here on a score asks for nothing.
const FINE_MIN: u8 = 50;

/// What a review is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub scores: &'a Scores,
    pub observations: &'a [Observation],
    pub event_count: i64,
    pub device_count: i64,
    /// What the person who asked for the review says.
    pub feedback: Option<&'a str>,
}

/// Writes the account.
pub fn write(subject: &Subject) -> String {
    let mut text = format!(
        "This looks at {} on {}.\n",
        counted(subject.event_count, "event"),
        counted(subject.device_count, "device")
    );
    let mut scored: Vec<_> =
        Category::ALL.into_iter().filter_map(|c| Some((c, subject.scores.get(c)?))).collect();
    if scored.is_empty() {
        text.push_str("\nNo category has a score yet: nothing was found to look at.\n");
    }
    // The worst first: that is what brings somebody here. Writing to a string cannot fail.
    scored.sort_by_key(|(_, score)| *score);
    for (category, score) in &scored {
        let _ = write!(text, "\n{} {score} of 100. ", name(*category));
        let telling = telling(subject.observations, *category);
        if telling.is_empty() {
            text.push_str("Nothing that was seen moves it much.\n");
            continue;
        }
        let (against, for_it): (Vec<_>, Vec<_>) = telling.into_iter().partition(|(_, moved)| *moved < 0.0);
        list(&mut text, "Against it: ", &against);
        list(&mut text, "In its favor: ", &for_it);
        text.push('\n');
        if let Some((worst, _)) = against.first() {
            let outcome = match without(subject.observations, worst) {
                Some(score) => format!("it would be {score} of 100"),
                None => "there would be no score".to_owned(),
            };
            let _ = writeln!(
                text,
                "What would change it: without \"{}\", which weighs most against it, {outcome}.",
                worst.label
            );
        }
    }
    next(&mut text, subject, &scored);
    if let Some(feedback) = subject.feedback.map(str::trim).filter(|feedback| !feedback.is_empty()) {
        about_feedback(&mut text, feedback, subject.observations);
    }
    text
}

/// The observations of a category that move its score most, and how far each does.
fn telling(observations: &[Observation], category: Category) -> Vec<(&Observation, f64)> {
    let mut moved: Vec<_> = observations
        .iter()
        .filter(|o| o.category == category)
        .map(|o| (o, o.weight * o.confidence * logit(o.value)))
        .filter(|(_, moved)| moved.abs() >= TELLING_MIN)
        .collect();
    moved.sort_by(|(_, a), (_, b)| b.abs().partial_cmp(&a.abs()).unwrap_or(Ordering::Equal));
    moved.truncate(NAMED_MAX);
    moved
}

/// The score of the observation's category if it had not been made.
fn without(observations: &[Observation], left_out: &Observation) -> Option<u8> {
    let rest: Vec<_> = observations.iter().filter(|o| o.id != left_out.id).cloned().collect();
    crate::score::aggregate(left_out.category, &rest)
}

fn list(text: &mut String, start: &str, items: &[(&Observation, f64)]) {
    if items.is_empty() {
        return;
    }
    let sentences: Vec<_> =
        items.iter().map(|(o, _)| format!("{} ({})", o.explanation.trim_end_matches('.'), o.label)).collect();
    if !text.ends_with(' ') {
        text.push(' ');
    }
    let _ = write!(text, "{start}{}.", sentences.join("; "));
}

/// What to look at next: the observation that weighs most against the worst score.
fn next(text: &mut String, subject: &Subject, scored: &[(Category, u8)]) {
    let worst = scored.first().filter(|(_, score)| *score < FINE_MIN);
    let against = worst.and_then(|(category, _)| {
        telling(subject.observations, *category).into_iter().find(|(_, moved)| *moved < 0.0)
    });
    let _ = match (worst, against) {
        (Some((category, _)), Some((observation, _))) => writeln!(
            text,
            "\nLook next at \"{}\": it weighs most in {}, the lowest score. See the events and the links \
             behind it before acting.",
            observation.label,
            name(*category),
        ),
        _ => writeln!(text, "\nNo score is below {FINE_MIN}; nothing here asks to be looked at next."),
    };
}

/// What the feedback is about, as far as its words say.
fn about_feedback(text: &mut String, feedback: &str, observations: &[Observation]) {
    let mut shown: String = feedback.chars().take(FEEDBACK_SHOWN_MAX_CHARS).collect();
    if shown.len() < feedback.len() {
        shown.push('…');
    }
    let words: Vec<_> = words(feedback).collect();
    let meant: Vec<_> = observations
        .iter()
        .filter(|o| self::words(&o.label).any(|word| words.contains(&word)))
        .map(|o| format!("\"{}\"", o.label))
        .collect();
    let _ = write!(text, "\nThe feedback was: \"{shown}\". ");
    let _ = if meant.is_empty() {
        writeln!(text, "None of the observations goes by what it mentions, so the scores do not reflect it.")
    } else {
        writeln!(
            text,
            "It mentions what {} is about; if it is right, that is to be set against the finding above.",
            meant.join(" and ")
        )
    };
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    parts.filter(|word| word.chars().count() >= WORD_MIN_CHARS).map(str::to_lowercase)
}

const fn name(category: Category) -> &'static str {
    match category {
        Category::Humanity => "Humanity",
        Category::Authenticity => "Authenticity",
        Category::Uniqueness => "Uniqueness",
        Category::Behavior => "Behavior",
    }
}

fn counted(count: i64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::score::aggregate;

    fn observation(category: Category, label: &str, explanation: &str, value: f64) -> Observation {
        Observation {
            category,
            id: format!("{category:?}.{label}"),
            label: label.to_owned(),
            explanation: explanation.to_owned(),
            value,
            confidence: 0.9,
            weight: 1.0,
            metadata: Map::new(),
        }
    }

    fn review(observations: &[Observation], feedback: Option<&str>) -> String {
        let score = |category| aggregate(category, observations);
        let scores = Scores {
            humanity: score(Category::Humanity),
            authenticity: score(Category::Authenticity),
            uniqueness: score(Category::Uniqueness),
            behavior: score(Category::Behavior),
        };
        write(&Subject { scores: &scores, observations, event_count: 3, device_count: 1, feedback })
    }

    #[test]
    fn tells_what_drove_each_score_worst_first() {
        let observations = [
            observation(Category::Humanity, "User agent", "The browser is an ordinary one.", 0.8),
            observation(Category::Uniqueness, "Shared device", "4 other accounts used the same device.", 0.1),
            observation(Category::Uniqueness, "Shared IP address", "Nobody else came from there.", 0.65),
            observation(Category::Behavior, "Pace", "The pace is usual.", 0.5),
        ];
        let expected = "This looks at 3 events on 1 device.

Uniqueness 36 of 100. Against it: 4 other accounts used the same device (Shared device). In its favor: Nobody else came from there (Shared IP address).
What would change it: without \"Shared device\", which weighs most against it, it would be 80 of 100.

Behavior 70 of 100. Nothing that was seen moves it much.

Humanity 89 of 100. In its favor: The browser is an ordinary one (User agent).

Look next at \"Shared device\": it weighs most in Uniqueness, the lowest score. See the events and the links behind it before acting.

The feedback was: \"They share a device in the family\". It mentions what \"Shared device\" is about; if it is right, that is to be set against the finding above.
";
        assert_eq!(review(&observations, Some(" They share a device in the family ")), expected);
    }

    #[test]
    fn says_so_where_nothing_else_is_known() {
        let agent = [observation(Category::Humanity, "User agent", "The browser is a script.", 0.05)];
        let review = review(&agent, None);
        let sentence = "without \"User agent\", which weighs most against it, there would be no score.";
        assert!(review.contains(sentence), "{review}");
    }

    #[test]
    fn says_so_where_there_is_nothing_to_say() {
        let expected = "This looks at 3 events on 1 device.

No category has a score yet: nothing was found to look at.

No score is below 50; nothing here asks to be looked at next.

The feedback was: \"hm\". None of the observations goes by what it mentions, so the scores do not reflect it.
";
        assert_eq!(review(&[], Some("hm")), expected);
    }
}
