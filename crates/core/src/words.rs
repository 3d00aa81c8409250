//! Names as their writers spell them, `emailAddress`, `E-Mail Address` or `email_address`,
//! brought to one spelling.

/// Appends `name` to `out` in lower_snake_case: words are separated by whatever is neither letter
/// nor digit and where the case turns (`parentCompany`, `HTTPServer`); digits stay with the word
/// before them.
pub fn push_snake(name: &str, out: &mut String) {
    let start = out.len();
    let mut previous = Class::Separator;
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        let class = Class::of(char);
        if class != Class::Separator {
            let begins = match previous {
                Class::Separator => true,
                Class::Upper => {
                    class == Class::Upper && chars.peek().is_some_and(|next| Class::of(*next) == Class::Lower)
                }
                Class::Lower | Class::Digit => class == Class::Upper,
            };
            if begins && out.len() > start {
                out.push('_');
            }
            push_lower(char, out);
        }
        previous = class;
    }
}

/// `name` in lower_snake_case; empty when it has neither letters nor digits.
pub fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    push_snake(name, &mut out);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Separator,
}

impl Class {
    fn of(char: char) -> Self {
        match char {
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            '0'..='9' => Self::Digit,
            _ if char.is_ascii() => Self::Separator,
            _ if char.is_uppercase() => Self::Upper,
            _ if char.is_alphabetic() => Self::Lower,
            _ if char.is_numeric() => Self::Digit,
            _ => Self::Separator,
        }
    }
}

fn push_lower(char: char, out: &mut String) {
    if char.is_ascii() {
        out.push(char.to_ascii_lowercase());
    } else {
        out.extend(char.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brings_every_style_to_lower_snake_case() {
        let cases = [
            ("parent_company", "parent_company"),
            ("ParentCompany", "parent_company"),
            ("parent-company", "parent_company"),
            (" Parent  Company! ", "parent_company"),
            ("PARENT_COMPANY", "parent_company"),
            ("HTTPServer", "http_server"),
            ("userID", "user_id"),
            ("card2Number", "card2_number"),
            ("line2", "line2"),
            ("größeÄndern", "größe_ändern"),
            ("会社", "会社"),
            ("--", ""),
            ("", ""),
        ];
        for (name, expected) in cases {
            assert_eq!(snake(name), expected, "{name}");
        }
    }
}
