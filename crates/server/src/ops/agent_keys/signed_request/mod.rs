//! A signed request as RFC 9421 sees it: its components, and whether its signature is right.

use std::collections::HashSet;

use dregs_core::event::Request;
use dregs_core::time::Timestamp;
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, Item, ListEntry, Parser};
use url::Url;

use super::key::{Algorithm, PublicKey};

/// What a signature is for, by which it is found among others.
const TAG: &str = "web-bot-auth";
/// How far the clocks of an agent and of a backend may be apart.
const SKEW_MAX_SECONDS: i64 = 60;
/// The longest a signature may hold: the architecture's draft recommends no more.
const HOLDS_MAX_SECONDS: i64 = 24 * 60 * 60;

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
    signature: Vec<u8>,
}

impl Signature {
    /// The Web Bot Auth signature of a request to `authority`. `None` where there is none, or where it covers what is
    /// not at hand.
    pub fn read(request: &Request, authority: &str) -> Option<Self> {
        let inputs = dictionary(request.headers.get("signature-input")?)?;
        let mut signatures = dictionary(request.headers.get("signature")?)?;
        let is_ours = |input: &&InnerList| text(input, "tag") == Some(TAG);
        let (label, input) = inputs.iter().find_map(|(label, entry)| match entry {
            ListEntry::InnerList(input) => Some((label, input)).filter(|(_, input)| is_ours(input)),
            ListEntry::Item(_) => None,
        })?;
        let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(signature), .. }) =
            signatures.shift_remove(label)?
        else {
            return None;
        };
        // One that says how it was made, in a way that is not known, says nothing.
        let algorithm = match text(input, "alg") {
            Some(name) => Some(Algorithm::called(name)?),
            None => None,
        };
        let message = Message::new(request, authority);
        let base = message.base(input)?;
        let covers: Vec<_> = input.items.iter().map(Item::serialize).collect();
        Some(Self {
            signer: message.signer(input)?,
            key_id: text(input, "keyid")?.to_owned(),
            covers: covers.join(" "),
            authority: authority.to_owned(),
            algorithm,
            created: seconds(input, "created")?,
            expires: seconds(input, "expires")?,
            base,
            signature,
        })
    }

    /// Whether it holds at this time.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        let at = at.as_millis().div_euclid(1_000);
        let holds = self.expires.checked_sub(self.created);
        holds.is_some_and(|holds| (0..=HOLDS_MAX_SECONDS).contains(&holds))
            && self.created <= at + SKEW_MAX_SECONDS
            && at - SKEW_MAX_SECONDS < self.expires
    }

    /// Whether the key can tell of it.
    pub fn is_for(&self, key: &PublicKey) -> bool {
        key.takes(self.algorithm)
    }

    pub fn is_by(&self, key: &PublicKey) -> bool {
        key.has_signed(self.base.as_bytes(), &self.signature)
    }
}

fn dictionary(header: &str) -> Option<Dictionary> {
    Parser::new(header).parse().ok()
}

fn text<'a>(input: &'a InnerList, parameter: &str) -> Option<&'a str> {
    Some(input.params.get(parameter)?.as_string()?.as_str())
}

fn seconds(input: &InnerList, parameter: &str) -> Option<i64> {
    Some(input.params.get(parameter)?.as_integer()?.into())
}

/// The authorities at which a request may have been aimed: that of its URL, and that of its `Host`.
pub fn authorities(request: &Request) -> Vec<String> {
    let of_url = request.url.as_deref().and_then(|url| Place::of(url).authority());
    let of_host = request.headers.get("host").map(|host| normal_authority("https", host));
    let mut found: Vec<_> = of_url.into_iter().chain(of_host).collect();
    found.dedup();
    found
}

/// Who has signed by the `Signature-Agent` header, where nothing more can be read.
pub fn claimed_signer(request: &Request) -> Option<String> {
    let header = request.headers.get("signature-agent")?;
    match Parser::new(header).parse::<Item>() {
        Ok(item) => origin_of(&item),
        Err(_) => dictionary(header)?.values().find_map(|member| match member {
            ListEntry::Item(item) => origin_of(item),
            ListEntry::InnerList(_) => None,
        }),
    }
}

fn origin_of(item: &Item) -> Option<String> {
    origin(item.bare_item.as_string()?.as_str())
}

/// Scheme, host and port of a URL, such as `https://chatgpt.com`.
pub fn origin(url: &str) -> Option<String> {
    let origin = Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
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

    /// What is signed (RFC 9421, section 2.5).
    fn base(&self, input: &InnerList) -> Option<String> {
        let mut base = String::new();
        let mut seen = HashSet::new();
        for item in &input.items {
            let (name, value) = (item.serialize(), self.component(item)?);
            // A line of its own would be another component.
            let is_line = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            if !is_line || !seen.insert(name.clone()) {
                return None;
            }
            base.push_str(&format!("{name}: {value}\n"));
        }
        let is_bound = ["\"@authority\"", "\"@target-uri\""].iter().any(|name| seen.contains(*name));
        let params = vec![ListEntry::InnerList(input.clone())].serialize()?;
        is_bound.then(|| format!("{base}\"@signature-params\": {params}"))
    }

    /// Who has signed by the part of `Signature-Agent` that is covered: it must be, where there is one. A key that comes
    /// with the request confirms nobody.
    #[expect(clippy::option_option, reason = "no signature; one that names nobody")]
    fn signer(&self, input: &InnerList) -> Option<Option<String>> {
        let Some(header) = self.request.headers.get("signature-agent") else { return Some(None) };
        let is_it =
            |item: &&Item| item.bare_item.as_string().is_some_and(|name| name.as_str() == "signature-agent");
        let covered = input.items.iter().find(is_it)?;
        let signer = match covered.params.get("key") {
            None => origin_of(&Parser::new(header).parse().ok()?)?,
            Some(key) => match dictionary(header)?.get(key.as_string()?.as_str())? {
                ListEntry::Item(item) => origin_of(item)?,
                ListEntry::InnerList(_) => return None,
            },
        };
        Some(Some(signer))
    }

    /// The value of a component; `None` where it is not at hand.
    fn component(&self, item: &Item) -> Option<String> {
        let name = item.bare_item.as_string()?.as_str();
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
            ListEntry::InnerList(_) => None,
        }
    }

    /// Parts of the request itself (RFC 9421, section 2.2). Single parameters of a query are not read.
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
