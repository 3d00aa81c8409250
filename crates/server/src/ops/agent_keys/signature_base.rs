//! What structured fields say of a signature, and what was signed (RFC 9421, section 2).

use std::collections::HashSet;

use dregs_core::time::Timestamp;
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, Item, ListEntry, Parser};

/// How far the clocks of two servers may be apart.
pub const SKEW_MAX_SECONDS: i64 = 60;

pub fn dictionary(header: &str) -> Option<Dictionary> {
    Parser::new(header).parse().ok()
}

pub fn text<'a>(input: &'a InnerList, parameter: &str) -> Option<&'a str> {
    Some(input.params.get(parameter)?.as_string()?.as_str())
}

pub fn seconds(input: &InnerList, parameter: &str) -> Option<i64> {
    Some(input.params.get(parameter)?.as_integer()?.into())
}

/// The bytes of the signature with this label.
pub fn bytes<'a>(signatures: &'a Dictionary, label: &str) -> Option<&'a [u8]> {
    match signatures.get(label)? {
        ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. }) => Some(bytes),
        _ => None,
    }
}

/// The signatures that are for this, by their labels.
pub fn tagged<'a>(inputs: &'a Dictionary, tag: &str) -> impl Iterator<Item = (&'a str, &'a InnerList)> {
    inputs.iter().filter_map(move |(label, entry)| match entry {
        ListEntry::InnerList(input) if text(input, "tag") == Some(tag) => Some((label.as_str(), input)),
        _ => None,
    })
}

/// Whether a time lies between two, in seconds, with room for clocks.
pub fn is_between(created: i64, at: Timestamp, expires: i64) -> bool {
    let at = at.as_millis().div_euclid(1_000);
    created <= at + SKEW_MAX_SECONDS && at - SKEW_MAX_SECONDS < expires
}

/// What is signed (RFC 9421, section 2.5): a line for each component that is covered, and one for the parameters. `None`
/// where the value of one is not at hand, or one comes twice.
pub fn signature_base(input: &InnerList, value: impl Fn(&Item) -> Option<String>) -> Option<String> {
    let mut base = String::new();
    let mut seen = HashSet::new();
    for item in &input.items {
        let (name, value) = (item.serialize(), value(item)?);
        // A line of its own would be another component.
        let is_line = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !is_line || !seen.insert(name.clone()) {
            return None;
        }
        base.push_str(&format!("{name}: {value}\n"));
    }
    Some(format!("{base}\"@signature-params\": {}", serialized(input)?))
}

/// A list within a field, as a field has it.
pub fn serialized(list: &InnerList) -> Option<String> {
    vec![ListEntry::InnerList(list.clone())].serialize()
}

/// Whether a signature covers a component: by its name, such as `"@authority";req`.
pub fn is_covered(input: &InnerList, component: &str) -> bool {
    input.items.iter().any(|item| item.serialize() == component)
}
