//! Text that others wrote, made harmless before it stands in a mail or a chat: one line, of bounded
//! length, without anything that a program would take for an address and turn into a link.

/// What is kept of a longer text.
pub const TEXT_MAX_CHARS: usize = 300;

/// Full stops of other scripts, which browsers read as one in a host name (UTS 46, section 2.3).
const FULL_STOPS: [char; 4] = ['.', '。', '．', '｡'];

/// `text` as one line of at most [`TEXT_MAX_CHARS`] characters. A full stop inside a word becomes `[.]` and
/// `://` becomes `[:]//`, as is the custom where malicious addresses are written down; a decimal point
/// stays. Characters that cannot be seen, or that change the direction of writing, are left out.
pub fn inert(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    let visible = |word: &str| word.chars().filter(|c| !is_invisible(*c)).collect::<String>();
    let words = spaced.split(' ').map(visible).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    let kept: String = line.chars().take(TEXT_MAX_CHARS).collect();
    let mut out = kept.split(' ').map(inert_word).collect::<Vec<_>>().join(" ");
    if kept.len() < line.len() {
        out.push('…');
    }
    out
}

/// The same of a text that would say nothing if all of it were left out: where nothing could be seen, the characters
/// stand there by number, such as `[U+200B]`.
pub fn inert_or_numbered(text: &str) -> String {
    let line = inert(text);
    if line.is_empty() { inert(&text.chars().map(numbered).collect::<String>()) } else { line }
}

/// The same of an id, which two characters that cannot be seen make another: they stand there by number.
pub fn inert_id(id: &str) -> String {
    let spelled = |c: char| if !c.is_whitespace() && is_invisible(c) { numbered(c) } else { c.to_string() };
    inert_or_numbered(&id.chars().map(spelled).collect::<String>())
}

fn numbered(c: char) -> String {
    format!("[U+{:04X}]", u32::from(c))
}

fn inert_word(word: &str) -> String {
    if is_decimal(word.trim_matches(|c: char| !c.is_alphanumeric())) {
        return word.to_owned();
    }
    let last = word.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    let mut out = String::with_capacity(word.len());
    for (index, c) in word.char_indices() {
        // What ends a sentence joins nothing.
        if index < last && FULL_STOPS.contains(&c) {
            out.push_str("[.]");
        } else if c == ':' && word[index..].starts_with(":/") {
            out.push_str("[:]");
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether this is a number such as 0.35.
fn is_decimal(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('.').is_some_and(|(whole, part)| is_digits(whole) && is_digits(part))
}

/// Control and format characters (Unicode categories Cc and Cf, the ones that text needs none of), what programs may ignore
/// (`Default_Ignorable_Code_Point`) and letters and notes that are blank: they hide, or turn around, what is beside them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
                | 0x2028..=0x202E | 0x2060..=0x206F | 0x2800 | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
                | 0x1BCA0..=0x1BCA3 | 0x1D159 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(inert(text), expected, "{text:?}");
    }

    #[test]
    fn what_could_become_a_link_cannot() {
        check("https://evil.test/pay?now=1", "https[:]//evil[.]test/pay?now=1");
        check("www.evil.test", "www[.]evil[.]test");
        check("anna@evil.test", "anna@evil[.]test");
        check("mailto:anna@evil。test", "mailto:anna@evil[.]test");
        check("evil\u{200b}.\u{200d}test", "evil[.]test");
        check("1.2.3.4", "1[.]2[.]3[.]4");
        check("0.35.test", "0[.]35[.]test");
    }

    #[test]
    fn what_could_become_a_header_or_a_line_cannot() {
        check("Anna\r\nBcc: all@evil.test", "Anna Bcc: all@evil[.]test");
        check("a\u{2028}b\u{b}c\u{85}d\0e", "a b c de");
        check("\u{202e}gpj.exe", "gpj[.]exe");
    }

    #[test]
    fn what_cannot_be_seen_is_numbered_where_nothing_else_would_stand_there() {
        for (text, expected) in [
            ("\u{200b}", "[U+200B]"),
            ("\u{2028}\u{200b}", "[U+2028][U+200B]"),
            ("\u{e0001}", "[U+E0001]"),
            ("\u{2800}\u{3164}", "[U+2800][U+3164]"),
            ("\u{1bca0}\u{1d159}", "[U+1BCA0][U+1D159]"),
            ("\0", "[U+0000]"),
            ("an\u{200b}na", "anna"),
            ("", ""),
        ] {
            assert_eq!(inert_or_numbered(text), expected, "{text:?}");
        }
        for (id, expected) in [
            ("\u{200b}", "[U+200B]"),
            ("\u{202e}gpj.exe\u{200b}", "[U+202E]gpj[.]exe[U+200B]"),
            ("an\u{ad}na", "an[U+00AD]na"),
            ("\u{2028}", "[U+2028]"),
            ("a b\r\nc", "a b c"),
            ("user_1", "user_1"),
        ] {
            assert_eq!(inert_id(id), expected, "{id:?}");
        }
    }

    #[test]
    fn ordinary_sentences_stay() {
        let sentence =
            "Signed up 3.5 seconds (of 0.25) before “Ann’s” friend. Odd; 12 of 14 like it: see above.";
        check(sentence, sentence);
        check("  two   spaces\t", "two spaces");
        check(&"a".repeat(400), &format!("{}…", "a".repeat(300)));
    }

    proptest! {
        #[test]
        fn no_host_name_survives(text in "[a-z0-9.:/@。\u{200b} ]{0,60}") {
            let inert = inert(&text).replace("[.]", " ");
            prop_assert!(!inert.contains(":/"), "{inert:?}");
            for word in inert.split(|c: char| !c.is_alphanumeric() && c != '.') {
                let labels = word.split('.').filter(|label| !label.is_empty()).count();
                prop_assert!(labels < 2 || word.trim_matches('.').parse::<f64>().is_ok(), "{inert:?} has {word:?}");
            }
        }
    }
}
