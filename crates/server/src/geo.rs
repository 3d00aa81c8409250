//! Where addresses are, by databases in the MaxMind format that the operator supplies: of cities, of
//! countries, of autonomous systems. Without one, nothing is known and everything else works.

use std::net::IpAddr;
use std::path::PathBuf;

use dregs_core::place::{Country, Place};
use maxminddb::Reader;
use serde::Deserialize;

/// The databases in memory.
#[derive(Default)]
pub struct Geo(Vec<Reader<Vec<u8>>>);

/// What is read of a record; every kind of database has some of it.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    country: Option<CountryRecord<'a>>,
    location: Option<Location>,
    autonomous_system_number: Option<u32>,
}

#[derive(Deserialize)]
struct CountryRecord<'a> {
    iso_code: Option<&'a str>,
}

#[derive(Deserialize)]
struct Location {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

impl Geo {
    /// Reads the files.
    ///
    /// # Errors
    /// A line for the operator, when one cannot be read or is no such database.
    pub fn open(paths: &[PathBuf]) -> Result<Self, String> {
        let read = |path: &PathBuf| {
            Reader::open_readfile(path).map_err(|error| format!("geo_databases: {}: {error}", path.display()))
        };
        paths.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// What the databases say of an address together; `None` for nothing.
    pub fn place(&self, ip: IpAddr) -> Option<Place> {
        let mut place = Place::default();
        for reader in &self.0 {
            let Some(record) = reader.lookup(ip).ok().and_then(|found| found.decode::<Record>().ok()?) else {
                continue;
            };
            let country = record.country.and_then(|country| Country::parse(country.iso_code?));
            let position =
                record.location.and_then(|at| Some((hundredths(at.latitude?), hundredths(at.longitude?))));
            place.country = place.country.or(country);
            place.position = place.position.or(position);
            place.asn = place.asn.or(record.autonomous_system_number);
        }
        (!place.is_empty()).then_some(place)
    }
}

fn hundredths(degrees: f64) -> i16 {
    // At most 18,000; the cast would bring anything else into range.
    (degrees * 100.0).round() as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
    }

    #[test]
    fn databases_complete_one_another() {
        let geo = Geo::open(&[file("city.mmdb"), file("asn.mmdb")]).unwrap();
        let place = |ip: &str| geo.place(ip.parse().unwrap());
        let berlin =
            Place { country: Country::parse("DE"), asn: Some(64_496), position: Some((5_252, 1_341)) };
        assert_eq!(place("203.0.113.7"), Some(berlin));
        assert_eq!(place("2001:db8:49::7").and_then(|place| place.country), Country::parse("NG"));
        assert_eq!(place("192.0.2.1"), None);
        assert_eq!(Geo::default().place([203, 0, 113, 7].into()), None);
    }

    #[test]
    fn what_is_no_database_is_refused_by_name() {
        let error = Geo::open(&[file("none.mmdb")]).err().unwrap();
        assert!(error.starts_with("geo_databases: ") && error.contains("none.mmdb"), "{error}");
        let error = Geo::open(&[PathBuf::from(file!())]).err();
        assert!(error.is_some());
    }
}
