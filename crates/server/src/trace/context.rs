//! Where in which trace something is: W3C Trace Context, as a header and as a row has it.

use std::fmt;

use hyper::HeaderMap;
use hyper::header::HeaderName;

pub const HEADER: HeaderName = HeaderName::from_static("traceparent");
/// Of one in a row.
const STORED_BYTES: usize = 25;
/// How many a row remembers.
const STORED_MAX: usize = 8;

/// The flag by which a caller says that it records its part.
const SAMPLED: u8 = 0b01;
/// The flag that says of the trace id that it is random.
const RANDOM: u8 = 0b10;

/// A span, by its trace and its own id: 16 bytes of the trace, 8 of the span, one of flags, as a row has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Context([u8; STORED_BYTES]);

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

impl Context {
    fn new(trace_id: [u8; 16], span_id: [u8; 8], flags: u8) -> Self {
        let mut bytes = [0; STORED_BYTES];
        bytes[..16].copy_from_slice(&trace_id);
        bytes[16..24].copy_from_slice(&span_id);
        bytes[24] = flags;
        Self(bytes)
    }

    /// The first span of a new trace.
    pub fn root() -> Self {
        Self::new(rand::random::<u128>().max(1).to_be_bytes(), new_span_id(), SAMPLED | RANDOM)
    }

    /// Another span of the same trace.
    #[must_use]
    pub fn child(mut self) -> Self {
        self.0[16..24].copy_from_slice(&new_span_id());
        self
    }

    pub fn is_sampled(&self) -> bool {
        self.flags() & SAMPLED != 0
    }

    pub fn trace_id(&self) -> &[u8] {
        &self.0[..16]
    }

    pub fn span_id(&self) -> &[u8] {
        &self.0[16..24]
    }

    pub const fn flags(&self) -> u8 {
        self.0[24]
    }

    pub fn shown_trace_id(&self) -> String {
        hex::encode(self.trace_id())
    }

    pub fn shown_span_id(&self) -> String {
        hex::encode(self.span_id())
    }

    /// Reads the header of a request. One that is malformed, or there more than once, counts as absent.
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(HEADER).into_iter();
        let (only, None) = (given.next()?, given.next()) else { return None };
        Self::parse(only.to_str().ok()?)
    }

    /// Reads a value of the header. A later version may have more after a dash, of which nothing is known.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let [version] = lower_hex::<1>(parts.next()?)?;
        let (trace_id, span_id) = (lower_hex(parts.next()?)?, lower_hex(parts.next()?)?);
        let [flags] = lower_hex::<1>(parts.next()?)?;
        let is_whole = match version {
            0 => parts.next().is_none(),
            0xff => false,
            _ => true,
        };
        let is_valid = is_whole && trace_id != [0; 16] && span_id != [0; 8];
        is_valid.then(|| Self::new(trace_id, span_id, flags & (SAMPLED | RANDOM)))
    }

    /// The value of the header.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.shown_trace_id(), self.shown_span_id(), self.flags())
    }

    /// As a row has it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What a row has. What another version may have written otherwise is passed over: no event fails for it.
    pub fn from_bytes(stored: Option<&[u8]>) -> Option<Self> {
        stored?.try_into().ok().map(Self)
    }
}

/// The traced events that a cycle follows from, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes(Vec<[u8; STORED_BYTES]>);

impl Causes {
    pub fn newest(&self) -> Option<Context> {
        self.0.first().copied().map(Context)
    }

    pub fn older(&self) -> impl Iterator<Item = Context> {
        self.0.iter().skip(1).copied().map(Context)
    }

    /// Adds one that is newer, and forgets the oldest of too many.
    pub fn add(&mut self, cause: Context) {
        if self.newest() != Some(cause) {
            self.0.insert(0, cause.0);
            self.0.truncate(STORED_MAX);
        }
    }

    /// As a row has them; `None` where there are none.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        (!self.0.is_empty()).then(|| self.0.as_flattened())
    }

    /// As [`Context::from_bytes`].
    pub fn from_bytes(stored: Option<&[u8]>) -> Self {
        let (whole, _) = stored.unwrap_or_default().as_chunks();
        Self(whole.to_vec())
    }
}

fn new_span_id() -> [u8; 8] {
    rand::random::<u64>().max(1).to_be_bytes()
}

fn lower_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; BYTES];
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn what_the_standard_calls_valid_is_taken_and_nothing_else() {
        let valid = [
            (format!("00-{TRACE}-{SPAN}-01"), "01"),
            (format!("00-{TRACE}-{SPAN}-00"), "00"),
            (format!("00-{TRACE}-{SPAN}-03"), "03"),
            // Flags that are not known are not passed on.
            (format!("00-{TRACE}-{SPAN}-ff"), "03"),
            // Later versions are read as far as they are known.
            (format!("01-{TRACE}-{SPAN}-01"), "01"),
            (format!("cc-{TRACE}-{SPAN}-01-what-comes-later"), "01"),
            (format!("fe-{TRACE}-{SPAN}-01-"), "01"),
        ];
        for (text, flags) in valid {
            let read = Context::parse(&text).map(|context| context.traceparent());
            assert_eq!(read, Some(format!("00-{TRACE}-{SPAN}-{flags}")), "{text}");
        }
        let invalid = [
            String::new(),
            "00".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-001"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("01-{TRACE}-{SPAN}-01.more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("000-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}0-{SPAN}-01"),
            format!("00-{TRACE}-{}-01", &SPAN[1..]),
            format!("00-{TRACE}-{SPAN}0-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-{}-01", SPAN.to_uppercase()),
            format!("00-{TRACE}-{SPAN}-0A"),
            format!("00-{}-{SPAN}-01", TRACE.replace('4', "g")),
            format!("00_{TRACE}_{SPAN}_01"),
            format!("00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"),
            format!(" 00-{TRACE}-{SPAN}-01"),
        ];
        for text in invalid {
            assert_eq!(Context::parse(&text), None, "{text}");
        }
        let several = HeaderMap::from_iter(
            [SPAN, "00f067aa0ba902b8"].map(|span| (HEADER, format!("00-{TRACE}-{span}-01").parse().unwrap())),
        );
        let mut twice = several;
        twice.append(HEADER, format!("00-{TRACE}-{SPAN}-01").parse().unwrap());
        assert_eq!(twice.get_all(HEADER).iter().count(), 3);
        assert_eq!(Context::of_headers(&twice), None, "of several, none is the right one");
    }

    #[test]
    fn a_row_has_what_it_was_given_the_newest_and_no_more_than_so_many() {
        let (many, mut causes) =
            (Vec::from_iter((0..STORED_MAX + 2).map(|_| Context::root())), Causes::default());
        assert_eq!((causes.newest(), causes.as_bytes()), (None, None));
        for cause in &many {
            causes.add(*cause);
            causes.add(*cause);
        }
        let read = Causes::from_bytes(causes.as_bytes());
        assert_eq!(read.newest(), many.last().copied());
        let older: Vec<_> = many.iter().rev().skip(1).take(STORED_MAX - 1).copied().collect();
        assert_eq!(read.older().collect::<Vec<_>>(), older);
        let broken = [many[0].as_bytes(), &[7; 3]].concat();
        assert_eq!(Causes::from_bytes(Some(&broken)).newest(), Some(many[0]));
        assert_eq!(Context::from_bytes(Some(many[0].as_bytes())), Some(many[0]));
        assert_eq!((Context::from_bytes(Some(&broken)), Context::from_bytes(None)), (None, None));
    }

    #[test]
    fn a_child_is_in_the_same_trace_and_has_an_id_of_its_own() {
        let root = Context::root();
        let child = root.child();
        assert_eq!((child.trace_id(), child.flags()), (root.trace_id(), root.flags()));
        assert_ne!(child.span_id(), root.span_id());
        assert_eq!(Context::parse(&child.traceparent()), Some(child));
    }
}
