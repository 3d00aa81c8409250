//! Redaction: values whose key names a secret never reach the store.
//!
//! A key is brought to lower_snake_case and looked at word by word, so that `accessToken`,
//! `ACCESS-TOKEN` and `access_token` are all caught, while `tokens_used`, `secretary`,
//! `passport_country` and `pinned` are not: no rule matches the inside of a word. A key that only
//! tells something about a secret (`token_expires_at`, `has_password`, `card_number_type`) stays.
//! The last word of the enclosing key counts as the word before: `{"card": {"number": …}}`.
//! A URL in a value loses the secrets in it, whatever the key.

use serde_json::{Map, Value};

use crate::words::push_snake;

/// What stands in the place of a redacted value, whatever its type was.
pub const REDACTED: &str = "[REDACTED]";

/// How often a URL in a parameter is encoded at most, as by one redirect within another.
const ENCODED_MAX: usize = 3;

/// Replaces the values of secrets in `map`, at any depth.
pub fn redact(map: &mut Map<String, Value>) {
    redact_map(map, "", &mut String::new());
}

/// `url`, a whole one or a part of one, with what stands in the place of secrets replaced by `mask`: values of query
/// and fragment whose names name a secret, and a password before the host. All else stays as it was written.
pub fn redact_url(url: &str, mask: &str) -> String {
    redact_parts(url, mask, ENCODED_MAX)
}

fn redact_parts(url: &str, mask: &str, encoded_max: usize) -> String {
    let scheme = url.find("://").filter(|end| !url[..*end].contains(['/', '?', '#', ';', '=']));
    let rest = scheme.map_or(0, |end| end + 3);
    let authority = rest + url[rest..].find(['/', '\\', '?', '#']).unwrap_or(url.len() - rest);
    let mut out = url[..rest].to_owned();
    // Without a scheme there is no telling whether something is a host.
    let userinfo = url[rest..authority].rfind('@').filter(|_| rest > 0);
    let credentials = userinfo.and_then(|at| url[rest..rest + at].split_once(':'));
    out += &match (userinfo, credentials) {
        (Some(at), Some((name, _))) => format!("{name}:{mask}{}", &url[rest + at..authority]),
        _ => url[rest..authority].to_owned(),
    };
    let tail = &url[authority..];
    // Servers of Java write the session behind the path.
    let parameters = tail.find(['?', '#', ';']).unwrap_or(tail.len());
    out += &tail[..parameters];
    for part in tail[parameters..].split_inclusive(['?', '#', '&', ';']) {
        let (part, end) = match part.char_indices().next_back() {
            Some((at, '?' | '#' | '&' | ';')) => part.split_at(at),
            _ => (part, ""),
        };
        match part.split_once('=') {
            Some((name, value))
                if !value.is_empty()
                    && (is_secret_parameter(name) || leads_to_secret(value, encoded_max)) =>
            {
                out += name;
                out.push('=');
                out += mask;
            }
            _ => out += part,
        }
        out += end;
    }
    out
}

/// Whether the value of a parameter of a URL is a secret, by its name as it is written there. Where a name stands
/// alone, a few words more say that (RFC 6750 and RFC 6749 write `access_token` and `code`, which may be anybody's),
/// and so does the last of several in signed URLs and of sessions: `X-Amz-Signature`, `X-Goog-Credential`, `jsessionid`.
pub fn is_secret_parameter(name: &str) -> bool {
    let mut key = String::new();
    push_snake(&percent_decoded(name), &mut key);
    let last = key.rsplit('_').next().unwrap_or_default();
    let is_signed = matches!(last, "sig" | "signature" | "hmac" | "credential" | "credentials");
    let is_session = last.ends_with("sessionid") || last.ends_with("sessid") || key.ends_with("session_id");
    names_secret("", &key)
        || is_signed
        || is_session
        || matches!(key.as_str(), "key" | "auth" | "sid" | "session")
}

/// Whether a value is a URL itself, with a secret in it, as of where to go on; encoded `most` times.
fn leads_to_secret(value: &str, most: usize) -> bool {
    let Some(less) = most.checked_sub(1).filter(|_| value.contains('%')) else { return false };
    let decoded = percent_decoded(value);
    match decoded.contains('=') {
        true => redact_parts(&decoded, REDACTED, less) != decoded,
        false => leads_to_secret(&decoded, less),
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `scratch` is reused from key to key: this runs for every key of every event.
fn redact_map(map: &mut Map<String, Value>, parent: &str, scratch: &mut String) {
    for (key, value) in map.iter_mut() {
        scratch.clear();
        push_snake(key, scratch);
        if names_secret(parent, scratch) {
            *value = Value::String(REDACTED.to_owned());
        } else if matches!(value, Value::Object(_) | Value::Array(_)) {
            let last_word = scratch.rsplit('_').next().unwrap_or_default().to_owned();
            redact_inside(value, &last_word, scratch);
        } else if let Value::String(text) = value {
            redact_text(text);
        }
    }
}

fn redact_inside(value: &mut Value, parent: &str, scratch: &mut String) {
    match value {
        Value::Object(map) => redact_map(map, parent, scratch),
        Value::Array(items) => items.iter_mut().for_each(|item| redact_inside(item, parent, scratch)),
        Value::String(text) => redact_text(text),
        _ => {}
    }
}

/// Redacts the words of a text that are URLs, whole ones or paths with what follows them.
fn redact_text(text: &mut String) {
    let has_parameters =
        |word: &str| word.find(['?', '#', ';']).is_some_and(|begin| word[begin..].contains('='));
    let is_url =
        |word: &str| word.starts_with(['/', '?', '#']) || word.contains("://") || has_parameters(word);
    if !text.contains(['=', '@']) || !text.split(char::is_whitespace).any(is_url) {
        return;
    }
    let mut redacted = String::with_capacity(text.len());
    for part in text.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        redacted += &if is_url(word) { redact_url(word, REDACTED) } else { word.to_owned() };
        redacted += &part[word.len()..];
    }
    *text = redacted;
}

/// Whether the value under `key`, in lower_snake_case, inside a key that ends with the word
/// `parent`, is a secret.
fn names_secret(parent: &str, key: &str) -> bool {
    let mut found = matches!(key, "pass" | "pw");
    let mut previous = parent;
    for word in key.split('_') {
        found |= is_secret(word) || is_secret_pair(previous, word);
        previous = word;
    }
    (found || is_secret_at_the_end(previous)) && !is_about(previous) && !key.starts_with("has_")
}

/// Words that name a secret wherever they stand, and the endings of words written together
/// (`newpassword`, `clientsecret`).
fn is_secret(word: &str) -> bool {
    const ENDINGS: [&str; 12] = [
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "passcode",
        "secret",
        "token",
        "apikey",
        "privatekey",
        "secretkey",
        "accesskey",
        "cardnumber",
    ];
    match word {
        "secrets"
        | "pwd"
        | "cvv"
        | "cvv2"
        | "cvc"
        | "cvc2"
        | "cvn"
        | "csc"
        | "ssn"
        | "authorization"
        | "jwt"
        | "otp"
        | "totp"
        | "bearer"
        | "creditcard"
        | "ccnumber"
        | "ccnum"
        | "cardno"
        | "cardnum"
        | "pincode"
        | "securitycode"
        | "socialsecuritynumber"
        | "apikeys"
        | "authheader" => true,
        "passwordless" => false,
        // Shorter than the shortest ending.
        _ if word.len() < 5 => false,
        _ => ENDINGS.iter().any(|ending| word.ends_with(ending)) || word.starts_with("password"),
    }
}

/// Two words that name a secret together.
fn is_secret_pair(first: &str, second: &str) -> bool {
    matches!(
        (first, second),
        ("card" | "cc", "number" | "num" | "no" | "nr")
            | ("credit" | "debit", "card")
            | ("api" | "private" | "secret" | "access" | "signing" | "encryption" | "ssh", "key" | "keys")
            | ("access" | "refresh" | "auth" | "api" | "session" | "csrf" | "bearer", "tokens")
            | ("security" | "verification", "code")
            | ("social", "security")
            | ("auth", "header")
            | ("pass", "word" | "phrase" | "code")
            | ("user" | "db" | "login" | "admin", "pass")
            | ("pin" | "pan", "code" | "number" | "num" | "no" | "hash" | "block")
    )
}

/// Short words with other meanings in the middle of a key (`pin_location`, `cookie_consent`).
fn is_secret_at_the_end(word: &str) -> bool {
    matches!(word, "pin" | "pan" | "cc" | "cookie" | "cookies")
}

/// Last words by which a key tells something about a secret, and not the secret.
fn is_about(word: &str) -> bool {
    matches!(
        word,
        "count"
            | "limit"
            | "length"
            | "type"
            | "at"
            | "expires"
            | "expiry"
            | "expiration"
            | "expired"
            | "changed"
            | "status"
            | "enabled"
            | "required"
            | "strength"
            | "policy"
            | "usage"
            | "verified"
            | "last4"
            | "brand"
            | "provider"
            | "method"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(input: Value, expected: Value) {
        let (Value::Object(mut map), Value::Object(expected)) = (input, expected) else {
            panic!("two objects")
        };
        redact(&mut map);
        assert_eq!(map, expected);
    }

    #[test]
    fn every_spelling_of_a_secret_goes() {
        let keys = [
            "password",
            "PASSWORD",
            "newPassword",
            "user_password",
            "password1",
            "passwordConfirmation",
            "passwords",
            "passwd",
            "Pass-Word",
            "pwd",
            "pass",
            "token",
            "accessToken",
            "ACCESS_TOKEN",
            "x-auth-token",
            "refresh tokens",
            "authtoken",
            "secret",
            "clientSecret",
            "clientsecret",
            "client.secret",
            "cardNumber",
            "card_number",
            "CARD-NUMBER",
            "cardnumber",
            "creditCard",
            "credit_card_number",
            "ccNumber",
            "cc",
            "pan",
            "cvv",
            "CVV2",
            "card_cvc",
            "ssn",
            "user.ssn",
            "social_security_number",
            "Authorization",
            "proxy-authorization",
            "apiKey",
            "API_KEY",
            "x-api-key",
            "apikey",
            "APIKey",
            "privateKey",
            "ssh_private_key",
            "pin",
            "PIN",
            "pinCode",
            "atm_pin",
            "otp",
            "set-cookie",
            "securityCode",
        ];
        for key in keys {
            for value in [json!("hunter2"), json!(1234), json!(["hunter2"]), json!({"value": "hunter2"})] {
                check(json!({ key: value }), json!({ key: REDACTED }));
            }
        }
    }

    #[test]
    fn what_only_sounds_like_a_secret_stays() {
        let keys = [
            "tokens_used",
            "tokens",
            "passport_country",
            "pinned",
            "pin_location",
            "secretary",
            "secretariat",
            "span",
            "panel",
            "pancake",
            "compass",
            "bypass",
            "passenger",
            "pass_count",
            "passed",
            "cookie_consent",
            "card",
            "card_type",
            "card_last4",
            "number",
            "key",
            "keyboard",
            "has_password",
            "token_expires_at",
            "passwordless",
            "password_strength",
            "author",
            "authority",
            "accent",
            "account",
            "ccTLD",
            "discard",
            "shopping",
            "spinner",
            "session",
            "monkey",
            "tokenizer",
        ];
        for key in keys {
            check(json!({ key: "kept" }), json!({ key: "kept" }));
        }
    }

    #[test]
    fn secrets_in_urls_go_and_the_rest_stays_as_it_is_written() {
        for (url, expected) in [
            ("https://h.test/a?token=s3&b=c#d", "https://h.test/a?token=***&b=c#d"),
            ("https://h.test/a?b=c&access_token=s3", "https://h.test/a?b=c&access_token=***"),
            ("https://h.test/#access_token=s3&state=x", "https://h.test/#access_token=***&state=x"),
            ("https://h.test/#/reset?token=s3", "https://h.test/#/reset?token=***"),
            ("/reset?resetToken=s3;page=2", "/reset?resetToken=***;page=2"),
            ("?api%5Fkey=s3&%74oken=s3", "?api%5Fkey=***&%74oken=***"),
            ("https://h.test?key=s3&sig=s3&monkey=1", "https://h.test?key=***&sig=***&monkey=1"),
            (
                "https://h.test/?client%20secret=s3&client+secret=s3",
                "https://h.test/?client%20secret=***&client+secret=***",
            ),
            ("https://anna:s3@h.test/?q=a@b", "https://anna:***@h.test/?q=a@b"),
            ("https://anna@h.test/%zz?q=%zz&token=", "https://anna@h.test/%zz?q=%zz&token="),
            (
                "https://h.test/a?token_type=x&tokens_used=3&token",
                "https://h.test/a?token_type=x&tokens_used=3&token",
            ),
            ("https://h.test/ü?ü=ü&pässword=1&password=ü", "https://h.test/ü?ü=ü&pässword=1&password=***"),
            ("a?token=a=b?c", "a?token=***?c"),
            (
                "https://h.test/o?X-Amz-Signature=s3&X-Amz-Credential=s3&X-Amz-Expires=9&x-goog-signature=s3",
                "https://h.test/o?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Expires=9&x-goog-signature=***",
            ),
            (
                "https://h.test/a;jsessionid=s3?hmac=s3&PHPSESSID=s3&sessionid=s3&residence=x",
                "https://h.test/a;jsessionid=***?hmac=***&PHPSESSID=***&sessionid=***&residence=x",
            ),
            ("/in?next=http%3A%2F%2Fx%2F%3Ftoken%3Ds3&page=%2Fa%3Fb%3D1", "/in?next=***&page=%2Fa%3Fb%3D1"),
            ("/in?next=%252Fa%253Ftoken%253Ds3&token=s3&to=http://x/", "/in?next=***&token=***&to=http://x/"),
            ("", ""),
        ] {
            assert_eq!(redact_url(url, "***"), expected);
        }
    }

    #[test]
    fn what_is_a_url_loses_its_secrets_wherever_it_stands() {
        check(
            json!({
                "referrer": "https://h.test/reset?token=s3&page=2",
                "pages": ["/a?access_token=s3", {"next": "?code=1&secret=s3"}, "#id_token=s3"],
                "database": "postgres://app:s3@db.test/app",
                "note": "see https://h.test/?token=s3 for more",
                "page": "h.test/?token=s3",
                "formula": "token=s3",
                "path": "/a/b",
            }),
            json!({
                "referrer": "https://h.test/reset?token=[REDACTED]&page=2",
                "pages": ["/a?access_token=[REDACTED]", {"next": "?code=1&secret=[REDACTED]"}, "#id_token=[REDACTED]"],
                "database": "postgres://app:[REDACTED]@db.test/app",
                "note": "see https://h.test/?token=[REDACTED] for more",
                "page": "h.test/?token=[REDACTED]",
                "formula": "token=s3",
                "path": "/a/b",
            }),
        );
    }

    #[test]
    fn secrets_go_at_any_depth_and_know_what_they_are_in() {
        check(
            json!({
                "steps": [{"form": {"password": "a", "page": 1}}, [{"token": "b"}]],
                "card": {"number": "4111", "brand": "visa", "cvc": "123"},
                "cards": [{"number": 1}],
                "creditCard": {"number": "4111"},
                "api": {"key": "k", "keys": 2},
            }),
            json!({
                "steps": [{"form": {"password": REDACTED, "page": 1}}, [{"token": REDACTED}]],
                "card": {"number": REDACTED, "brand": "visa", "cvc": REDACTED},
                "cards": [{"number": 1}],
                "creditCard": REDACTED,
                "api": {"key": REDACTED, "keys": REDACTED},
            }),
        );
    }
}
