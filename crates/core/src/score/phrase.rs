//! Numbers and times in the words of an explanation.

/// "1 event", "2 events".
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// Gaps shorter than a second in milliseconds, others in seconds, minutes or hours.
pub fn duration(millis: f64) -> String {
    match millis / 1_000.0 {
        seconds if seconds < 0.999_5 => format!("{millis:.0} ms"),
        seconds if seconds < 90.0 => format!("{seconds:.1} s"),
        seconds if seconds < 5_400.0 => format!("{:.1} min", seconds / 60.0),
        seconds => format!("{:.1} h", seconds / 3_600.0),
    }
}

/// "within 20.0 min", or "at once" where that is nothing.
pub fn within(millis: i64) -> String {
    if millis < 1_000 { "at once".to_owned() } else { format!("within {}", duration(millis as f64)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        let cases = [
            (40.0, "40 ms"),
            (999.4, "999 ms"),
            (999.6, "1.0 s"),
            (1_500.0, "1.5 s"),
            (120_000.0, "2.0 min"),
            (7_200_000.0, "2.0 h"),
        ];
        for (millis, text) in cases {
            assert_eq!(duration(millis), text);
        }
        for (millis, text) in [(0, "at once"), (999, "at once"), (1_000, "within 1.0 s")] {
            assert_eq!(within(millis), text);
        }
    }
}
