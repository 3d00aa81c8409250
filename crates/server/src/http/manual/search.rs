//! Searching the manual.

use std::collections::BTreeSet;

use super::render::{Lower, Page, Section};

/// Found sections that are shown: whoever sees none of these asks for something else.
const FOUND_MAX: usize = 30;
/// Words that are looked for.
const WORDS_MAX: usize = 10;
/// Letters of a section's text that are shown before what was found, and in all.
const BEFORE_CHARS: usize = 60;
const EXCERPT_CHARS: usize = 220;

/// A section in which every word of a search occurs.
pub struct Found<'a> {
    pub page: &'a Page,
    pub section: &'a Section,
    /// A part of its text, and whether that is what was looked for.
    pub excerpt: Vec<(String, bool)>,
}

/// The sections that have every word of `term`, in any case: those first that have them in their headings, then those
/// that have them most often.
pub fn search<'a>(pages: &'a [Page], term: &str) -> Vec<Found<'a>> {
    let words: BTreeSet<_> = term.split_whitespace().take(WORDS_MAX).map(str::to_lowercase).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let sections = pages.iter().flat_map(|page| page.sections.iter().map(move |section| (page, section)));
    let mut found: Vec<_> = sections
        .filter_map(|(page, section)| {
            let Lower { title, text } = &section.lower;
            let has = |word: &String| title.contains(word.as_str()) || text.contains(word.as_str());
            if !words.iter().all(has) {
                return None;
            }
            let in_title = words.iter().filter(|word| title.contains(word.as_str())).count();
            let count: usize = words.iter().map(|word| text.matches(word.as_str()).count()).sum();
            Some(((in_title, count), (page, section)))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| other.cmp(one));
    found.truncate(FOUND_MAX);
    let found = found.into_iter().map(|(_, found)| found);
    found.map(|(page, section)| Found { page, section, excerpt: excerpt(&section.text, &words) }).collect()
}

/// A part of `text` around the first of the words, cut into what is one of them and what is not.
fn excerpt(text: &str, words: &BTreeSet<String>) -> Vec<(String, bool)> {
    let letters: Vec<char> = text.chars().collect();
    let lower: Vec<char> = letters.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let word_at = |at: usize| {
        let lengths =
            words.iter().filter(|word| starts_with(&lower[at..], word)).map(|word| word.chars().count());
        lengths.max()
    };
    let first = (0..lower.len()).find(|at| word_at(*at).is_some()).unwrap_or(0);
    let is_space = |at: &usize| letters.get(*at).is_none_or(|c| c.is_whitespace());
    let begin = (first.saturating_sub(BEFORE_CHARS)..first).find(is_space).filter(|_| first > BEFORE_CHARS);
    let begin = begin.map_or(first.saturating_sub(BEFORE_CHARS), |space| space + 1);
    let end = letters.len().min(begin + EXCERPT_CHARS);
    let end = (first + 1..=end).rev().find(is_space).unwrap_or(end);
    let mut parts = vec![(if begin > 0 { "…".to_owned() } else { String::new() }, false)];
    let mut at = begin;
    while at < end {
        match word_at(at) {
            Some(length) => {
                parts.push((letters[at..at + length].iter().collect(), true));
                parts.push((String::new(), false));
                at += length;
            }
            None => {
                if let Some((text, _)) = parts.last_mut() {
                    text.push(letters[at]);
                }
                at += 1;
            }
        }
    }
    if end < letters.len() {
        parts.push(("…".to_owned(), false));
    }
    parts.retain(|(text, _)| !text.is_empty());
    parts
}

fn starts_with(letters: &[char], word: &str) -> bool {
    let mut letters = letters.iter();
    word.chars().all(|c| letters.next() == Some(&c))
}

#[cfg(test)]
mod tests {
    use super::super::chapters::Chapter;
    use super::*;

    fn pages() -> Vec<Page> {
        Chapter::pages().map(Page::read).collect()
    }

    #[test]
    fn headings_come_first_and_every_word_must_occur() {
        let pages = pages();
        let found = search(&pages, "Dismissing");
        assert_eq!(
            (found[0].page.chapter.name, found[0].section.title.as_str()),
            ("BADGES", "Dismissing one")
        );
        for found in search(&pages, "hmac sha256") {
            let all = format!("{} {}", found.section.title, found.section.text).to_lowercase();
            assert!(all.contains("hmac") && all.contains("sha256"), "{all}");
        }
        assert!(search(&pages, "webhook zzzz").is_empty() && search(&pages, " ").is_empty());
        assert_eq!(search(&pages, "e").len(), FOUND_MAX);
    }

    #[test]
    fn an_excerpt_shows_what_was_found() {
        let words = ["straße".to_owned(), "öl".to_owned()].into();
        let text = format!("{} ÖL in der Straße {}", "x".repeat(80), "y".repeat(300));
        let parts = excerpt(&text, &words);
        let marked: Vec<_> =
            parts.iter().filter(|(_, is_found)| *is_found).map(|(text, _)| text.as_str()).collect();
        assert_eq!(marked, ["ÖL", "Straße"]);
        let shown: String = parts.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(shown, "…ÖL in der Straße…", "words are whole");
        assert_eq!(
            excerpt("İ", &["i".to_owned()].into()).len(),
            1,
            "a letter that becomes two in lower case"
        );
    }
}
