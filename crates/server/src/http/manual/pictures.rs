//! The pictures of the chapters.

use std::borrow::Cow;
use std::path::Path;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use super::POLICY;

/// They change with the server alone.
const CACHED: &str = "public, max-age=3600";

/// A picture that a chapter shows.
pub struct Picture {
    /// Of its file in the repository.
    path: &'static str,
    bytes: &'static [u8],
}

macro_rules! pictures {
    ($($path:literal)*) => {
        &[$(Picture { path: $path, bytes: include_bytes!(concat!("../../../../../", $path)) }),*]
    };
}

static PICTURES: &[Picture] = pictures!(
    "docs/detection/accusations.svg"
    "docs/detection/ecommerce.svg"
    "docs/detection/hidden.svg"
    "docs/detection/naive.svg"
    "docs/detection/targeted.svg"
    "docs/pictures/channel.png"
    "docs/pictures/delivery.png"
    "docs/pictures/escalations.png"
    "docs/pictures/home-dark.png"
    "docs/pictures/home.png"
    "docs/pictures/identities.png"
    "docs/pictures/identity.png"
    "docs/pictures/links.png"
    "docs/pictures/phone.png"
    "docs/pictures/rule.png"
);

impl Picture {
    /// The one at a path of the repository.
    pub fn at(path: &Path) -> Option<&'static Self> {
        PICTURES.iter().find(|picture| Path::new(picture.path) == path)
    }

    /// The one that is served as `/manual/{name}`.
    pub fn named(name: &str) -> Option<&'static Self> {
        PICTURES.iter().find(|picture| picture.name() == name)
    }

    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// As a browser reads it: in the text of a drawing "< 0.1%" may stand as it is.
    fn read(&self) -> Cow<'static, [u8]> {
        match std::str::from_utf8(self.bytes) {
            Ok(drawing) if drawing.contains(">< ") => drawing.replace(">< ", ">&lt; ").into_bytes().into(),
            _ => self.bytes.into(),
        }
    }

    fn media_type(&self) -> &'static str {
        if self.path.ends_with(".svg") { "image/svg+xml" } else { "image/png" }
    }

    pub fn answer(&'static self) -> Response {
        let mut fields = HeaderMap::new();
        for (name, value) in [
            (header::CONTENT_TYPE, self.media_type()),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::CACHE_CONTROL, CACHED),
        ] {
            fields.insert(name, header::HeaderValue::from_static(value));
        }
        (fields, self.read()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1.25 MiB: what the pictures may add to the binary.
    const ALL_MAX_BYTES: usize = 1_280 * 1024;

    #[test]
    fn the_pictures_have_names_of_their_own_and_room_in_the_binary() {
        for picture in PICTURES {
            assert!(std::ptr::eq(Picture::named(picture.name()).unwrap(), picture), "{}", picture.path);
        }
        for picture in PICTURES.iter().filter(|picture| picture.media_type() == "image/svg+xml") {
            let read = String::from_utf8(picture.read().into_owned()).unwrap();
            let is_tag = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase() || "/?!".contains(c));
            assert!(read.split('<').skip(1).all(is_tag), "{}", picture.path);
        }
        let bytes: usize = PICTURES.iter().map(|picture| picture.bytes.len()).sum();
        assert!(bytes <= ALL_MAX_BYTES, "{bytes} bytes: make them smaller, or show fewer");
    }
}
