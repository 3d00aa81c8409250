//! Where names and user agents come from.

use std::path::Path;

use dregs_core::place::{Country, Place};
use serde_json::Value;

use super::capital;
use crate::figures::Error;
use crate::packages::read;

/// Words and agents of which people are made.
pub struct Sources {
    firsts: Vec<Word>,
    lasts: Vec<Word>,
    pub agents: Vec<String>,
}

/// One name.
#[derive(Clone)]
struct Word {
    /// A locale, or a country and a gender, within which first and last names go together.
    of: String,
    /// As its owner writes it.
    shown: String,
    /// In small Latin letters, as in an e-mail address.
    latin: String,
}

/// Somebody's name.
#[derive(Clone, Debug)]
pub struct Name {
    /// In small Latin letters.
    pub first: String,
    pub last: String,
    pub full: String,
    /// First and last, each in Latin letters and as at home; and whether it is written as at home.
    pub forms: [[String; 2]; 2],
    pub is_native: bool,
    /// Where it is at home, as far as that is known.
    pub home: Option<&'static Home>,
}

impl Name {
    /// With the last name of somebody else, written as they write it.
    pub fn with_last(self, other: &Self) -> Self {
        let forms = [self.forms[0].clone(), other.forms[1].clone()];
        let (last, is_native, home) = (other.last.clone(), other.is_native, other.home);
        Self { full: written(&forms, is_native, home), last, forms, is_native, home, ..self }
    }
}

/// A whole name.
fn written(forms: &[[String; 2]; 2], is_native: bool, home: Option<&Home>) -> String {
    let [first, last] = forms.each_ref().map(|forms| &forms[usize::from(is_native)]);
    match home.filter(|_| is_native).map(|home| home.code) {
        Some("CN" | "KR") => format!("{last}{first}"),
        Some("JP") => format!("{last} {first}"),
        _ => format!("{first} {last}"),
    }
}

/// A country: where one of its large cities is, how far its clocks are ahead in hours, and the mail services
/// of its own.
#[derive(Debug)]
pub struct Home {
    code: &'static str,
    /// In hundredths of a degree.
    pub position: (i16, i16),
    pub hours_ahead: i64,
    pub providers: &'static [&'static str],
}

impl Home {
    pub fn country(&self) -> Option<Country> {
        Country::parse(self.code)
    }

    pub const fn code(&self) -> &'static str {
        self.code
    }

    pub fn place(&self, asn: u32, (north, east): (i16, i16)) -> Place {
        let (lat, lon) = self.position;
        Place { country: self.country(), asn: Some(asn), position: Some((lat + north, lon + east)) }
    }
}

const fn home(
    code: &'static str,
    position: (i16, i16),
    hours_ahead: i64,
    providers: &'static [&'static str],
) -> Home {
    Home { code, position, hours_ahead, providers }
}

pub const HOMES: [Home; 25] = [
    home("AE", (2_520, 5_527), 4, &["hotmail.com", "yahoo.com"]),
    home("AL", (4_133, 1_982), 1, &["live.com", "yahoo.com"]),
    home("BG", (4_270, 2_332), 2, &["abv.bg", "mail.bg"]),
    home("BR", (-2_355, -4_663), -3, &["uol.com.br", "bol.com.br", "terra.com.br"]),
    home("CN", (3_123, 12_147), 8, &["qq.com", "163.com", "126.com"]),
    home("CZ", (5_009, 1_442), 1, &["seznam.cz", "centrum.cz"]),
    home("DE", (5_252, 1_340), 1, &["gmx.de", "web.de", "t-online.de"]),
    home("ES", (4_042, -370), 1, &["hotmail.es", "yahoo.es"]),
    home("FR", (4_886, 235), 1, &["orange.fr", "free.fr", "laposte.net"]),
    home("GB", (5_151, -13), 0, &["btinternet.com", "yahoo.co.uk"]),
    home("GR", (3_798, 2_373), 2, &["otenet.gr", "yahoo.gr"]),
    home("ID", (-621, 10_685), 7, &["yahoo.co.id", "ymail.com"]),
    home("IN", (1_908, 7_288), 5, &["rediffmail.com", "yahoo.co.in"]),
    home("IR", (3_569, 5_139), 3, &["yahoo.com", "chmail.ir"]),
    home("IT", (4_190, 1_250), 1, &["libero.it", "virgilio.it"]),
    home("JP", (3_569, 13_969), 9, &["docomo.ne.jp", "ezweb.ne.jp", "yahoo.co.jp"]),
    home("KR", (3_757, 12_698), 9, &["naver.com", "hanmail.net", "daum.net"]),
    home("MX", (1_943, -9_913), -6, &["hotmail.com", "prodigy.net.mx"]),
    home("NG", (652, 338), 1, &["yahoo.com", "ymail.com"]),
    home("PL", (5_223, 2_101), 1, &["wp.pl", "o2.pl", "onet.pl"]),
    home("RU", (5_576, 3_762), 3, &["mail.ru", "yandex.ru", "rambler.ru"]),
    home("TR", (4_101, 2_898), 3, &["hotmail.com", "mynet.com"]),
    home("UA", (5_045, 3_052), 2, &["ukr.net", "i.ua", "meta.ua"]),
    home("US", (4_071, -7_401), -5, &["aol.com", "comcast.net", "ymail.com"]),
    home("VN", (1_082, 10_663), 7, &["yahoo.com.vn", "yahoo.com"]),
];

/// Devices that developer tools pretend to be, in the hands of programs most often, with versions of browsers
/// that never came out.
const PRETENDED: [&str; 4] =
    ["Nexus 5 Build/MRA58N", "SM-G900P Build/LRX21T", "Pixel 2 Build/OPD3", "iPhone OS 11_0 like Mac OS X"];

/// Some of the names in two dozen countries that Faker (PyPI, MIT) has, and some browsers, for tests, which
/// have no packages.
#[cfg(test)]
const COMMITTED_PEOPLE: &str = include_str!("../../../../data/people.tsv");
#[cfg(test)]
const COMMITTED_AGENTS: &str = include_str!("../../../../data/browsers.txt");

impl Sources {
    /// Words of which the table of letters was not made: one list for first and last names.
    pub fn unseen(packages: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(packages.join("names-unseen.tsv"))?;
        let words = text.lines().filter_map(|line| line.split_once('\t'));
        let words = words.filter(|(_, word)| word.is_ascii() && word.len() > 2);
        let words: Vec<_> = words
            .map(|(of, word)| Word { of: of.to_owned(), shown: capital(word), latin: word.to_owned() })
            .collect();
        Ok(Self { firsts: words.clone(), lasts: words, agents: browsers(packages)? })
    }

    /// First and last names of two dozen countries, as they are written there.
    pub fn of_countries(packages: &Path) -> Result<Self, Error> {
        let path = packages.join("people.tsv");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}: run scripts/detection/people.py", path.display()))?;
        let mut agents = browsers(packages)?;
        agents.retain(|agent| !PRETENDED.iter().any(|device| agent.contains(device)));
        Ok(Self::of_lines(&text, agents))
    }

    /// Likewise, a few of each.
    #[cfg(test)]
    pub fn committed() -> Self {
        Self::of_lines(COMMITTED_PEOPLE, COMMITTED_AGENTS.lines().map(str::to_owned).collect())
    }

    fn of_lines(text: &str, agents: Vec<String>) -> Self {
        let (mut firsts, mut lasts) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let [kind, of, shown, latin] = fields[..] else { continue };
            let word = Word { of: of.to_owned(), shown: shown.to_owned(), latin: latin.to_owned() };
            if kind == "first" { &mut firsts } else { &mut lasts }.push(word);
        }
        Self { firsts, lasts, agents }
    }

    /// A first and a last name that go together.
    pub fn name(&self, rng: &mut fastrand::Rng) -> Name {
        let first = &self.firsts[rng.usize(..self.firsts.len())];
        let from = self.lasts.partition_point(|last| last.of < first.of);
        let to = self.lasts.partition_point(|last| last.of <= first.of);
        let last = &self.lasts[rng.usize(from..to)];
        let code = first.of.split_once(' ').map(|(code, _)| code);
        let is_native = !(first.shown.chars().all(is_latin) || rng.bool());
        let home = code.and_then(|code| HOMES.iter().find(|home| home.code == code));
        let forms = [first, last].map(|word| {
            let is_latin = word.shown.chars().all(is_latin);
            [if is_latin { word.shown.clone() } else { capital(&word.latin) }, word.shown.clone()]
        });
        let full = written(&forms, is_native, home);
        Name { first: first.latin.clone(), last: last.latin.clone(), full, forms, is_native, home }
    }
}

/// Letters up to Latin Extended Additional, which Vietnamese is written with, and what stands between them.
fn is_latin(char: char) -> bool {
    char < '\u{250}' || ('\u{1e00}'..='\u{1eff}').contains(&char) || char == '’'
}

fn browsers(packages: &Path) -> Result<Vec<String>, Error> {
    let profiles: Vec<Value> =
        serde_json::from_str(&read(packages, "user-agents", "dist/user-agents.json")?)?;
    Ok(profiles.iter().filter_map(|profile| Some(profile["userAgent"].as_str()?.to_owned())).collect())
}
