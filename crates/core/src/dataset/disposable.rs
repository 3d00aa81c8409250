//! Whether a domain looks like those of disposable mail services, for the ones that no list has yet.

use crate::letters;

/// Weights of features, then the threshold; made by `scripts/detection/domains.py`, which names the features
/// alike.
static MODEL: &[u8] = include_bytes!("../../data/domains.bin");
const BUCKETS: usize = 1 << 16;
const _: () = assert!(MODEL.len() == BUCKETS + 4);
/// Letters in a row that are one feature.
const GRAMS: std::ops::RangeInclusive<usize> = 2..=5;
const WORDS: [&str; 11] =
    ["mail", "post", "box", "temp", "trash", "fake", "drop", "spam", "net", "web", "online"];

/// Whether the features of a domain in lower case are surely those of disposable services: true of about 17 in
/// 100 of theirs and of fewer than 1 in 250 others. `None` for domains with letters beyond ASCII, in either
/// spelling.
pub fn is_disposable_like(domain: &str) -> Option<bool> {
    if !domain.is_ascii() || !domain.contains('.') || domain.contains("xn--") {
        return None;
    }
    let mut buckets = features(domain);
    buckets.sort_unstable();
    buckets.dedup();
    let weight = |bucket: &usize| i32::from(i8::from_le_bytes([MODEL[*bucket]]));
    let threshold = i32::from_le_bytes(MODEL[BUCKETS..].try_into().unwrap_or_default());
    Some(buckets.iter().map(weight).sum::<i32>() > threshold)
}

fn features(domain: &str) -> Vec<usize> {
    let labels: Vec<&str> = domain.split('.').collect();
    let (top, name) = (labels[labels.len() - 1], labels[labels.len() - 2]);
    let text = format!("^{}$", labels[..labels.len() - 1].join("."));
    let (length, unlikely) = ((name.len() / 3).min(8), letters::cost(name));
    let vowels = name.bytes().filter(|byte| b"aeiouy".contains(byte)).count() * 8;
    let vowels = vowels.checked_div(name.len()).unwrap_or(0);
    let digits = text.bytes().filter(u8::is_ascii_digit).count().min(4);
    let hyphens = text.bytes().filter(|byte| *byte == b'-').count().min(2);
    let mut found = vec![
        format!("top:{top}"),
        format!("length:{}", (text.len() / 2).min(12)),
        format!("labels:{}", labels.len()),
        format!("digits:{digits}"),
        format!("hyphens:{hyphens}"),
        format!("unlikely:{unlikely}"),
        format!("vowels:{vowels}"),
        format!("top-length:{top}:{length}"),
        format!("top-unlikely:{top}:{unlikely}"),
        format!("length-unlikely:{length}:{unlikely}"),
        format!("shape:{}", shape(name)),
    ];
    if labels.len() > 2 {
        found.push(format!("parent:{name}.{top}"));
    }
    found.extend(WORDS.iter().filter(|word| name.contains(**word)).map(|word| format!("word:{word}")));
    let mut buckets: Vec<_> = found.iter().map(|feature| bucket(feature.as_bytes())).collect();
    for size in GRAMS {
        buckets.extend(text.as_bytes().windows(size).map(bucket));
    }
    buckets
}

/// Runs of letters as `a`, of digits as `9`: the first eight.
fn shape(name: &str) -> String {
    let mut shape = String::new();
    for char in name.chars() {
        let class = match char {
            'a'..='z' => 'a',
            '0'..='9' => '9',
            other => other,
        };
        if !(matches!(class, 'a' | '9') && shape.ends_with(class)) {
            shape.push(class);
        }
    }
    shape.chars().take(8).collect()
}

/// FNV-1a of 32 bits.
fn bucket(feature: &[u8]) -> usize {
    let hash = feature
        .iter()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    hash as usize % BUCKETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_typical() {
        let cases = [
            ("tempmail-drop7.xyz", Some(true)),
            ("a9xk3z.xyz", Some(true)),
            ("mailbox.org", Some(false)),
            ("gemeinde-hausen.de", Some(false)),
            ("stanford.edu", Some(false)),
            ("baeckerei-schulze.de", Some(false)),
            ("thompson-plumbing.co.uk", Some(false)),
            ("münchen.de", None),
            ("xn--mnchen-3ya.de", None),
        ];
        for (domain, expected) in cases {
            assert_eq!(is_disposable_like(domain), expected, "{domain}");
        }
    }

    #[test]
    fn shapes_are_runs() {
        assert_eq!(shape("abc123de-f"), "a9a-a");
        assert_eq!(shape("a1b2c3d4e5"), "a9a9a9a9");
    }
}
