//! Whether what a person is told is true: every number in an explanation stands beside it in the metadata.

use serde_json::{Map, Value};

/// A number that an explanation gives and its metadata does not. What follows a semicolon is said of people at large,
/// and what is quoted is theirs.
pub fn untold(explanation: &str, metadata: &Map<String, Value>) -> Option<String> {
    let unquoted: String = explanation.split('"').step_by(2).collect();
    let of_person = unquoted.split(';').next().unwrap_or_default();
    let words: Vec<_> = of_person.split_whitespace().collect();
    let known: Vec<f64> = metadata.values().filter_map(Value::as_f64).collect();
    // A domain may be one.
    let is_name = |word: &str| metadata.values().any(|value| value.as_str() == Some(word));
    words.iter().enumerate().find_map(|(place, word)| {
        // Such as +44, a country's.
        let word = word.trim_matches(['(', ')', ',', '.', ':']);
        let (digits, unit) = match word.strip_suffix('%') {
            Some(digits) => (digits, "%"),
            None => {
                (word, words.get(place + 1).map_or("", |next| next.trim_matches(['(', ')', ',', '.', ':'])))
            }
        };
        let number: f64 = digits.parse().ok().filter(|_| !digits.starts_with('+') && !is_name(word))?;
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let scale = match unit {
            "%" => 0.01,
            "s" => 1_000.0,
            "min" => 60_000.0,
            "h" => 3_600_000.0,
            _ => 1.0,
        };
        let is_count = scale == 1.0 && unit != "ms";
        let off_max = if is_count { 0.0 } else { 0.5001 * 10_f64.powi(-(decimals as i32)) * scale };
        let is_told = known.iter().any(|known| (known - number * scale).abs() <= off_max);
        (!is_told).then(|| format!("{word} {unit}"))
    })
}

#[test]
fn a_number_that_is_nowhere_is_found() {
    let metadata =
        serde_json::json!({"accounts": 5, "withinMillis": 2_400_000, "part": 0.254, "agent": "curl/8"});
    let metadata = metadata.as_object().unwrap();
    for said in [
        "5 accounts appeared within 40.0 min; people have 1.",
        "In 25 % of all, or (25%), \"9 of 10\" came at mail4.uk.",
        "Over 5 days.",
    ] {
        assert_eq!(untold(said, metadata), None, "{said}");
    }
    for (said, number) in [("6 accounts", "6 accounts"), ("within 41.0 min.", "41.0 min"), ("26 %.", "26 %")]
    {
        assert_eq!(untold(said, metadata).as_deref(), Some(number), "{said}");
    }
}
