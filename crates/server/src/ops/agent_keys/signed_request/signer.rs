//! Who has signed a request, by its `Signature-Agent` field.

use dregs_core::event::Request;
use sfv::{BareItem, InnerList, Item, ListEntry, Parser};
use url::Url;

use super::super::signature_base::dictionary;

const FIELD: &str = "signature-agent";

/// Who has signed by the member of `Signature-Agent` that the signature covers: one must be, where there are any. A key that
/// comes with the request confirms nobody.
///
/// The member is the one that is called as the signature is, or the only one that is covered: an agent may cover what
/// another said that signed before it. Older agents send a string instead of members.
#[expect(clippy::option_option, reason = "no signature; one that names nobody")]
pub fn signer(request: &Request, label: &str, input: &InnerList) -> Option<Option<String>> {
    let Some(header) = request.headers.get(FIELD) else { return Some(None) };
    let is_it = |item: &&Item| item.bare_item.as_string().is_some_and(|name| name.as_str() == FIELD);
    let covered: Vec<_> = input.items.iter().filter(is_it).map(|item| item.params.get("key")).collect();
    if covered == [None] {
        return Some(Some(named_by_string(header)?));
    }
    let keys: Vec<_> = covered.iter().filter_map(|key| Some(key.as_ref()?.as_string()?.as_str())).collect();
    let own = match keys.as_slice() {
        [only] => only,
        several => several.iter().find(|key| **key == label)?,
    };
    named_by(dictionary(header)?.get(*own)?).map(Some)
}

/// Who has signed by the `Signature-Agent` header, where nothing more can be read.
pub fn claimed_signer(request: &Request) -> Option<String> {
    let header = request.headers.get(FIELD)?;
    named_by_string(header).or_else(|| dictionary(header)?.values().find_map(named_by))
}

fn named_by_string(header: &str) -> Option<String> {
    origin(Parser::new(header).parse::<Item>().ok()?.bare_item.as_string()?.as_str())
}

/// The origin that a member names. Those whose keys are to be had in another way, such as `type=jwks_uri`, name none, nor
/// does an address that is more than an origin: the protocol's draft wants them ignored.
fn named_by(member: &ListEntry) -> Option<String> {
    let ListEntry::Item(item) = member else { return None };
    let is_directory = item
        .params
        .get("type")
        .is_none_or(|how| matches!(how, BareItem::Token(how) if how.as_str() == "directory"));
    let named = item.bare_item.as_string()?.as_str();
    origin(named).filter(|origin| is_directory && origin == named.strip_suffix('/').unwrap_or(named))
}

/// Scheme, host and port of a URL, such as `https://chatgpt.com`.
pub fn origin(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}
