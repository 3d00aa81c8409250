//! Events that a program sends on its own.

use crate::words::snake;

/// Whether events of this name are sent by a program on its own, at regular times, whoever sits
/// in front of it: they tell nothing of the person's rhythm.
pub fn is_automatic(name: &str) -> bool {
    snake(name).split('_').any(|word| {
        matches!(
            word,
            "heartbeat"
                | "ping"
                | "poll"
                | "polling"
                | "keepalive"
                | "sync"
                | "cron"
                | "scheduled"
                | "renewal"
                | "renewed"
                | "recurring"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_people_by_whole_words() {
        let cases = [
            ("heartbeat", true),
            ("session.keepalive", true),
            ("subscriptionRenewed", true),
            ("shopping", false),
            ("async_upload", false),
            ("user.signup", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_automatic(name), expected, "{name}");
        }
    }
}
