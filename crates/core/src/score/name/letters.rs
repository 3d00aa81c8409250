//! Whether letters follow one another as in names of some language.

/// -16 ln P of each letter after the two before it, of 27 (the edge of a word, and a to z); made by
/// `scripts/detection/names.py` from the names of 56 locales.
static TABLE: &[u8] = include_bytes!("../../../data/names.bin");
const LETTERS: usize = 27;
const _: () = assert!(TABLE.len() == LETTERS * LETTERS * LETTERS);
/// In [`TABLE`], a natural logarithm of 1.
const SCALE: f64 = 16.0;
/// Of the least likely letters so many count once more, for a quarter: one bad turn is worse than many
/// that are a little odd.
const WORST: usize = 3;
const WORST_WEIGHT: f64 = 0.25;
/// Shorter words say too little.
const WORD_MIN_LETTERS: usize = 5;

/// A word this unlikely is hardly a name: of the words of real names that the table has not seen, one in two
/// hundred is more unlikely.
pub const UNLIKELY_MIN: f64 = 5.4;

/// How unlikely a word is, in nats a letter with its worst letters counted more: about 3 for names, 6 for
/// what a hand types at random. `None` for words that are short or not of the letters a to z.
pub fn unlikeliness(word: &str) -> Option<f64> {
    if word.len() < WORD_MIN_LETTERS || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let letters = word.bytes().map(|byte| usize::from(byte - b'a') + 1).chain([0]);
    let (mut before, mut last) = (0, 0);
    let mut costs: Vec<u8> = letters
        .map(|letter| {
            let cost = TABLE[LETTERS * (LETTERS * before + last) + letter];
            (before, last) = (last, letter);
            cost
        })
        .collect();
    let mean =
        |costs: &[u8]| costs.iter().map(|cost| f64::from(*cost)).sum::<f64>() / costs.len() as f64 / SCALE;
    let of_all = mean(&costs);
    costs.sort_unstable_by(|one, other| other.cmp(one));
    Some(of_all + WORST_WEIGHT * mean(&costs[..WORST]))
}

/// How unlikely the letters of a name of any kind are, in half nats a letter, 0 to 12; what is no letter is
/// passed over.
pub fn cost(name: &str) -> u32 {
    let letters = name.bytes().filter(u8::is_ascii_lowercase).map(|byte| usize::from(byte - b'a') + 1);
    let (mut before, mut last, mut total, mut count) = (0, 0, 0_u32, 0_u32);
    for letter in letters.chain([0]) {
        total += u32::from(TABLE[LETTERS * (LETTERS * before + last) + letter]);
        count += 1;
        (before, last) = (last, letter);
    }
    (total / (8 * count)).min(12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_likelier_than_what_a_hand_types() {
        let names = [
            "anderson",
            "krzysztof",
            "nguyen",
            "oluwaseun",
            "bjornsdottir",
            "siobhan",
            "giuseppe",
            "mohammed",
        ];
        for name in names {
            assert!(unlikeliness(name) < Some(UNLIKELY_MIN), "{name}: {:?}", unlikeliness(name));
        }
        for typed in ["sdkfjhgs", "qpwoeiru", "zxmvnbzx", "hjkgdfsa", "lkjpoiuq", "fghjty"] {
            assert!(unlikeliness(typed) > Some(UNLIKELY_MIN), "{typed}: {:?}", unlikeliness(typed));
        }
        assert_eq!((unlikeliness("ngai"), unlikeliness("müller"), unlikeliness("Anna")), (None, None, None));
    }
}
