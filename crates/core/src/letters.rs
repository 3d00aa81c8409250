//! Whether letters follow one another as in names, or as in what a hand types at random.

/// -16 ln P of each letter after the two before it, of 27 (the edge of a word, and a to z): in names of a
/// million people from all over the world, then in what a simulated hand types. Made by
/// `scripts/detection/names.py`.
static TABLES: &[u8] = include_bytes!("../data/names.bin");
const LETTERS: usize = 27;
const TABLE_BYTES: usize = LETTERS * LETTERS * LETTERS;
const _: () = assert!(TABLES.len() == 2 * TABLE_BYTES);
/// In [`TABLES`], a natural logarithm of 1.
const SCALE: f64 = 16.0;
/// What typing explains counts for a little less than what names do: not everything is typed as the
/// simulated hand does.
const TYPED_SHARE: f64 = 0.8;
/// Shorter words say too little.
const WORD_MIN_LETTERS: usize = 5;

/// Of real names that the tables have not seen, 2 in 10,000 are above this.
pub const MADE_UP_MIN: f64 = 1.67;

/// By how much a word is rather typed at random than a name, in nats a letter: about -1 for names, 2 for
/// what a hand types. `None` for words that are short or not of the letters a to z.
pub fn typedness(word: &str) -> Option<f64> {
    if word.len() < WORD_MIN_LETTERS || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let (mut name, mut typed) = (0_u32, 0_u32);
    for place in places(word) {
        name += u32::from(TABLES[place]);
        typed += u32::from(TABLES[TABLE_BYTES + place]);
    }
    let letters = word.len() as f64 + 1.0;
    Some((f64::from(name) - TYPED_SHARE * f64::from(typed)) / letters / SCALE)
}

/// How unlikely the letters of a name of any kind are, in half nats a letter, 0 to 12; what is no letter is
/// passed over.
pub fn cost(name: &str) -> u32 {
    let (mut total, mut count) = (0, 0);
    for place in places(name) {
        total += u32::from(TABLES[place]);
        count += 1;
    }
    (total / (8 * count)).min(12)
}

/// Where each letter after the two before it stands in a table, and the end of the word.
fn places(word: &str) -> impl Iterator<Item = usize> {
    let letters = word.bytes().filter(u8::is_ascii_lowercase).map(|byte| usize::from(byte - b'a') + 1);
    letters.chain([0]).scan((0, 0), |(before, last), letter| {
        let place = LETTERS * (LETTERS * *before + *last) + letter;
        (*before, *last) = (*last, letter);
        Some(place)
    })
}

/// Whether a mailbox name looks generated: letters and digits in turn, many consonants in a row,
/// or hardly a vowel. Names that are hard to speak (`jrschmidt`, `krzysztof`) stay below.
pub fn is_random(mailbox: &str) -> bool {
    const LETTERS_MIN: usize = 8;
    const CONSONANTS_IN_A_ROW: usize = 7;
    const TURNS_MIN: usize = 4;
    const VOWELS_MIN_SHARE: f64 = 0.1;
    if !mailbox.is_ascii() {
        return false;
    }
    let is_vowel = |char: char| "aeiouy".contains(char);
    let (mut letters, mut vowels, mut row, mut longest_row, mut turns) = (0, 0, 0, 0, 0);
    let mut previous = ' ';
    for char in mailbox.chars() {
        let is_turn = char.is_ascii_digit() && previous.is_ascii_alphabetic()
            || char.is_ascii_alphabetic() && previous.is_ascii_digit();
        turns += usize::from(is_turn);
        row = if char.is_ascii_alphabetic() && !is_vowel(char) { row + 1 } else { 0 };
        longest_row = longest_row.max(row);
        letters += usize::from(char.is_ascii_alphabetic());
        vowels += usize::from(is_vowel(char));
        previous = char;
    }
    let is_voiceless = letters >= LETTERS_MIN && (vowels as f64) < letters as f64 * VOWELS_MIN_SHARE;
    turns >= TURNS_MIN || longest_row >= CONSONANTS_IN_A_ROW || is_voiceless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_what_a_hand_types() {
        let names = [
            "anderson",
            "krzysztof",
            "nguyen",
            "oluwaseun",
            "bjornsdottir",
            "siobhan",
            "giuseppe",
            "xiaoxin",
            "zhongxiang",
            "dmytro",
            "mkrtchyan",
            "shevchenko",
            "xhevdet",
            "hyeokjun",
            "ngoc",
            "tshepo",
            "mohammed",
        ];
        for name in names {
            assert!(typedness(name) < Some(MADE_UP_MIN), "{name}: {:?}", typedness(name));
        }
        for typed in ["sdkfjhgs", "qpwoeiru", "zxmvnbzx", "hjkgdfsa", "lkjpoiuq", "fghjty", "xkqzvbt"] {
            assert!(typedness(typed) > Some(MADE_UP_MIN), "{typed}: {:?}", typedness(typed));
        }
        assert_eq!((typedness("ngai"), typedness("müller"), typedness("Anna")), (None, None, None));
    }
}
