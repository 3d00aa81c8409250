//! How details are kept: compressed, with dictionaries of the words they are made of.
//!
//! A stored detail is one byte for the dictionary and then a zstd frame. The dictionaries are in the folder
//! `dictionaries`, trained with zstd: the first on made-up events and the answers of endpoints, the second by
//! `scripts/dictionary.sh` on analyses. One that has shipped is never edited, since rows need it to be read; a better one
//! gets the next number.

use std::cell::RefCell;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::{Result, StoreError};

/// Levels above cost time and save no byte on texts this small.
const LEVEL: i32 = 3;
/// Largest detail: an event of the largest accepted body with what is added to it.
const DETAIL_MAX_BYTES: usize = 1024 * 1024;

/// What a detail is of. The number is that of the dictionary that it is packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    EventOrAttempt = 1,
    Analysis = 2,
}

/// The first has the number 1.
const DICTIONARIES: [&[u8]; 2] =
    [include_bytes!("../../dictionaries/1.bin"), include_bytes!("../../dictionaries/2.bin")];

static ENCODERS: LazyLock<[EncoderDictionary; DICTIONARIES.len()]> =
    LazyLock::new(|| DICTIONARIES.map(|dictionary| EncoderDictionary::copy(dictionary, LEVEL)));
static DECODERS: LazyLock<[DecoderDictionary; DICTIONARIES.len()]> =
    LazyLock::new(|| DICTIONARIES.map(DecoderDictionary::copy));

/// One for each dictionary, made when it is first wanted.
type Each<T> = RefCell<[Option<T>; DICTIONARIES.len()]>;

thread_local! {
    static COMPRESSORS: Each<Compressor<'static>> = const { RefCell::new([const { None }; DICTIONARIES.len()]) };
    static DECOMPRESSORS: Each<Decompressor<'static>> = const { RefCell::new([const { None }; DICTIONARIES.len()]) };
}

/// `detail` as it is stored.
pub fn pack(kind: Kind, detail: &impl Serialize) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(detail).map_err(broken)?;
    let number = kind as u8;
    COMPRESSORS.with_borrow_mut(|compressors| {
        let slot = &mut compressors[usize::from(number) - 1];
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(new_compressor(number).map_err(broken)?),
        };
        let mut packed = vec![number];
        packed.extend(compressor.compress(&json).map_err(broken)?);
        Ok(packed)
    })
}

/// The detail that was stored as `packed`.
pub fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T> {
    let known = packed.split_first().and_then(|(number, frame)| {
        let place = usize::from(*number).checked_sub(1)?;
        Some((place, DECODERS.get(place)?, frame))
    });
    let Some((place, decoder, frame)) = known else {
        return Err(broken("a detail names a dictionary that this version does not have"));
    };
    let json = DECOMPRESSORS.with_borrow_mut(|decompressors| {
        let slot = &mut decompressors[place];
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::with_prepared_dictionary(decoder).map_err(broken)?),
        };
        decompressor.decompress(frame, DETAIL_MAX_BYTES).map_err(broken)
    })?;
    serde_json::from_slice(&json).map_err(broken)
}

fn new_compressor(number: u8) -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODERS[usize::from(number) - 1])?;
    // The dictionary is known by our own byte, and rows have no use for a checksum of their own.
    compressor.include_dictid(false)?;
    compressor.include_checksum(false)?;
    Ok(compressor)
}

fn broken(error: impl ToString) -> StoreError {
    StoreError::Broken(error.to_string())
}

/// An id as its sender wrote it, in fewer bytes where it is 32 hexadecimal digits, with the
/// dashes of a UUID or without. The first byte says which.
pub fn pack_id(id: &str) -> Vec<u8> {
    let digits = id.replace('-', "");
    let mut packed = vec![PLAIN];
    if digits.len() == 32 {
        let mut bytes = [0; 16];
        if hex::decode_to_slice(&digits, &mut bytes).is_ok() {
            packed[0] = if id.len() == 32 { HEX } else { UUID };
            packed.extend(bytes);
            if unpack_id(&packed) == id {
                return packed;
            }
            packed.truncate(1);
            packed[0] = PLAIN;
        }
    }
    packed.extend(id.as_bytes());
    packed
}

/// The id that was packed.
pub fn unpack_id(packed: &[u8]) -> String {
    match packed.split_first() {
        Some((&HEX, bytes)) => hex::encode(bytes),
        Some((&UUID, bytes)) => {
            let digits = hex::encode(bytes);
            [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
        }
        Some((_, bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        None => String::new(),
    }
}

const PLAIN: u8 = 0;
const HEX: u8 = 1;
const UUID: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were_written() {
        let cases = [
            ("6f9619ff8b86d011b42d00c04fc964ff", 17),
            ("6f9619ff-8b86-d011-b42d-00c04fc964ff", 17),
            ("6F9619FF-8B86-D011-B42D-00C04FC964FF", 37),
            ("6f9619ff8b86d-011b42d00c04fc964ff", 34),
            ("order-1024", 11),
            ("naïve-🦀", 12),
        ];
        for (id, bytes) in cases {
            assert_eq!((unpack_id(&pack_id(id)).as_str(), pack_id(id).len()), (id, bytes));
        }
    }

    #[test]
    fn details_come_back_and_get_smaller() {
        let event =
            serde_json::json!({"type": "user.signup", "data": {"plan": "pro", "ünicode": [1, 2.5, null]}});
        let analysis = serde_json::json!({"observations": [
            {"category": "UNIQUENESS", "id": "uniqueness.shared-ip", "label": "Shared IP address", "value": 0.65},
        ]});
        for (kind, detail) in [(Kind::EventOrAttempt, event), (Kind::Analysis, analysis)] {
            let packed = pack(kind, &detail).expect("packs");
            assert_eq!(unpack::<serde_json::Value>(&packed).expect("unpacks"), detail);
            assert!(packed[0] == kind as u8 && packed.len() < detail.to_string().len());
        }
        for unknown in [&[][..], &[0, 1, 2], &[9, 1, 2]] {
            assert!(unpack::<serde_json::Value>(unknown).is_err());
        }
    }
}
