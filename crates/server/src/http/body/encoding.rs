//! Bodies that were compressed on their way: decoded within the limits of what they become.

use std::io::Read;

use axum::http::{HeaderMap, StatusCode, header};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use zstd::stream::read::Decoder;
use zstd::zstd_safe::DCtx;

use super::{Most, too_large};
use crate::http::error::{ApiError, Code};
use crate::store::codec::NO_MEMORY;

/// The encodings that are decoded, as they are named.
pub const ACCEPTED: &str = "gzip, deflate, zstd";
/// The memory that a decoder of zstd may take for what it refers back to, as an exponent of two: 8 MiB, which RFC 9659
/// has every sender of HTTP stay within.
const ZSTD_WINDOW_MAX_LOG: u32 = 23;

/// How a body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Gzip,
    Deflate,
    Zstd,
}

/// The encoding of the body; `None` for none.
///
/// # Errors
/// When it is one that is not decoded here, or one inside another: what decodes each within limits has none for both.
pub fn of(headers: &HeaderMap) -> Result<Option<Encoding>, ApiError> {
    let mut found = None;
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().map_err(|_| unknown())?.split(',') {
            let encoding = match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Encoding::Gzip,
                "deflate" => Encoding::Deflate,
                "zstd" => Encoding::Zstd,
                _ => return Err(unknown()),
            };
            if found.replace(encoding).is_some() {
                return Err(unknown());
            }
        }
    }
    Ok(found)
}

fn unknown() -> ApiError {
    let message =
        format!("The Content-Encoding is none that is accepted here, which are one of: {ACCEPTED}.");
    ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::UnsupportedMediaType, message).accepting(ACCEPTED)
}

impl Encoding {
    /// What the body is, decoded.
    ///
    /// # Errors
    /// When it is larger than `most`, or not encoded in this way.
    pub fn decode(self, body: &[u8], most: Most) -> Result<Vec<u8>, ApiError> {
        let max_bytes = most.kib * 1024;
        let mut decoded = Vec::new();
        let read = match self {
            _ if body.is_empty() => Ok(0),
            Self::Gzip => MultiGzDecoder::new(body).take(max_bytes + 1).read_to_end(&mut decoded),
            Self::Deflate if is_zlib(body) => {
                ZlibDecoder::new(body).take(max_bytes + 1).read_to_end(&mut decoded)
            }
            Self::Deflate => DeflateDecoder::new(body).take(max_bytes + 1).read_to_end(&mut decoded),
            Self::Zstd => {
                let mut context = DCtx::try_create().ok_or_else(no_memory)?;
                let mut decoder = Decoder::with_context(body, &mut context);
                let is_set = decoder.window_log_max(ZSTD_WINDOW_MAX_LOG);
                is_set.and_then(|()| decoder.take(max_bytes + 1).read_to_end(&mut decoded))
            }
        };
        read.map_err(|error| match error.to_string().as_str() {
            NO_MEMORY => no_memory(),
            _ => ApiError::field("", "is not encoded as its Content-Encoding says"),
        })?;
        if decoded.len() as u64 > max_bytes { Err(too_large(most)) } else { Ok(decoded) }
    }
}

/// It may have some later.
fn no_memory() -> ApiError {
    let message = "The server has no memory left to decode the body. Try again.";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message)
}

/// Whether a deflated body has the header that RFC 9110 wants around it; some senders leave it out.
fn is_zlib(body: &[u8]) -> bool {
    let &[method, flags, ..] = body else { return false };
    method & 0x0f == 8 && u16::from_be_bytes([method, flags]).is_multiple_of(31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (header::CONTENT_ENCODING, value.parse().expect("a header"))).collect()
    }

    /// Lines of the header, and what they come to.
    type Case = (&'static [&'static str], Result<Option<Encoding>, ()>);

    #[test]
    fn one_encoding_is_taken_and_every_other_named() {
        let cases: [Case; 12] = [
            (&[], Ok(None)),
            (&["identity"], Ok(None)),
            (&[""], Ok(None)),
            (&["GZIP"], Ok(Some(Encoding::Gzip))),
            (&["x-gzip"], Ok(Some(Encoding::Gzip))),
            (&["identity, zstd "], Ok(Some(Encoding::Zstd))),
            (&["deflate"], Ok(Some(Encoding::Deflate))),
            (&["br"], Err(())),
            (&["gzip, gzip"], Err(())),
            (&["gzip", "zstd"], Err(())),
            (&["gzip;q=1"], Err(())),
            (&["compress"], Err(())),
        ];
        for (values, expected) in cases {
            assert_eq!(of(&named(values)).map_err(drop), expected, "{values:?}");
        }
    }
}
