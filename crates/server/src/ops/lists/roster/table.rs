//! The columns of a list, and finding a page in them.

use std::cmp::Ordering;
use std::collections::HashSet;

use dregs_core::score::Scores;
use memchr::memmem::Finder;

use crate::ops::lists::spelling::{self, folded};
use crate::store::rosters::{Entry, TEXTS, TIMES};

/// Stands for a score that is not there.
const NO_SCORE: u8 = u8::MAX;
/// Stands for a time that is not there.
const NO_TIME: i64 = i64::MIN;
/// Fewer are not worth dropping any; tests drop sooner.
const KEPT_MIN: usize = if cfg!(test) { 4 } else { 1_024 };
/// Ends each text of an entry in the arena; none contains it.
const END: u8 = 0;

/// What a list is sorted by. Numbers are those of an entry's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Time(usize),
    Score(usize),
    Text(usize),
}

/// What to look for; `None` means anything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In any spelling: a part of one of the texts; or several words, in any order, each of which begins a word of the
    /// texts. Where nothing is left of it to look for, nothing matches.
    pub term: Option<String>,
    /// Row ids, in order, that match `term` by something that is not in the list.
    pub known: Vec<i64>,
    /// One of the texts, in any case: which, and what it is.
    pub text: Option<(usize, String)>,
    /// Row ids.
    pub among: Option<Vec<i64>>,
    /// Row ids of groups, of which an identity is in one at least.
    pub groups: Option<HashSet<i64>>,
    /// From and to, both included; what has no score is left out.
    pub scores: [Option<(u8, u8)>; 4],
    pub disregarded: Option<bool>,
    /// A column of time, from, and to but not included; what has no time is left out.
    pub time: Option<(usize, i64, i64)>,
}

/// Which part of what is found.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    pub sort: Sort,
    pub ascending: bool,
    pub offset: usize,
    pub limit: usize,
}

/// The column that says since when an identity is known.
const FIRST_SEEN: usize = 4;

/// The list, column by column, in the order of row ids.
#[derive(Default)]
pub struct Table {
    ids: Vec<i64>,
    times: [Vec<i64>; TIMES],
    scores: Vec<[u8; 4]>,
    disregarded: Vec<bool>,
    /// Where the texts of an entry stand: from, to.
    spans: Vec<(u32, u32)>,
    /// Folded, one after the other; where that is more than lower case, all of them in lower case after them, those that
    /// are the same left out. A text that changes is written anew at the end.
    arena: Vec<u8>,
    /// Where the groups of an entry stand: from, to.
    group_spans: Vec<(u32, u32)>,
    /// Row ids of groups, one entry's after the other's.
    groups: Vec<i64>,
    /// Bytes of the arena and of the groups that nothing points to any more.
    stale: usize,
}

impl Table {
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Bytes of memory.
    pub fn size(&self) -> usize {
        let row = size_of::<i64>() * (1 + TIMES) + 4 + 1 + 2 * size_of::<(u32, u32)>();
        self.ids.capacity() * row + self.arena.capacity() + self.groups.capacity() * size_of::<i64>()
    }

    /// Puts an entry in, or in the place of the one before. `false` when there is no room left.
    #[must_use]
    pub fn put(&mut self, entry: &Entry) -> bool {
        let place = match self.ids.last() {
            Some(last) if entry.id > *last => Err(self.ids.len()),
            None => Err(0),
            _ => self.ids.binary_search(&entry.id),
        };
        let Some(span) = self.write_texts(entry, place.ok()) else { return false };
        let Some(groups) = self.write_groups(entry, place.ok()) else { return false };
        let scores = entry.scores.map(|score| score.unwrap_or(NO_SCORE));
        match place {
            Ok(at) => {
                for (column, time) in self.times.iter_mut().zip(entry.times) {
                    column[at] = time.unwrap_or(NO_TIME);
                }
                (self.scores[at], self.disregarded[at]) = (scores, entry.disregarded);
                (self.spans[at], self.group_spans[at]) = (span, groups);
            }
            Err(at) => {
                self.ids.insert(at, entry.id);
                for (column, time) in self.times.iter_mut().zip(entry.times) {
                    column.insert(at, time.unwrap_or(NO_TIME));
                }
                self.scores.insert(at, scores);
                self.disregarded.insert(at, entry.disregarded);
                self.spans.insert(at, span);
                self.group_spans.insert(at, groups);
            }
        }
        true
    }

    fn write_texts(&mut self, entry: &Entry, place: Option<usize>) -> Option<(u32, u32)> {
        let mut texts = Vec::with_capacity(64);
        let own = entry.texts.each_ref().map(|text| text.as_deref().unwrap_or_default());
        let spelled = own.map(|text| {
            (folded(text), if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() })
        });
        let lower = spelled.iter().map(|(folded, lower)| if folded == lower { "" } else { lower.as_str() });
        let lower: Vec<_> = if lower.clone().all(str::is_empty) { Vec::new() } else { lower.collect() };
        for text in spelled.iter().map(|(folded, _)| folded.as_str()).chain(lower) {
            texts.extend(text.bytes().filter(|byte| *byte != END));
            texts.push(END);
        }
        if let Some(at) = place {
            if self.texts(at) == texts {
                return Some(self.spans[at]);
            }
            self.stale += self.texts(at).len();
        }
        let from = u32::try_from(self.arena.len()).ok()?;
        let to = u32::try_from(self.arena.len() + texts.len()).ok()?;
        self.arena.extend(texts);
        Some((from, to))
    }

    fn write_groups(&mut self, entry: &Entry, place: Option<usize>) -> Option<(u32, u32)> {
        if let Some(at) = place {
            if self.groups(at) == entry.groups {
                return Some(self.group_spans[at]);
            }
            self.stale += size_of_val(self.groups(at));
        }
        let from = u32::try_from(self.groups.len()).ok()?;
        self.groups.extend(&entry.groups);
        Some((from, u32::try_from(self.groups.len()).ok()?))
    }

    pub fn remove(&mut self, id: i64) {
        let Ok(at) = self.ids.binary_search(&id) else { return };
        self.stale += self.texts(at).len() + size_of_val(self.groups(at));
        self.group_spans.remove(at);
        self.ids.remove(at);
        self.times.iter_mut().for_each(|column| _ = column.remove(at));
        self.scores.remove(at);
        self.disregarded.remove(at);
        self.spans.remove(at);
    }

    /// Whether more of what is written is stale than not, so that it should be built again.
    pub fn is_worn(&self) -> bool {
        let written = self.arena.len() + size_of_val(self.groups.as_slice());
        self.stale > written / 2 && self.stale > 1024 * 1024
    }

    /// How many match, and the row ids of a slice of them.
    pub fn find(&self, filter: &Filter, slice: Slice) -> (usize, Vec<i64>) {
        let found = self.matching(filter);
        let total = found.len();
        let slice = match slice.sort {
            Sort::Time(column) => {
                let key = |at: u32| self.times[column][at as usize];
                page(found, slice, |at| (key(at) != NO_TIME).then(|| key(at)), |_, _| Ordering::Equal)
            }
            Sort::Score(column) => {
                let key = |at: u32| self.scores[at as usize][column];
                page(found, slice, |at| (key(at) != NO_SCORE).then(|| key(at)), |_, _| Ordering::Equal)
            }
            Sort::Text(column) => {
                let text = |at: u32| self.lower(at as usize, column);
                page(found, slice, |at| first_bytes(text(at)), |one, other| text(one).cmp(text(other)))
            }
        };
        (total, slice.into_iter().map(|at| self.ids[at as usize]).collect())
    }

    /// How many of those that match have a score in each of `bins` equal parts of 0 to 100.
    pub fn distribution(&self, filter: &Filter, bins: usize) -> [Vec<u64>; 4] {
        let mut counts = [const { Vec::new() }; 4].map(|_: Vec<u64>| vec![0; bins]);
        for at in self.matching(filter) {
            for (counts, score) in counts.iter_mut().zip(self.scores[at as usize]) {
                if score != NO_SCORE {
                    counts[(usize::from(score) * bins / 100).min(bins - 1)] += 1;
                }
            }
        }
        counts
    }

    /// Everybody who counts, in the order of row ids: the row id, the scores, and when they were first seen,
    /// in milliseconds.
    pub fn counted(&self) -> impl DoubleEndedIterator<Item = (i64, Scores, i64)> {
        self.all().filter(|(_, is_disregarded)| !is_disregarded).map(|(one, _)| one)
    }

    /// Everybody, as [`Self::counted`], and whether they are disregarded.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = ((i64, Scores, i64), bool)> {
        (0..self.ids.len()).map(|at| {
            let [humanity, authenticity, uniqueness, behavior] =
                self.scores[at].map(|score| Some(score).filter(|score| *score != NO_SCORE));
            let scores = Scores { humanity, authenticity, uniqueness, behavior };
            ((self.ids[at], scores, self.times[FIRST_SEEN][at]), self.disregarded[at])
        })
    }

    /// The row ids of all that match.
    pub fn select(&self, filter: &Filter) -> HashSet<i64> {
        self.matching(filter).into_iter().map(|at| self.ids[at as usize]).collect()
    }

    /// How many there are with a time in each of `count` spans of `step_ms` from `from` on. A column of times.
    pub fn by_span(&self, column: usize, from: i64, step_ms: i64, count: usize) -> Vec<i64> {
        let mut counts = vec![0; count];
        for time in self.times[column].iter().filter(|time| **time >= from) {
            let span = usize::try_from((time - from) / step_ms).unwrap_or(usize::MAX);
            if let Some(counted) = counts.get_mut(span) {
                *counted += 1;
            }
        }
        counts
    }

    /// How many match.
    pub fn count(&self, filter: &Filter) -> usize {
        self.matching(filter).len()
    }

    /// The places of those that match, in the order of row ids.
    fn matching(&self, filter: &Filter) -> Vec<u32> {
        let sought = filter.term.as_deref().map(Sought::new);
        let is_known = |at: usize| filter.known.binary_search(&self.ids[at]).is_ok();
        let text = filter.text.as_ref().map(|(column, text)| (*column, text.to_lowercase()));
        let matches = |at: &u32| {
            let at = *at as usize;
            let in_range = |(range, score): (&Option<(u8, u8)>, u8)| {
                range.is_none_or(|(from, to)| score != NO_SCORE && (from..=to).contains(&score))
            };
            filter.scores.iter().zip(self.scores[at]).all(in_range)
                && filter.disregarded.is_none_or(|wanted| wanted == self.disregarded[at])
                && filter.time.is_none_or(|(column, from, to)| {
                    let time = self.times[column][at];
                    time != NO_TIME && (from..to).contains(&time)
                })
                && text.as_ref().is_none_or(|(column, text)| self.lower(at, *column) == text.as_bytes())
                && filter
                    .groups
                    .as_ref()
                    .is_none_or(|groups| self.groups(at).iter().any(|group| groups.contains(group)))
                && (sought.as_ref().is_none_or(|sought| sought.is_in(self.texts(at))) || is_known(at))
        };
        match &filter.among {
            Some(ids) => {
                let mut places: Vec<_> = ids
                    .iter()
                    .filter_map(|id| u32::try_from(self.ids.binary_search(id).ok()?).ok())
                    .collect();
                places.sort_unstable();
                places.dedup();
                places.retain(matches);
                places
            }
            None => (0..u32::try_from(self.ids.len()).unwrap_or(u32::MAX)).filter(matches).collect(),
        }
    }

    fn texts(&self, at: usize) -> &[u8] {
        let (from, to) = self.spans[at];
        &self.arena[from as usize..to as usize]
    }

    fn groups(&self, at: usize) -> &[i64] {
        let (from, to) = self.group_spans[at];
        &self.groups[from as usize..to as usize]
    }

    /// A text, folded.
    fn text(&self, at: usize, column: usize) -> &[u8] {
        self.texts(at).split(|byte| *byte == END).nth(column).unwrap_or_default()
    }

    /// A text in lower case.
    fn lower(&self, at: usize, column: usize) -> &[u8] {
        let lower = self.text(at, TEXTS + column);
        if lower.is_empty() { self.text(at, column) } else { lower }
    }
}

/// What is looked for in texts that are folded: what was typed, in each way in which it may be read.
struct Sought(Vec<Reading>);

struct Reading {
    /// All of it, in each spelling.
    whole: Vec<Finder<'static>>,
    /// Where there are several: each word, in each spelling, and whether it may stand within a word.
    words: Vec<Vec<(Finder<'static>, bool)>>,
}

impl Sought {
    fn new(term: &str) -> Self {
        Self(spelling::readings(term).iter().filter_map(|reading| Reading::new(reading)).collect())
    }

    fn is_in(&self, texts: &[u8]) -> bool {
        self.0.iter().any(|reading| reading.is_in(texts))
    }
}

impl Reading {
    /// `None` where nothing is left to look for.
    fn new(reading: &str) -> Option<Self> {
        let whole = folded(reading);
        let finder = |text: &String| Finder::new(text).into_owned();
        let words: Vec<_> = spelling::words(reading);
        let words = if words.len() > 1 { words } else { Vec::new() };
        let word = |spellings: &Vec<String>| {
            let is_anywhere = |text: &String| text.starts_with(spelling::is_unspaced);
            spellings.iter().map(|text| (finder(text), is_anywhere(text))).collect()
        };
        let spellings = if whole.is_empty() { return None } else { spelling::spellings(&whole) };
        Some(Self { whole: spellings.iter().map(finder).collect(), words: words.iter().map(word).collect() })
    }

    fn is_in(&self, texts: &[u8]) -> bool {
        let begins_a_word = |at: usize| match at.checked_sub(1).map(|before| texts[before]) {
            // A byte of a longer character is most often of a letter.
            Some(before) => before.is_ascii() && !before.is_ascii_alphanumeric(),
            None => true,
        };
        let stands = |(word, is_anywhere): &(Finder, bool)| {
            word.find_iter(texts).any(|at| *is_anywhere || begins_a_word(at))
        };
        let has = |word: &Vec<_>| word.iter().any(stands);
        self.whole.iter().any(|whole| whole.find(texts).is_some())
            || !self.words.is_empty() && self.words.iter().all(has)
    }
}

/// The first bytes of a text as a number that sorts as they do: nearly all comparisons end there,
/// without a look at the text. `None` for no text.
fn first_bytes(text: &[u8]) -> Option<u128> {
    let mut bytes = [0; 16];
    let length = text.len().min(bytes.len());
    bytes[..length].copy_from_slice(&text[..length]);
    (length > 0).then(|| u128::from_be_bytes(bytes))
}

/// The slice of `found` in order: by key, then by `further`, then by place. Those without key come
/// last either way.
fn page<K: Ord + Copy>(
    found: Vec<u32>,
    slice: Slice,
    key: impl Fn(u32) -> Option<K>,
    further: impl Fn(u32, u32) -> Ordering,
) -> Vec<u32> {
    let compare = |(one_key, one): &(Option<K>, u32), (other_key, other): &(Option<K>, u32)| {
        let last = one_key.is_none().cmp(&other_key.is_none());
        let by_key = one_key.cmp(other_key).then_with(|| further(*one, *other)).then(one.cmp(other));
        last.then(if slice.ascending { by_key } else { by_key.reverse() })
    };
    let (from, to) = (slice.offset, slice.offset.saturating_add(slice.limit).min(found.len()));
    if from >= to {
        return Vec::new();
    }
    // What comes after the page is dropped early: at most this many are kept at a time.
    let kept_max = (2 * to).max(KEPT_MIN);
    let mut kept: Vec<(Option<K>, u32)> = Vec::with_capacity(kept_max.min(found.len()));
    let mut end = None;
    for one in found.into_iter().map(|at| (key(at), at)) {
        if end.as_ref().is_some_and(|end| compare(&one, end).is_gt()) {
            continue;
        }
        kept.push(one);
        if kept.len() == kept_max {
            end = Some(*kept.select_nth_unstable_by(to - 1, compare).1);
            kept.truncate(to);
        }
    }
    if to < kept.len() {
        kept.select_nth_unstable_by(to - 1, compare);
        kept.truncate(to);
    }
    if from > 0 {
        kept.select_nth_unstable_by(from, compare);
    }
    let page = &mut kept[from..];
    page.sort_unstable_by(compare);
    page.iter().map(|(_, at)| *at).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> impl Strategy<Value = Entry> {
        let text = prop::option::of("[a-cA-C]{0,3}");
        let score = prop::option::of(0..=100_u8);
        let parts =
            (1..40_i64, prop::array::uniform5(prop::option::of(-5..5_i64)), prop::array::uniform4(score));
        let groups = prop::collection::btree_set(1..6_i64, 0..3);
        (parts, any::<bool>(), prop::array::uniform4(text), groups).prop_map(
            |((id, times, scores), disregarded, texts, groups)| {
                let groups = groups.into_iter().collect();
                Entry { id, times, scores, disregarded, texts, groups }
            },
        )
    }

    fn sort() -> impl Strategy<Value = Sort> {
        prop_oneof![
            (0..TIMES).prop_map(Sort::Time),
            (0..4_usize).prop_map(Sort::Score),
            (0..4_usize).prop_map(Sort::Text)
        ]
    }

    fn filter() -> impl Strategy<Value = Filter> {
        (
            (prop::option::of("[a-cA-C]{1,2}( [a-c]{1,2})?"), prop::collection::btree_set(1..45_i64, 0..3)),
            prop::option::of((0..4_usize, "[a-c]{1,2}")),
            prop::option::of(prop::collection::vec(0..45_i64, 0..30)),
            prop::array::uniform4(prop::option::weighted(0.2, (0..=50_u8, 40..=100_u8))),
            prop::option::of(any::<bool>()),
            prop::option::weighted(0.3, (0..4_usize, -5..0_i64, 0..5_i64)),
            prop::option::weighted(0.3, prop::collection::hash_set(1..6_i64, 0..3)),
        )
            .prop_map(|((term, known), text, among, scores, disregarded, time, groups)| Filter {
                term,
                known: known.into_iter().collect(),
                text,
                among,
                groups,
                scores,
                disregarded,
                time,
            })
    }

    fn lower(text: &Option<String>) -> String {
        text.as_deref().unwrap_or_default().to_lowercase()
    }

    fn is_found(entry: &Entry, filter: &Filter) -> bool {
        let texts: Vec<_> = entry.texts.iter().map(lower).collect();
        let within = |(range, score): (&Option<(u8, u8)>, &Option<u8>)| match (range, score) {
            (None, _) => true,
            (Some((from, to)), Some(score)) => from <= score && score <= to,
            (Some(_), None) => false,
        };
        let is_said = |term: &String| {
            let term = term.to_lowercase();
            let begins = |word: &str| texts.iter().any(|text| text.starts_with(word));
            texts.iter().any(|text| text.contains(&term)) || term.contains(' ') && term.split(' ').all(begins)
        };
        (filter.term.as_ref().is_none_or(is_said) || filter.known.contains(&entry.id))
            && filter.text.as_ref().is_none_or(|(column, text)| texts[*column] == text.to_lowercase())
            && filter.among.as_ref().is_none_or(|ids| ids.contains(&entry.id))
            && filter.scores.iter().zip(&entry.scores).all(within)
            && filter.disregarded.is_none_or(|wanted| entry.disregarded == wanted)
            && filter.groups.as_ref().is_none_or(|groups| entry.groups.iter().any(|id| groups.contains(id)))
            && filter.time.is_none_or(|(column, from, to)| {
                entry.times[column].is_some_and(|time| from <= time && time < to)
            })
    }

    /// The plain way to the same answer.
    fn brute(entries: &[Entry], filter: &Filter, slice: Slice) -> (usize, Vec<i64>) {
        let mut found: Vec<_> = entries.iter().filter(|entry| is_found(entry, filter)).collect();
        let key = |entry: &Entry| match slice.sort {
            Sort::Time(column) => entry.times[column].map(|time| (time, String::new())),
            Sort::Score(column) => entry.scores[column].map(|score| (score.into(), String::new())),
            Sort::Text(column) => Some((0, lower(&entry.texts[column]))).filter(|(_, text)| !text.is_empty()),
        };
        found.sort_by(|one, other| {
            let (one, other) = ((key(one), one.id), (key(other), other.id));
            let order = if slice.ascending { one.cmp(&other) } else { other.cmp(&one) };
            one.0.is_none().cmp(&other.0.is_none()).then(order)
        });
        (found.len(), found.iter().skip(slice.offset).take(slice.limit).map(|entry| entry.id).collect())
    }

    /// A type of groups is a type, and not what is looked for.
    #[test]
    fn a_text_that_is_named_is_that_text_and_no_other_spelling() {
        let mut table = Table::default();
        for (id, text) in (1..).zip(["Größe", "GRÖSSE", "groesse", "grosse", "größe"]) {
            let texts = [None, Some("Zoë".to_owned()), Some(text.to_owned()), None];
            let (times, scores, groups) = Default::default();
            assert!(table.put(&Entry { id, times, scores, disregarded: false, texts, groups }));
        }
        let named = |text: &str| {
            let filter = Filter { text: Some((2, text.to_owned())), ..Filter::default() };
            let mut ids: Vec<_> = table.select(&filter).into_iter().collect();
            ids.sort_unstable();
            ids
        };
        assert_eq!((named("größe"), named("Grosse"), named("grösse")), (vec![1, 5], vec![4], vec![2]));
        let found = |term: &str| table.count(&Filter { term: Some(term.to_owned()), ..Filter::default() });
        assert_eq!((found("grosse"), found("zoe"), found("zoe groesse"), found("\u{0}")), (4, 5, 1, 0));
    }

    proptest! {
        #[test]
        fn a_page_is_what_the_plain_way_gives(
            entries in prop::collection::vec(entry(), 0..60),
            removed in prop::collection::vec(1..40_i64, 0..8),
            (filter, sort, ascending) in (filter(), sort(), any::<bool>()),
            (offset, limit) in (0..50_usize, 1..20_usize),
        ) {
            let (mut table, mut kept) = (Table::default(), std::collections::BTreeMap::new());
            for entry in entries {
                prop_assert!(table.put(&entry));
                kept.insert(entry.id, entry);
            }
            for id in removed {
                table.remove(id);
                kept.remove(&id);
            }
            let kept: Vec<_> = kept.into_values().collect();
            let slice = Slice { sort, ascending, offset, limit };
            prop_assert_eq!(table.find(&filter, slice), brute(&kept, &filter, slice));
            prop_assert_eq!((table.len(), table.count(&filter)), (kept.len(), brute(&kept, &filter, slice).0));
        }
    }
}
