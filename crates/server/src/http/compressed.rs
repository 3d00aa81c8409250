//! What is the same for everybody, compressed once and not for each who asks.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// One thing in all its forms.
#[derive(Clone)]
pub struct Compressed {
    pub plain: Bytes,
    pub gzip: Option<Bytes>,
    pub brotli: Option<Bytes>,
}

impl Compressed {
    /// Compresses what is made when the server runs.
    pub fn of(plain: Vec<u8>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let gzip = encoder.write_all(&plain).and_then(|()| encoder.finish()).ok().map(Bytes::from);
        Self { plain: plain.into(), gzip, brotli: None }
    }

    /// The smallest form that the caller takes.
    pub fn answer(&self, headers: &HeaderMap) -> Response {
        let (encoding, bytes) = match (&self.brotli, &self.gzip) {
            (Some(bytes), _) if accepts(headers, "br") => (Some("br"), bytes),
            (_, Some(bytes)) if accepts(headers, "gzip") => (Some("gzip"), bytes),
            _ => (None, &self.plain),
        };
        let mut answer = Body::from(bytes.clone()).into_response();
        let fields = answer.headers_mut();
        fields.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Some(encoding) = encoding {
            fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        answer
    }
}

/// Whether the caller takes an encoding: it names it, or any, and not with a quality of nothing.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut any = None;
    for item in lines.flat_map(|line| line.split(',')) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let quality = parameters.trim().strip_prefix("q=").map_or(Some(1.0), |text| text.trim().parse().ok());
        let is_taken = quality.is_some_and(|quality: f64| quality > 0.0);
        let name = name.trim();
        if name.eq_ignore_ascii_case(encoding) {
            return is_taken;
        }
        if name == "*" {
            any = Some(is_taken);
        }
    }
    any.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_form_that_is_taken_goes_out() {
        let all = Compressed { plain: "plain".into(), gzip: Some("gzip".into()), brotli: Some("br".into()) };
        let cases = [
            ("", None),
            ("gzip", Some("gzip")),
            ("gzip, deflate, br, zstd", Some("br")),
            ("GZIP;q=0.5", Some("gzip")),
            ("br;q=0, gzip", Some("gzip")),
            ("br;q=0.0, gzip;q=0", None),
            ("*", Some("br")),
            ("br;q=0, *", Some("gzip")),
            ("*;q=0", None),
            ("identity", None),
            ("brotli", None),
        ];
        for (line, expected) in cases {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, line.parse().expect("a header"))]);
            let answer = all.answer(&headers);
            let encoding =
                answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().expect("text"));
            assert_eq!(encoding, expected, "{line}");
            assert_eq!(answer.headers()[header::VARY], "Accept-Encoding");
        }
    }
}
