//! Whether two records are of one person: the odds that each field's agreement gives, added up, as Fellegi
//! and Sunter do ("A Theory for Record Linkage", 1969).

use super::{folded, likeness, name_words, soundex};
use crate::curve::interpolate;
use crate::event::is_nobodys_birth;

/// What somebody says of themself, ready to be compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    name: Vec<String>,
    /// The digits of the date of birth.
    born: Option<String>,
    address: Vec<String>,
}

/// The natural logarithm of the odds that fields so alike are of one person rather than of two, at
/// likenesses from 0.0 to 1.0: set by judgement, before any of FEBRL's data sets was measured.
const ODDS_BY_NAME: [(f64, f64); 5] = [(0.3, -4.0), (0.55, -1.0), (0.7, 1.5), (0.9, 4.0), (1.0, 5.5)];
const ODDS_BY_ADDRESS: [(f64, f64); 5] = [(0.25, -4.0), (0.4, -1.0), (0.55, 2.0), (0.8, 5.0), (1.0, 6.0)];
/// A date of birth that is equal, one slip of the hand away, and another one.
const ODDS_OF_BIRTH: (f64, f64, f64) = (5.0, 3.5, -4.0);
/// Records with higher odds are of one person: twenty to one.
const SAME_PERSON_MIN_ODDS: f64 = 3.0;

/// Words less alike than this have nothing to do with each other.
const WORD_MIN_LIKENESS: f64 = 0.82;
/// What numbers one slip apart are to each other.
const SLIP_LIKENESS: f64 = 0.75;
/// Words of an address that are compared: the work grows with their square.
const ADDRESS_MAX_WORDS: usize = 16;
const NAME_MAX_WORDS: usize = 5;

impl Record {
    /// A date of birth is kept if it has eight digits. `None` where there is no more than a name.
    pub fn new(name: Option<&str>, date_of_birth: Option<&str>, address: Option<&str>) -> Option<Self> {
        let born = date_of_birth.and_then(birth_digits);
        let mut address = address.map(address_words).unwrap_or_default();
        address.truncate(ADDRESS_MAX_WORDS);
        if born.is_none() && address.is_empty() {
            return None;
        }
        let mut name = name.map(name_words).unwrap_or_default();
        name.truncate(NAME_MAX_WORDS);
        Some(Self { name, born, address })
    }

    /// Whether both are one person's, by a name and more.
    pub fn is_same_person(&self, other: &Self) -> bool {
        let both_born = self.born.is_some() && other.born.is_some();
        let both_housed = !self.address.is_empty() && !other.address.is_empty();
        (both_born || both_housed) && self.odds(other) > SAME_PERSON_MIN_ODDS
    }

    /// The natural logarithm of the odds that both are one person's, from what both have.
    fn odds(&self, other: &Self) -> f64 {
        let alike = |one: &[String], other: &[String], odds: &[(f64, f64)]| {
            if one.is_empty() || other.is_empty() {
                return 0.0;
            }
            interpolate(odds, words_likeness(one, other))
        };
        let born = match (&self.born, &other.born) {
            (Some(one), Some(other)) if one == other => ODDS_OF_BIRTH.0,
            (Some(one), Some(other)) if is_slip(one, other) => ODDS_OF_BIRTH.1,
            (Some(_), Some(_)) => ODDS_OF_BIRTH.2,
            _ => 0.0,
        };
        alike(&self.name, &other.name, &ODDS_BY_NAME)
            + born
            + alike(&self.address, &other.address, &ODDS_BY_ADDRESS)
    }

    /// The date of birth, by which others with the same are found.
    pub fn birth_key(&self) -> Option<&str> {
        self.born.as_deref()
    }

    /// By which others at the same address are found: its numbers; its postcode and how one of the owner's
    /// names sounds; its first number and how its first word sounds.
    pub fn home_keys(&self) -> Vec<String> {
        let numbers: Vec<&str> =
            self.address.iter().filter(|word| is_number(word)).map(String::as_str).collect();
        let words: Vec<&String> = self.address.iter().filter(|word| !is_number(word)).collect();
        let mut keys = Vec::new();
        if numbers.len() >= 2 {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            keys.push(format!("n{}", sorted.join("-")));
        }
        if let Some(long) = numbers.iter().rev().find(|number| number.len() >= 4) {
            for word in self.name.first().into_iter().chain(self.name.last()) {
                keys.push(format!("p{long}{}", soundex(word)));
            }
        }
        if let (Some(number), Some(word)) = (numbers.first(), words.first()) {
            keys.push(format!("s{number}{}", soundex(word)));
        }
        keys
    }
}

/// Words and numbers of an address.
fn address_words(address: &str) -> Vec<String> {
    let folded = folded(address);
    let words = folded.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// Eight digits, in whatever order they were written.
fn birth_digits(date: &str) -> Option<String> {
    let digits: String = date.chars().take_while(|char| *char != 'T').filter(char::is_ascii_digit).collect();
    (digits.len() == 8 && !is_nobodys_birth(&digits)).then_some(digits)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// How alike two lists of words are, 0.0 to 1.0, whatever their order: each word is paired with its
/// equal, or else with the one that is most like it.
fn words_likeness(one: &[String], other: &[String]) -> f64 {
    let (few, many) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let mut free = vec![true; many.len()];
    let mut sum = 0.0;
    let mut others = Vec::new();
    for word in few {
        match many.iter().enumerate().position(|(place, other)| free[place] && word == other) {
            Some(place) => {
                free[place] = false;
                sum += 1.0;
            }
            None => others.push(word),
        }
    }
    for word in others {
        let pairs = many.iter().enumerate().filter(|(place, _)| free[*place]);
        let best = pairs.map(|(place, other)| (word_likeness(word, other), place));
        if let Some((best, place)) = best.max_by(|one, other| one.0.total_cmp(&other.0))
            && best >= WORD_MIN_LIKENESS.min(SLIP_LIKENESS)
        {
            free[place] = false;
            sum += best;
        }
    }
    2.0 * sum / (one.len() + other.len()) as f64
}

fn word_likeness(one: &str, other: &str) -> f64 {
    match (is_number(one), is_number(other)) {
        _ if one == other => 1.0,
        (true, true) if is_slip(one, other) => SLIP_LIKENESS,
        (false, false) => {
            let alike = likeness(one, other);
            if alike >= WORD_MIN_LIKENESS { alike } else { 0.0 }
        }
        _ => 0.0,
    }
}

/// Whether two numbers of three digits or more are one wrong, missing or exchanged digit apart.
fn is_slip(one: &str, other: &str) -> bool {
    one.len().min(other.len()) >= 3 && strsim::osa_distance(one, other) == 1
}
