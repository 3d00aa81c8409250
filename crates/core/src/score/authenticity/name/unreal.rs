//! Words that are given in place of a name.

/// Sure ones, in lower case: hardly anybody goes by one of these alone.
const PLACEHOLDERS: [&str; 14] = [
    "abc", "asd", "asdf", "asdfasdf", "nobody", "noname", "qwerty", "qwertz", "test", "testing", "user",
    "username", "xxx", "xyz",
];
/// Likewise of several words.
const PLACEHOLDER_NAMES: [&str; 10] = [
    "donald duck",
    "erika mustermann",
    "fake name",
    "first last",
    "first name last name",
    "firstname lastname",
    "foo bar",
    "max mustermann",
    "mickey mouse",
    "no name",
];
/// Words that somebody is called as well: Jon Tester, Bar Refaeli, Foo Swee Chin, Caterina Fake.
const BORNE_PLACEHOLDERS: [&str; 7] = ["admin", "bar", "fake", "foo", "me", "name", "tester"];
/// Likewise names: Doe is a family name in Ghana and Liberia.
const BORNE_PLACEHOLDER_NAMES: [&str; 2] = ["jane doe", "john doe"];
/// What programs and people write where there is no name; some are names as well (Gary Null, Na Li).
const MISSING: [&str; 7] = ["anonymous", "n/a", "na", "none", "null", "undefined", "unknown"];

/// Insults and obscenities that are nobody's name; those that are common names (Dick, Cock, Fuchs) are left
/// out.
const PROFANITY: [&str; 8] =
    ["arschloch", "asshole", "cunt", "fucking", "hurensohn", "mierda", "motherfucker", "pendejo"];
/// Those that somebody bears: Shit in Bengal, Cazzo in Italy, Whore in Maharashtra.
const BORNE_PROFANITY: [&str; 12] = [
    "bastard", "bitch", "cazzo", "connard", "fuck", "fucker", "merde", "puta", "putain", "shit", "whore",
    "wichser",
];
/// With no other word than these, they are no name.
const INSULTING: [&str; 21] = [
    "a", "ass", "bull", "che", "de", "eat", "face", "fuck", "fucker", "head", "holy", "my", "of", "off",
    "piece", "this", "u", "un", "what", "ya", "you",
];

/// What stands in place of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreal {
    Placeholder,
    BornePlaceholder,
    Missing,
    Profanity,
    BorneProfanity,
}

/// What a name in lower case, and its words, are instead of one.
pub fn find(name: &str, words: &[&str]) -> Option<Unreal> {
    let spoken = words.join(" ");
    let is = |list: &[&str]| list.contains(&name.trim()) || list.contains(&&*spoken);
    let any = |list: &[&str]| words.iter().any(|word| list.contains(word));
    let is_all = |lists: &[&[&str]]| words.iter().all(|word| lists.iter().any(|list| list.contains(word)));
    // Fuck alone is no name, and beside such words neither are the others.
    let is_insult = || {
        let counts = |word: &&&str| INSULTING.contains(*word);
        any(&BORNE_PROFANITY)
            && is_all(&[&INSULTING, &BORNE_PROFANITY])
            && (words.len() > 1 || words.iter().any(|word| counts(&word)))
    };
    if any(&PLACEHOLDERS) && is_all(&[&PLACEHOLDERS, &BORNE_PLACEHOLDERS, &MISSING]) || is(&PLACEHOLDER_NAMES)
    {
        Some(Unreal::Placeholder)
    } else if is(&BORNE_PLACEHOLDERS) || is(&BORNE_PLACEHOLDER_NAMES) {
        Some(Unreal::BornePlaceholder)
    } else if is(&MISSING) {
        Some(Unreal::Missing)
    } else if any(&PROFANITY) || is_insult() {
        Some(Unreal::Profanity)
    } else {
        any(&BORNE_PROFANITY).then_some(Unreal::BorneProfanity)
    }
}
