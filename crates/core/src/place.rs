//! Where an address is, as far as a database that the operator supplies can tell.

use serde::{Deserialize, Serialize};

/// Where an address is. Everything may be unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// ISO 3166-1 alpha-2, in upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Number of the autonomous system, which is the network's operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u32>,
    /// Latitude and longitude in hundredths of a degree: about a kilometre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<(i16, i16)>,
}

/// Two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

/// Mean radius of the earth, IUGG.
const EARTH_RADIUS_KM: f64 = 6_371.0;

impl Country {
    /// The country with this code in any case; `None` for anything but two letters.
    pub fn parse(code: &str) -> Option<Self> {
        let [first, second] = code.as_bytes() else { return None };
        let code = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
        code.iter().all(u8::is_ascii_uppercase).then_some(Self(code))
    }

    pub(crate) fn letters(self) -> [u8; 2] {
        self.0
    }

    pub(crate) fn from_letters(letters: [u8; 2]) -> Option<Self> {
        Self::parse(std::str::from_utf8(&letters).ok()?)
    }

    /// In upper case.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for Country {
    type Error = &'static str;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code).ok_or("a country has two letters")
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

impl Place {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The length of the great circle to another place, in kilometres.
    pub fn distance_km(&self, other: &Self) -> Option<f64> {
        let radians = |(lat, lon): (i16, i16)| {
            ((f64::from(lat) / 100.0).to_radians(), (f64::from(lon) / 100.0).to_radians())
        };
        let ((lat, lon), (other_lat, other_lon)) = (radians(self.position?), radians(other.position?));
        let half_chord = ((other_lat - lat) / 2.0).sin().powi(2)
            + lat.cos() * other_lat.cos() * ((other_lon - lon) / 2.0).sin().powi(2);
        Some(2.0 * EARTH_RADIUS_KM * half_chord.sqrt().min(1.0).asin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_two_letters() {
        let cases =
            [("de", Some("DE")), ("US", Some("US")), ("D", None), ("DEU", None), ("1A", None), ("é", None)];
        for (code, expected) in cases {
            assert_eq!(Country::parse(code).as_ref().map(Country::code), expected, "{code}");
        }
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let at = |lat, lon| Place { position: Some((lat, lon)), ..Place::default() };
        let berlin = at(5_252, 1_340);
        // By the great circle, 878 km and 16,100 km.
        for (other, expected) in [(at(4_886, 235), 878.0), (at(-3_387, 15_121), 16_090.0), (berlin, 0.0)] {
            let found = berlin.distance_km(&other).unwrap();
            assert!((found - expected).abs() <= expected * 0.01, "{found} {expected}");
        }
        assert_eq!(berlin.distance_km(&Place::default()), None);
    }
}
