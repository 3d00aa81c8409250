//! A user agent taken apart, as RFC 9110, section 10.1.5, has it: products with versions, and comments.
//!
//! And as they come: names of several words, parentheses that never close, brackets, addresses in between. Any
//! text can be read; what is read is looked at once.

/// A part of a user agent, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A name, which may have several words, and a version, which may be empty.
    Product { name: &'a str, version: &'a str },
    /// What stands in parentheses, without the outermost ones.
    Comment(&'a str),
    /// What stands in brackets, which the standard does not know: apps tell of themselves in them.
    Aside(&'a str),
    /// An address on the web, or of mail, outside of a comment.
    Address(&'a str),
}

/// The parts of a user agent.
pub struct Parts<'a> {
    rest: &'a str,
}

pub fn parts(agent: &str) -> Parts<'_> {
    Parts { rest: agent }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        self.rest = self.rest.trim_start_matches(is_separator);
        match self.rest.bytes().next()? {
            b'(' => Some(Part::Comment(self.inside(b'(', b')'))),
            b'[' => Some(Part::Aside(self.inside(b'[', b']'))),
            _ => Some(self.product()),
        }
    }
}

impl<'a> Parts<'a> {
    /// Up to the end that belongs to the beginning, or to that of the text.
    fn inside(&mut self, begin: u8, end: u8) -> &'a str {
        let mut depth = 0_usize;
        let close = self.rest.bytes().position(|byte| {
            depth += usize::from(byte == begin);
            depth -= usize::from(byte == end);
            depth == 0
        });
        let (inside, after) = match close {
            Some(close) => (&self.rest[1..close], &self.rest[close + 1..]),
            None => (&self.rest[1..], ""),
        };
        self.rest = after;
        inside
    }

    /// Words up to one that has a version, or is one. Not at the end of the text, nor at a separator.
    fn product(&mut self) -> Part<'a> {
        let text = self.rest;
        let mut name_len = 0;
        loop {
            let word = word(self.rest);
            let start = text.len() - self.rest.len();
            if is_address(word) {
                if name_len == 0 {
                    self.rest = &text[word.len()..];
                    return Part::Address(word);
                }
                return Part::Product { name: &text[..name_len], version: "" };
            }
            self.rest = &self.rest[word.len()..];
            if let Some((name, version)) = word.split_once('/') {
                return Part::Product { name: &text[..start + name.len()], version };
            }
            if name_len > 0 && is_version(word) {
                return Part::Product { name: &text[..name_len], version: word };
            }
            name_len = start + word.len();
            let spaces = self.rest.len() - self.rest.trim_start_matches(' ').len();
            if spaces == 0 || self.rest[spaces..].bytes().next().is_none_or(ends_word) {
                return Part::Product { name: &text[..name_len], version: "" };
            }
            self.rest = &self.rest[spaces..];
        }
    }
}

pub fn product<'a>(part: &Part<'a>) -> Option<&'a str> {
    match part {
        Part::Product { name, .. } => Some(name),
        _ => None,
    }
}

pub fn comment<'a>(part: &Part<'a>) -> Option<&'a str> {
    match part {
        Part::Comment(comment) => Some(comment),
        _ => None,
    }
}

/// The fields of a comment, without the parentheses in them.
pub fn fields(comment: &str) -> impl Iterator<Item = &str> {
    let is_edge = |char: char| matches!(char, ' ' | '\t' | '(' | ')' | '[' | ']' | '"' | '\'');
    comment.split([';', ',']).map(move |field| field.trim_matches(is_edge)).filter(|field| !field.is_empty())
}

/// The name in a comment's field: `Name/1.0`, `Name 1.0`, `Name`.
pub fn name_of(field: &str) -> &str {
    let name = field.split('/').next().unwrap_or_default();
    match name.rsplit_once(' ') {
        Some((name, version)) if is_version(version) => name.trim_end(),
        _ => name,
    }
}

/// Whether it is, or has in it, an address on the web or of mail.
pub fn is_address(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_of_web = |at: usize| match bytes[at] {
        b':' => bytes[at..].starts_with(b"://"),
        b'w' => bytes[at..].starts_with(b"www."),
        b'+' => bytes[at..].starts_with(b"+http"),
        _ => false,
    };
    (0..bytes.len()).any(is_of_web) || bytes.contains(&b'@') && text.split(' ').any(is_mail)
}

fn is_mail(text: &str) -> bool {
    let is_domain = |domain: &str| {
        let top_level = domain.rsplit('.').next().unwrap_or_default();
        top_level.len() < domain.len() && top_level.len() > 1 && top_level.chars().all(char::is_alphabetic)
    };
    text.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && is_domain(domain))
}

/// Whether it begins as versions do: `1`, `v2`.
fn is_version(word: &str) -> bool {
    let digits = word.strip_prefix(['v', 'V']).unwrap_or(word);
    digits.starts_with(|char: char| char.is_ascii_digit())
}

fn word(text: &str) -> &str {
    let end = text.bytes().position(ends_word).unwrap_or(text.len());
    &text[..end]
}

fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b';' | b',' | b'(' | b'[')
}

fn is_separator(char: char) -> bool {
    char.is_ascii_whitespace() || matches!(char, ';' | ',' | ')' | ']' | '/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product<'a>(name: &'a str, version: &'a str) -> Part<'a> {
        Part::Product { name, version }
    }

    #[test]
    fn takes_user_agents_apart() {
        let cases: [(&str, &[Part]); 11] = [
            ("", &[]),
            ("curl/8.5.0", &[product("curl", "8.5.0")]),
            (
                "Mozilla/5.0 (X11; Moto G (4)) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36",
                &[
                    product("Mozilla", "5.0"),
                    Part::Comment("X11; Moto G (4)"),
                    product("AppleWebKit", "537.36"),
                    Part::Comment("KHTML, like Gecko"),
                    product("Mobile Safari", "537.36"),
                ],
            ),
            ("Okta SCIM Client 1.0.0 x", &[product("Okta SCIM Client", "1.0.0"), product("x", "")]),
            (
                "A/1(b;c)d [e] +http://f/",
                &[
                    product("A", "1"),
                    Part::Comment("b;c"),
                    product("d", ""),
                    Part::Aside("e"),
                    Part::Address("+http://f/"),
                ],
            ),
            ("A (never closed (twice", &[product("A", ""), Part::Comment("never closed (twice")]),
            ("A) ]/; B", &[product("A) ]", ""), product("B", "")]),
            ("A; bot@b.org", &[product("A", ""), Part::Address("bot@b.org")]),
            ("android@1.0.2 @ b@c", &[product("android@1.0.2 @ b@c", "")]),
            ("/ // (", &[Part::Comment("")]),
            ("Grün/ü (ß", &[product("Grün", "ü"), Part::Comment("ß")]),
        ];
        for (agent, expected) in cases {
            assert_eq!(parts(agent).collect::<Vec<_>>(), expected, "{agent}");
        }
    }

    #[test]
    fn takes_comments_apart() {
        let found: Vec<_> =
            fields("compatible; Bot/1.0; Scale 3.00,iPhone; ; (x) ; a b").map(name_of).collect();
        assert_eq!(found, ["compatible", "Bot", "Scale", "iPhone", "x", "a b"]);
    }

    proptest! {
        /// So reading takes time in proportion to the length.
        #[test]
        fn reads_any_text_once_from_its_beginning_to_its_end(agent in "[ -~]{0,60}|\\PC{0,40}|[()\\[\\]/; a1@.]{0,80}") {
            let begins = agent.as_ptr() as usize;
            let mut read = begins;
            for part in parts(&agent) {
                let texts = match part {
                    Part::Product { name, version } => [name, version],
                    Part::Comment(text) | Part::Aside(text) | Part::Address(text) => [text, ""],
                };
                for text in texts.into_iter().filter(|text| !text.is_empty()) {
                    prop_assert!(text.as_ptr() as usize >= read, "{:?}", part);
                    read = text.as_ptr() as usize + text.len();
                }
            }
            prop_assert!(read <= begins + agent.len());
        }
    }
}
