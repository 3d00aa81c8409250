//! Values that programs and people write where they have none: asked wherever one value would stand for many people, or
//! tie them to each other.

mod details;

pub use details::{is_nobodys_birth, is_nobodys_email, is_nobodys_name, is_nobodys_phone};

/// What languages, libraries, databases and people put in place of a value, in lower case.
const NOTHING: [&str; 56] = [
    "undefined",
    "undef",
    "null",
    "nil",
    "none",
    "nan",
    "(null)",
    "<null>",
    "(none)",
    "<none>",
    "<nil>",
    "<undefined>",
    "<unknown>",
    "<empty>",
    "(unknown)",
    "(empty)",
    "(blank)",
    "(not set)",
    "not set",
    "not available",
    "not specified",
    "not provided",
    "not applicable",
    "no value",
    "nullptr",
    "void",
    "true",
    "false",
    "infinity",
    "-infinity",
    "anonymous",
    "unknown",
    "unspecified",
    "unset",
    "n/a",
    "n.a.",
    "#n/a",
    "#ref!",
    "#value!",
    "#null!",
    "#name?",
    "\\n",
    "invalid date",
    "optional.empty",
    "unbekannt",
    "inconnu",
    "desconocido",
    "desconhecido",
    "sconosciuto",
    "неизвестно",
    "未知",
    "不明",
    "{}",
    "[]",
    ".",
    "..",
];
/// Signs that people put where they have nothing to say, once or several times.
const DASHES: [char; 5] = ['-', '–', '—', '_', '?'];
/// Values that begin so were turned into text by accident, or never filled in: `[object Object]`, `{{user.id}}`,
/// `${userId}`, `#{user.id}`, `<%= id %>`, `%(id)s`.
const BEGINNINGS: [&str; 15] = [
    "[object ",
    "[object%20",
    "{{",
    "%7b%7b",
    "${",
    "%{",
    "#{",
    "<%",
    "<?",
    "{%",
    "%(",
    "function (",
    "function(",
    "() =>",
    "promise {",
];
/// What stands for nobody in particular, written as programs write it. In other letters it is somebody's username, such
/// as `na`.
const NOBODY: [&str; 25] = [
    "NA",
    "guest",
    "Guest",
    "GUEST",
    "Guest User",
    "guest_user",
    "guestUser",
    "AnonymousUser",
    "anonymousUser",
    "Anonymous User",
    "anonymous user",
    "anonymous_user",
    "ANONYMOUS_USER",
    "userId",
    "user_id",
    "USER_ID",
    "userID",
    "user.id",
    "customerId",
    "customer_id",
    "accountId",
    "account_id",
    "YOUR_USER_ID",
    "your_user_id",
    "your-user-id",
];
/// What programs put before an id, which may be none: `user_undefined`, `auth0|null`.
const PREFIXES: [&str; 20] = [
    "account", "acct", "auth0", "client", "cus", "cust", "customer", "id", "member", "person", "player",
    "profile", "session", "sess", "sub", "u", "uid", "user", "usr", "users",
];
/// Longer values are none of these.
const NOTHING_MAX_BYTES: usize = 24;

/// Whether a value stands for none: for an id that would be many people, and for a detail it ties nobody to
/// anybody. Blanks and zeros do as well (`0`, `00000000-0000-0000-0000-000000000000`).
pub fn stands_for_none(value: &str) -> bool {
    let value = unquoted(value.trim());
    let is_of = |allowed: fn(char) -> bool| !value.is_empty() && value.chars().all(allowed);
    let is_zero = value.contains('0')
        && is_of(|char| matches!(char, '0' | '-' | '.' | ':' | ' ' | '(' | ')' | '+' | '/' | '{' | '}'));
    value.is_empty()
        || is_zero
        || is_of(|char| DASHES.contains(&char))
        || is_word_for_nothing(value)
        || is_made_of_nothing(value)
        || is_blank_number(value)
        || is_placeholder(value)
}

/// Whether a value is nobody's id.
pub fn stands_for_nobody(value: &str) -> bool {
    stands_for_none(value) || NOBODY.contains(&value.trim())
}

/// Whether a value ties nobody to anybody, likewise one of which nothing can be seen.
pub fn ties_nobody(value: &str) -> bool {
    let is_invisible = |char: char| {
        char.is_whitespace()
            || char.is_control()
            || matches!(char, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
    };
    stands_for_nobody(value)
        || value.chars().all(is_invisible)
        || stands_for_nobody(value.trim_matches(is_invisible))
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    ['"', '\'', '`'].into_iter().find_map(inside).map_or(value, str::trim)
}

fn is_word_for_nothing(value: &str) -> bool {
    value.len() <= NOTHING_MAX_BYTES && NOTHING.contains(&value.to_lowercase().as_str())
}

/// `undefined undefined`, `null_null`, `user_undefined`, `NaN-NaN-NaN`.
fn is_made_of_nothing(value: &str) -> bool {
    const UNSET: [&str; 6] = ["undefined", "null", "nil", "none", "nan", "[object object]"];
    const SEPARATORS: [char; 9] = [' ', '_', '-', '|', ':', '/', ',', '.', '@'];
    const OBJECT: &str = "[object object]";
    let is_unset = |word: &str| UNSET.iter().any(|unset| unset.eq_ignore_ascii_case(word));
    let ends = value.len().checked_sub(OBJECT.len()).and_then(|begins| value.get(begins..));
    if ends.is_some_and(|end| end.eq_ignore_ascii_case(OBJECT)) {
        return true;
    }
    let spaced = if value.contains("%20") { &*value.replace("%20", " ") } else { value };
    let mut words = spaced.split(SEPARATORS).filter(|word| !word.is_empty());
    let Some(last) = words.next_back().filter(|last| is_unset(last)) else { return false };
    let before = || spaced[..spaced.len() - last.len()].split(SEPARATORS).filter(|word| !word.is_empty());
    let is_prefix = |word: &str| PREFIXES.iter().any(|prefix| prefix.eq_ignore_ascii_case(word));
    before().next().is_some()
        && (before().all(is_unset) || !spaced.contains(['.', '@']) && before().all(is_prefix))
}

/// One digit alone in a UUID, but for its version and variant; or zeros behind `0x`.
fn is_blank_number(value: &str) -> bool {
    const DIGITS: usize = 32;
    let inner = value.trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    let zeros = inner.strip_prefix("0x").or_else(|| inner.strip_prefix("0X"));
    if zeros.is_some_and(|zeros| !zeros.is_empty() && zeros.chars().all(|char| char == '0')) {
        return true;
    }
    let digits = || inner.bytes().filter(|byte| *byte != b'-');
    let Some(first) = digits().next().filter(u8::is_ascii_hexdigit) else { return false };
    let is_blank =
        |(place, digit): (usize, u8)| matches!(place, 12 | 16) || digit.eq_ignore_ascii_case(&first);
    digits().count() == DIGITS
        && digits().all(|digit| digit.is_ascii_hexdigit())
        && digits().enumerate().all(is_blank)
}

/// The place of a value in a template, a query or a route: `{userId}`, `:id`, `<user_id>`, `%USER_ID%`, `%s`, `$uid`.
fn is_placeholder(value: &str) -> bool {
    let begins = |beginning: &&str| {
        value.get(..beginning.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(beginning))
    };
    if BEGINNINGS.iter().any(begins) || matches!(value, "%s" | "%d" | "%v" | "%i") {
        return true;
    }
    let is_identifier = |name: &str| {
        name.starts_with(char::is_alphabetic)
            && name.chars().all(|char| char.is_alphabetic() || matches!(char, '_' | '.' | '-' | ' '))
    };
    // No UUID in braces, nor an address between angles.
    let between = [("{", "}"), ("<", ">"), ("[", "]"), ("%", "%"), ("__", "__")];
    let is_named = between.iter().any(|(begin, end)| {
        value.strip_prefix(begin).and_then(|value| value.strip_suffix(end)).is_some_and(is_identifier)
    });
    let is_index = value
        .strip_prefix('{')
        .and_then(|value| value.strip_suffix('}'))
        .is_some_and(|inner| inner.len() == 1 && inner.chars().all(|char| char.is_ascii_digit()));
    let names_an_id = |name: &str| {
        let lower = name.to_lowercase();
        is_identifier(name)
            && (lower.ends_with("id") || matches!(lower.as_str(), "user" | "email" | "username" | "name"))
    };
    let begun = [":", "$", "@@"].iter().find_map(|begin| value.strip_prefix(begin));
    is_named || is_index || begun.is_some_and(names_an_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_stands_for_none() {
        let none = [
            "",
            "  ",
            "undefined",
            "UNDEFINED",
            " null ",
            "None",
            "NaN",
            "nil",
            "[object Object]",
            "[object Undefined]",
            "[object%20Object]",
            "true",
            "False",
            "anonymous",
            "0",
            "000",
            "0.0",
            "0x0",
            "0x0000000000000000000000000000000000000000",
            "00000000-0000-0000-0000-000000000000",
            "{00000000-0000-0000-0000-000000000000}",
            "00000000-0000-4000-8000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "ffffffffffffffffffffffffffffffff",
            "11111111-1111-1111-1111-111111111111",
            "(null)",
            "{{user.id}}",
            "${userId}",
            "${user.id}",
            "{userId}",
            "{user.id}",
            "{0}",
            ":id",
            ":userId",
            "$user_id",
            "#{user.id}",
            "<%= id %>",
            "<user_id>",
            "<your id>",
            "[user_id]",
            "%USER_ID%",
            "__USER_ID__",
            "%s",
            ".",
            "..",
            "-",
            "--",
            "—",
            "_",
            "?",
            "N/A",
            "n.a.",
            "\\N",
            "#N/A",
            "(not set)",
            "Not available",
            "Invalid Date",
            "undefined undefined",
            "undefined%20undefined",
            "null_null",
            "None None",
            "NaN-NaN-NaN",
            "undefined@undefined",
            "user_undefined",
            "user-null",
            "auth0|undefined",
            "customer:None",
            "user_[object Object]",
            "\"null\"",
            "'undefined'",
            "\"\"",
            "''",
            "unbekannt",
            "未知",
            "\u{a0}",
        ];
        for value in none {
            assert!(stands_for_none(value) && stands_for_nobody(value) && ties_nobody(value), "{value:?}");
        }
        let some = [
            "user_1",
            "7",
            "10",
            "-1",
            "0x1",
            "nullable",
            "trueman",
            "anonymous-7",
            "ada@example.com",
            "...",
            "...a",
            "~",
            "\\",
            "None.7",
            "a.b",
            "unknown-soldier",
            "dev-null",
            "null.pointer",
            "mr_none",
            "[object]x",
            "ä",
            "00000000-0000-0000-0000-000000000001",
            "01111111-1111-1111-1111-111111111111",
            "{550e8400-e29b-41d4-a716-446655440000}",
            "<ada@example.com>",
            "[1]",
            ":ada",
            "$ada",
            "na",
            "Na",
            "nan.li",
            "guest-7",
            "guest_ada",
            "user",
            "id",
            "noname",
            "u_1",
            "🦀",
        ];
        for value in some {
            assert!(!stands_for_none(value) && !stands_for_nobody(value) && !ties_nobody(value), "{value:?}");
        }
        // Of a group, a session or an event, these may be something; a region is called NA.
        for value in ["NA", "guest", "Guest", "AnonymousUser", "userId", "user_id", "USER_ID"] {
            assert!(!stands_for_none(value) && stands_for_nobody(value) && ties_nobody(value), "{value}");
        }
        // An id of which nothing can be seen is one all the same; it is shown by its numbers.
        for value in ["\u{200b}", "\u{feff}", "\u{2060}\u{200d}", "\u{2800}"] {
            assert!(!stands_for_nobody(value) && ties_nobody(value), "{value:?}");
        }
        assert!(ties_nobody("\u{feff}null") && ties_nobody("undefined\u{200b}"));
    }
}
