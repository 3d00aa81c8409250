//! Whether what a person is told is true: every number in an explanation stands beside it in the metadata, under a name for
//! what is counted there, and each by itself.

use serde_json::{Map, Value};

/// What is counted, by how the word begins, and the names under which it may stand.
const NOUNS: [(&str, &[&str]); 13] = [
    (
        "account",
        &[
            "accounts",
            "accountsTogether",
            "otherAccounts",
            "deletedAccounts",
            "confirmedBad",
            "identical",
            "sameMailbox",
            "taggedByName",
            "sameRole",
            "variants",
            "samePerson",
            "sameNameElsewhere",
            "sameNameNearby",
            "samePhone",
        ],
    ),
    ("event", &["events", "allEvents", "signedEvents", "eventsWithout"]),
    ("act", &["acts", "mostActs"]),
    ("address", &["addresses"]),
    ("day", &["days", "daysBefore", "pauseDays"]),
    ("device", &["devices"]),
    ("failed", &["failedSignIns", "failedPayments"]),
    ("gap", &["gaps", "evenGaps"]),
    ("message", &["count"]),
    ("report", &["reports", "reportsWithSigns"]),
    ("step", &["steps"]),
    ("time", &["times"]),
    ("year", &["browserYears"]),
];
/// Units of time, and how many milliseconds they are.
const UNITS: [(&str, f64); 4] = [("ms", 1.0), ("s", 1_000.0), ("min", 60_000.0), ("h", 3_600_000.0)];
/// Words between a number and what is counted.
const WORDS_BETWEEN_MAX: usize = 3;

/// A number, and the names of those beside it that it may be.
struct Told {
    words: String,
    may_be: Vec<String>,
}

/// A number that an explanation gives and its metadata does not. What follows a semicolon is said of people at large,
/// and what is quoted is theirs.
pub fn untold(explanation: &str, metadata: &Map<String, Value>) -> Option<String> {
    let unquoted: String = explanation.split('"').step_by(2).collect();
    let of_person = unquoted.split(';').next().unwrap_or_default();
    let words: Vec<_> = of_person.split_whitespace().map(plain).collect();
    let places = (0..words.len()).filter(|place| number(words[*place], metadata).is_some());
    let told: Vec<_> = places.map(|place| told_at(&words, place, metadata)).collect();
    let untold = told.iter().find(|told| told.may_be.is_empty()).or_else(|| {
        // Two numbers are not both told by one.
        (!is_each_by_itself(&told, &mut Vec::new())).then(|| &told[0])
    });
    untold.map(|told| told.words.clone())
}

/// Such as +44, a country's.
fn plain(word: &str) -> &str {
    word.trim_matches(['(', ')', ',', '.', ':'])
}

fn number(word: &str, metadata: &Map<String, Value>) -> Option<f64> {
    // A domain may be one.
    let is_name = metadata.values().any(|value| value.as_str() == Some(word));
    let digits = word.strip_suffix('%').unwrap_or(word);
    digits.parse().ok().filter(|_| !digits.starts_with('+') && !is_name)
}

fn told_at(words: &[&str], place: usize, metadata: &Map<String, Value>) -> Told {
    let word = words[place];
    let told = number(word, metadata).unwrap_or_default();
    let next = words.get(place + 1).copied().unwrap_or_default();
    let digits = word.trim_end_matches('%');
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let unit = UNITS.iter().find(|(unit, _)| *unit == next);
    let is_part = word.ends_with('%');
    let (scale, off_max) = match unit {
        _ if is_part => (0.01, 0.500_1 * 0.01),
        Some((_, millis)) if *millis > 1.0 => (*millis, 0.500_1 * 10_f64.powi(-(decimals as i32)) * millis),
        Some(_) => (1.0, 0.500_1),
        None => (1.0, 0.0),
    };
    let noun = noun_after(words, place, metadata);
    let is_so_called = |key: &str| match noun {
        _ if is_part => matches!(key, "part" | "variation" | "scripted" | "straight"),
        _ if unit.is_some() => key.ends_with("Millis"),
        Some(names) => names.contains(&key),
        None => !key.ends_with("Millis"),
    };
    let is_it = |(key, value): (&String, &Value)| {
        let is_told = value.as_f64().is_some_and(|known| (known - told * scale).abs() <= off_max);
        (is_told && is_so_called(key)).then(|| key.clone())
    };
    Told {
        words: format!("{word} {next}").trim_end().to_owned(),
        may_be: metadata.iter().filter_map(is_it).collect(),
    }
}

/// What is counted: the first word behind the number, or behind that of which it is a part.
fn noun_after(
    words: &[&str],
    place: usize,
    metadata: &Map<String, Value>,
) -> Option<&'static [&'static str]> {
    for (at, word) in words.iter().enumerate().skip(place + 1).take(WORDS_BETWEEN_MAX) {
        if number(word, metadata).is_some() {
            return noun_after(words, at, metadata);
        }
        let is_it = |(noun, _): &&(&str, _)| {
            word.strip_prefix(noun).is_some_and(|end| matches!(end, "" | "s" | "es"))
        };
        if let Some((_, names)) = NOUNS.iter().find(is_it) {
            return Some(names);
        }
    }
    None
}

/// Whether each number can be another one of those beside it.
fn is_each_by_itself<'t>(told: &'t [Told], taken: &mut Vec<&'t String>) -> bool {
    let Some((first, rest)) = told.split_first() else { return true };
    first.may_be.iter().any(|name| {
        if taken.contains(&name) {
            return false;
        }
        taken.push(name);
        let is_so = is_each_by_itself(rest, taken);
        taken.pop();
        is_so
    })
}

#[test]
fn a_number_that_is_nowhere_is_found() {
    let metadata = serde_json::json!({
        "accounts": 5, "withinMillis": 2_400_000, "part": 0.254, "agent": "curl/8", "days": 7, "events": 7, "allEvents": 7,
    });
    let metadata = metadata.as_object().unwrap();
    for said in [
        "5 accounts appeared within 40.0 min; people have 1.",
        "In 25% of all, or in it, \"9 of 10\" came at mail4.uk.",
        "Over 7 days.",
        "7 of 7 events.",
    ] {
        assert_eq!(untold(said, metadata), None, "{said}");
    }
    for (said, number) in [
        ("6 accounts", "6 accounts"),
        ("within 41.0 min.", "41.0 min"),
        ("26%.", "26%"),
        // What stands there is something else.
        ("7 other accounts", "7 other"),
        ("Over 5 days.", "5 days"),
        ("within 5 min.", "5 min"),
        ("5 of 7 events", "5 of"),
        ("7 of 7 of 7 events", "7 of"),
    ] {
        assert_eq!(untold(said, metadata).as_deref(), Some(number), "{said}");
    }
}
