//! User agents in few bytes: nine tenths of them are the same few phrases.

use super::USER_AGENT_KEPT_MAX_BYTES;

/// The phrases that one byte stands for: phrase `n` for the control character `n + 1`, which no
/// stored user agent contains. Where two fit, the earlier counts. Their order and wording are part
/// of the format: a change needs a new format version.
static PHRASES: [&str; 28] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:",
    "Mozilla/5.0 (iPhone; CPU iPhone OS ",
    "Mozilla/5.0 (Linux; Android ",
    "Mozilla/5.0 (",
    ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
    " like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/",
    " AppleWebKit/605.1.15 (KHTML, like Gecko) ",
    ") Gecko/20100101 Firefox/",
    ".0.0.0 Mobile Safari/537.36",
    ".0.0.0 Safari/537.36",
    " Mobile Safari/537.36",
    " Safari/537.36",
    " Mobile/15E148 Safari/604.1",
    " Safari/605.1.15",
    "Macintosh; Intel Mac OS X ",
    "Windows NT 10.0; Win64; x64",
    "X11; Linux x86_64",
    "(compatible; ",
    "SamsungBrowser/",
    "Chrome/",
    "Version/",
    " Edg/",
    ".0.0.0",
];

const FIRST_CODE: u8 = 1;

/// The part of a user agent that is kept, control characters replaced by spaces.
pub fn storable(agent: &str) -> String {
    let kept = &agent[..agent.floor_char_boundary(USER_AGENT_KEPT_MAX_BYTES)];
    kept.chars().map(|char| if char.is_ascii_control() { ' ' } else { char }).collect()
}

/// A [`storable`] user agent with its phrases replaced.
pub fn pack(agent: &str) -> String {
    let mut packed = String::with_capacity(agent.len());
    let mut rest = agent;
    while let Some(char) = rest.chars().next() {
        let phrase = (FIRST_CODE..).zip(&PHRASES).find(|(_, phrase)| rest.starts_with(**phrase));
        let taken = match phrase {
            Some((code, phrase)) => {
                packed.push(char::from(code));
                phrase.len()
            }
            None => {
                packed.push(char);
                char.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    packed
}

/// What [`pack`] packed. A code this version does not know is left as it is.
pub fn unpack(packed: &str) -> String {
    let mut agent = String::with_capacity(USER_AGENT_KEPT_MAX_BYTES);
    for char in packed.chars() {
        let index = (char as usize).checked_sub(usize::from(FIRST_CODE));
        match index.and_then(|index| PHRASES.get(index)) {
            Some(phrase) => agent.push_str(phrase),
            None => agent.push(char),
        }
    }
    agent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_common_agents_and_gets_every_one_back() {
        let cases = [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                5,
            ),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", 12),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                11,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0.0.0 Safari/537.36",
                14,
            ),
            ("curl/8.5.0", 10),
            ("größer/1", 10),
            ("", 0),
        ];
        for (agent, packed_bytes) in cases {
            let packed = pack(agent);
            assert_eq!((packed.len(), unpack(&packed)), (packed_bytes, agent.to_owned()), "{agent}");
        }
    }

    #[test]
    fn what_is_kept_is_cut_and_has_no_control_characters() {
        assert_eq!(storable("a\tb\u{1}c\u{7f}"), "a b c ");
        assert_eq!(storable(&"ä".repeat(200)), "ä".repeat(USER_AGENT_KEPT_MAX_BYTES / 2));
    }
}
