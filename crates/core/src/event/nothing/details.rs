//! Details that programs, forms and examples have in place of a person's: many have them, and they tie nobody.

use super::{is_word_for_nothing, ties_nobody};

/// Whether a phone number, by its digits, is one that people type in place of their own: one digit, or one after the other.
pub fn is_nobodys_phone(digits: &str) -> bool {
    const ALIKE: usize = 7;
    const COUNTED: usize = 9;
    let last = |count: usize| digits.len().checked_sub(count).and_then(|begins| digits.get(begins..));
    let goes_by = |digits: &str, step: u8| {
        digits.as_bytes().windows(2).all(|pair| (pair[1] + 10 - pair[0]) % 10 == step)
    };
    last(ALIKE).is_some_and(|last| goes_by(last, 0))
        || last(COUNTED).is_some_and(|last| goes_by(last, 1) || goes_by(last, 9))
}

/// Whether a name is one that a program, a form or an example has in place of a person's.
pub fn is_nobodys_name(name: &str) -> bool {
    const WORDS: [&str; 40] = [
        "abc",
        "ad",
        "anonymous",
        "apellido",
        "apellidos",
        "asdf",
        "cognome",
        "customer",
        "first",
        "firstname",
        "fname",
        "foo",
        "full",
        "given",
        "guest",
        "imie",
        "imię",
        "last",
        "lastname",
        "lname",
        "n/a",
        "na",
        "nachname",
        "name",
        "nazwisko",
        "nom",
        "nombre",
        "nome",
        "prenom",
        "prénom",
        "qwerty",
        "sobrenome",
        "soyad",
        "surname",
        "test",
        "tester",
        "user",
        "vorname",
        "xxx",
        "your",
    ];
    const NAMES: [&str; 6] =
        ["erika mustermann", "foo bar", "jane doe", "john doe", "max mustermann", "mickey mouse"];
    let lower = name.trim().to_lowercase();
    let words = || lower.split([' ', ',', '.', '-', '_']).filter(|word| !word.is_empty());
    let is_nothing = |word: &str| WORDS.contains(&word) || is_word_for_nothing(word);
    ties_nobody(name)
        || NAMES.contains(&words().collect::<Vec<_>>().join(" ").as_str())
        || words().all(is_nothing)
}

/// Whether an e-mail address is typed by many in place of their own, and no mailbox of anybody's.
pub fn is_nobodys_email(email: &str) -> bool {
    const MAILBOXES: [&str; 10] = [
        "example",
        "na",
        "no",
        "no-email",
        "no.email",
        "no_email",
        "noemail",
        "nomail",
        "nope",
        "notprovided",
    ];
    const TYPED: [&str; 14] = [
        "a", "aa", "aaa", "abc", "asdf", "email", "example", "foo", "mail", "name", "qwerty", "test", "user",
        "x",
    ];
    let lower = email.trim().to_lowercase();
    let Some((mailbox, domain)) = lower.rsplit_once('@') else { return ties_nobody(email) };
    let label = domain.split('.').next().unwrap_or_default();
    ties_nobody(mailbox)
        || is_word_for_nothing(label)
        || MAILBOXES.contains(&mailbox)
        || TYPED.contains(&mailbox) && (label == mailbox || TYPED.contains(&label))
}

/// Whether a date of birth, by its digits, is that of nobody in particular: where a calendar or a clock begins.
pub fn is_nobodys_birth(digits: &str) -> bool {
    const DATES: [&str; 8] =
        ["00010101", "01010001", "01011900", "01011970", "11111111", "19000101", "19700101", "99991231"];
    digits.chars().all(|digit| digit == '0') || DATES.contains(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_details_that_many_give_in_place_of_their_own() {
        for digits in [
            "0000000000",
            "10000000000",
            "1111111111",
            "15555555555",
            "49123456789",
            "1234567890",
            "9876543210",
        ] {
            assert!(is_nobodys_phone(digits), "{digits}");
        }
        for digits in ["49301234567", "493012345670", "4915123456780", "12125551234", "33612121212", "110"] {
            assert!(!is_nobodys_phone(digits), "{digits}");
        }
        let nobodys = [
            "undefined undefined",
            "null null",
            "First Last",
            "Firstname Lastname",
            "Test User",
            "Your Name",
            "John Doe",
            "N/A",
            "Vorname Nachname",
            "none none",
            "User",
            "Guest",
            "-",
            "\u{200b}",
            "First Name Last Name",
        ];
        for name in nobodys {
            assert!(is_nobodys_name(name), "{name:?}");
        }
        for name in [
            "Anna Keller",
            "Christopher Null",
            "Na Li",
            "Jon Tester",
            "Ada Guest",
            "Max Void",
            "Foo Swee Chin",
            "王小明",
        ] {
            assert!(!is_nobodys_name(name), "{name}");
        }
        for email in [
            "null@null.com",
            "undefined@undefined",
            "none@firm.de",
            "noemail@gmail.com",
            "test@test.com",
            "a@a.com",
            "n/a@x.de",
            "test@example.com",
        ] {
            assert!(is_nobodys_email(email), "{email}");
        }
        for email in [
            "anna@anna.de",
            "test@gmail.com",
            "na.li@gmail.com",
            "info@firm-a.de",
            "x@firm-a.de",
            "user@firm.de",
        ] {
            assert!(!is_nobodys_email(email), "{email}");
        }
        assert!(
            is_nobodys_birth("19700101") && is_nobodys_birth("00000000") && !is_nobodys_birth("19900101")
        );
    }
}
