//! Reading the request behind an event. What is in it was chosen by whoever made it: nothing in it may have the event
//! refused, or a visitor could keep events from being sent.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Reader;
use crate::event::request::{HEADER_MAX_BYTES, HEADERS};

/// The longest method of a request; the longest that is registered has 17 letters.
const METHOD_MAX_BYTES: usize = 32;

impl Reader<'_> {
    pub(super) fn method(&mut self, value: Value) -> Option<String> {
        let method = match value {
            Value::String(text) if text.len() <= METHOD_MAX_BYTES && !text.is_empty() => Some(text),
            _ => None,
        };
        if method.is_none() {
            self.ignored_fields.push("method".to_owned());
        }
        method
    }

    /// Those of [`HEADERS`], whatever the case of their names. One that came several times may be an array.
    pub(super) fn headers(&mut self, value: Value) -> BTreeMap<&'static str, String> {
        let mut headers = BTreeMap::new();
        for (key, value) in self.object("", value).unwrap_or_default() {
            let known = HEADERS.into_iter().find(|name| name.eq_ignore_ascii_case(&key));
            let text = joined(value).filter(|text| text.len() <= HEADER_MAX_BYTES);
            match known.zip(text) {
                Some((name, text)) => _ = headers.insert(name, text),
                None => self.ignored_fields.push(key),
            }
        }
        headers
    }
}

/// The value of a header; several are one, separated by commas (RFC 9110, section 5.3).
fn joined(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(|value| value.as_str().map(str::trim)).collect();
            Some(texts?.join(", "))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::event::{Accepted, Limits, Origin, Request, read};
    use crate::time::Timestamp;

    const UNTIL_NOW: Timestamp = Timestamp::from_millis(1_795_426_200_000);

    fn read_as(origin: &Origin, more: &serde_json::Value) -> Accepted {
        let mut body = json!({"type": "order.paid", "id": "e", "identity": {"id": "ada"}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let read = read(body.to_string().as_bytes(), origin, UNTIL_NOW, Limits::default(), &mut String::new);
        read.unwrap()
    }

    fn read_more(more: &serde_json::Value) -> Accepted {
        read_as(&Origin::UNSEEN_BACKEND, more)
    }

    #[test]
    fn the_request_behind_an_event_is_read_and_not_kept() {
        let accepted = read_more(&json!({
            "url": "https://shop.example/buy?token=hidden", "method": "POST",
            "headers": {
                "Signature": "s", "signature-input": ["a ", "b"], "SIGNATURE-AGENT": "\"x\"", "Host": "shop.example",
                "Cookie": "c", "x-odd": 7,
            },
        }));
        let headers = [
            ("signature", "s"),
            ("signature-input", "a, b"),
            ("signature-agent", "\"x\""),
            ("host", "shop.example"),
        ];
        let expected = Request {
            method: Some("POST".to_owned()),
            url: Some("https://shop.example/buy?token=hidden".to_owned()),
            headers: headers.map(|(name, value)| (name, value.to_owned())).into(),
        };
        assert_eq!(accepted.request, Some(expected));
        assert_eq!(accepted.ignored_fields, ["headers.Cookie", "headers.x-odd"]);
        let kept = read_more(&json!({"url": "https://shop.example/buy?token=hidden"}));
        assert_eq!((accepted.event, kept.request), (kept.event, None));
    }

    #[test]
    fn nothing_that_a_visitor_sends_refuses_the_event() {
        let long = "a".repeat(2_049);
        let accepted = read_more(&json!({
            "method": "M".repeat(33),
            "headers": {"signature": long, "signature-input": [1], "signature-agent": null, "host": {}},
        }));
        let expected = [
            "method",
            "headers.signature",
            "headers.signature-input",
            "headers.signature-agent",
            "headers.host",
        ];
        assert_eq!((accepted.request, accepted.ignored_fields), (None, expected.map(str::to_owned).to_vec()));
        let absent = read_more(&json!({"method": null, "headers": null}));
        assert_eq!((absent.request, absent.ignored_fields), (None, Vec::new()));
    }

    #[test]
    fn a_page_may_not_tell_of_requests() {
        let browser = Origin::Browser { ip: None, user_agent: None };
        let accepted = read_as(
            &browser,
            &json!({"method": "POST", "headers": {"signature": "s", "signature-input": "i"}}),
        );
        assert_eq!(
            (accepted.request, accepted.ignored_fields),
            (None, vec!["method".into(), "headers".into()])
        );
    }
}
