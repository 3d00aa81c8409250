//! A signed request as RFC 9421 sees it: its components, and whether its signature is right.

mod signer;

use dregs_core::event::Request;
use dregs_core::time::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sfv::{FieldType as _, InnerList, Item, ListEntry};
use url::form_urlencoded;

use super::key::{Algorithm, PublicKey};
use super::signature_base::{
    bytes, dictionary, is_between, is_covered, seconds, serialized, signature_base, tagged, text,
};
use signer::signer;
pub use signer::{claimed_signer, origin};

/// What a signature is for, by which it is found among others.
const TAG: &str = "web-bot-auth";
/// Signatures of a request that are read: an agent's, and of those who have passed it on.
const SIGNATURES_MAX: usize = 4;
/// The longest a signature may hold: the architecture's draft recommends no more.
const HOLDS_MAX_SECONDS: i64 = 24 * 60 * 60;

/// What is encoded of a query's parameter: the set of `application/x-www-form-urlencoded`.
const QUERY_ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// A signature by which an agent names itself.
#[derive(Debug)]
pub struct Signature {
    /// The origin that has the keys, if the request names one.
    pub signer: Option<String>,
    pub key_id: String,
    /// The components that are covered, as one text.
    pub covers: String,
    /// The authority for which it was read.
    pub authority: String,
    /// By which it was made, if it says so.
    algorithm: Option<Algorithm>,
    created: i64,
    expires: i64,
    /// What was signed.
    base: String,
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The signature of a request to `authority` with this label. `None` where it covers what is not at hand.
    fn read(
        request: &Request,
        authority: &str,
        (label, input): (&str, &InnerList),
        bytes: &[u8],
    ) -> Option<Self> {
        // One that says how it was made, in a way that is not known, says nothing.
        let algorithm = match text(input, "alg") {
            Some(name) => Some(Algorithm::called(name)?),
            None => None,
        };
        let covers: Vec<_> = input.items.iter().map(Item::serialize).collect();
        Some(Self {
            signer: signer(request, label, input)?,
            key_id: text(input, "keyid")?.to_owned(),
            covers: covers.join(" "),
            authority: authority.to_owned(),
            algorithm,
            created: seconds(input, "created")?,
            expires: seconds(input, "expires")?,
            base: Message::new(request, authority).base(input)?,
            bytes: bytes.to_owned(),
        })
    }

    /// Whether it holds at this time.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        let holds = self.expires.checked_sub(self.created);
        holds.is_some_and(|holds| (0..=HOLDS_MAX_SECONDS).contains(&holds))
            && is_between(self.created, at, self.expires)
    }

    /// Whether the key can tell of it.
    pub fn is_for(&self, key: &PublicKey) -> bool {
        key.takes(self.algorithm)
    }

    pub fn is_by(&self, key: &PublicKey) -> bool {
        key.has_signed(self.base.as_bytes(), &self.bytes)
    }
}

/// The Web Bot Auth signatures of a request. Each is read for each authority at which the request may have been aimed; of one
/// that covers what is not at hand there is nothing.
pub fn signatures(request: &Request) -> Vec<Vec<Signature>> {
    let field = |name: &str| request.headers.get(name).and_then(|header| dictionary(header));
    let (Some(inputs), Some(signatures)) = (field("signature-input"), field("signature")) else {
        return Vec::new();
    };
    let authorities = authorities(request);
    let read = |(label, input)| {
        let Some(bytes) = bytes(&signatures, label) else { return Vec::new() };
        let of = |authority: &String| Signature::read(request, authority, (label, input), bytes);
        authorities.iter().filter_map(of).collect()
    };
    tagged(&inputs, TAG).take(SIGNATURES_MAX).map(read).collect()
}

/// The authorities at which a request may have been aimed: that of its URL, and that of its `Host`.
fn authorities(request: &Request) -> Vec<String> {
    let of_url = request.url.as_deref().and_then(|url| Place::of(url).authority());
    let of_host = request.headers.get("host").map(|host| normal_authority("https", host));
    let mut found: Vec<_> = of_url.into_iter().chain(of_host).collect();
    found.dedup();
    found
}

/// A URL in its parts as they were sent, which a parser of URLs would rewrite.
struct Place<'a> {
    scheme: Option<&'a str>,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(url: &'a str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let (scheme, authority, target) = match url.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                (Some(scheme), &rest[..end], &rest[end..])
            }
            None => (None, "", url),
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Self { scheme, authority, path: if path.is_empty() { "/" } else { path }, query }
    }

    fn authority(&self) -> Option<String> {
        self.scheme.map(|scheme| normal_authority(scheme, self.authority))
    }

    fn target(&self) -> String {
        let query = self.query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{query}", self.path)
    }
}

/// The authority of an origin, such as `chatgpt.com`.
pub fn authority_of(origin: &str) -> Option<String> {
    Place::of(origin).authority()
}

/// In lower case, without the port that is its scheme's (RFC 9421, section 2.2.3).
fn normal_authority(scheme: &str, authority: &str) -> String {
    let lower = authority.trim().to_ascii_lowercase();
    let port = if scheme.eq_ignore_ascii_case("http") { ":80" } else { ":443" };
    lower.strip_suffix(port).map(str::to_owned).unwrap_or(lower)
}

/// A request with the authority for which its signature is read.
struct Message<'a> {
    request: &'a Request,
    authority: &'a str,
    place: Option<Place<'a>>,
}

impl<'a> Message<'a> {
    fn new(request: &'a Request, authority: &'a str) -> Self {
        Self { request, authority, place: request.url.as_deref().map(Place::of) }
    }

    /// What is signed, if that binds it to where the request went.
    fn base(&self, input: &InnerList) -> Option<String> {
        let is_bound = ["\"@authority\"", "\"@target-uri\""].iter().any(|name| is_covered(input, name));
        is_bound.then(|| signature_base(input, |item| self.component(item)))?
    }

    /// The value of a component; `None` where it is not at hand.
    fn component(&self, item: &Item) -> Option<String> {
        let name = item.bare_item.as_string()?.as_str();
        if name == "@query-param" {
            return self.query_param(item);
        }
        if name.starts_with('@') {
            return item.params.is_empty().then(|| self.derived(name))?;
        }
        let value = self.request.headers.get(name)?;
        if item.params.is_empty() {
            return Some(value.trim().to_owned());
        }
        let key = item.params.get("key").filter(|_| item.params.len() == 1)?;
        match dictionary(value)?.get(key.as_string()?.as_str())? {
            ListEntry::Item(member) => Some(member.serialize()),
            ListEntry::InnerList(list) => serialized(list),
        }
    }

    /// A parameter of the query (RFC 9421, section 2.2.8), which must come once. One that is not UTF-8 is written in
    /// different ways.
    fn query_param(&self, item: &Item) -> Option<String> {
        let name = item.params.get("name").filter(|_| item.params.len() == 1)?.as_string()?.as_str();
        let name = percent_decode_str(name).decode_utf8().ok()?;
        let query = self.place.as_ref()?.query?;
        let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| *key == name);
        let (_, value) = found.next()?;
        let is_plain = found.next().is_none() && !value.contains(char::REPLACEMENT_CHARACTER);
        is_plain.then(|| utf8_percent_encode(&value, QUERY_ENCODED).to_string())
    }

    /// Parts of the request itself (RFC 9421, section 2.2).
    fn derived(&self, name: &str) -> Option<String> {
        let place = self.place.as_ref();
        match name {
            "@authority" => Some(self.authority.to_owned()),
            "@method" => self.request.method.clone(),
            "@path" => place.map(|place| place.path.to_owned()),
            "@query" => place.map(|place| format!("?{}", place.query.unwrap_or_default())),
            "@request-target" => place.map(Place::target),
            "@scheme" => place?.scheme.map(str::to_ascii_lowercase),
            "@target-uri" => {
                let place = place?;
                Some(format!("{}://{}{}", place.scheme?, place.authority, place.target()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
