//! How details are kept: compressed, with dictionaries of the words they are made of.
//!
//! A stored detail is one byte for the dictionary and then a zstd frame. The dictionaries are in the folder
//! `dictionaries`, trained with zstd: the first on made-up events and the answers of endpoints, the second by
//! `scripts/dictionary.sh` on analyses. One that has shipped is never edited, since rows need it to be read; a better one
//! gets the next number.

use std::cell::RefCell;
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zstd::zstd_safe::{
    CCtx, CDict, CParameter, DCtx, DDict, compress_bound, get_error_name, get_frame_content_size,
};

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

/// The dictionaries as zstd wants them.
struct Prepared {
    encoders: [CDict<'static>; DICTIONARIES.len()],
    decoders: [DDict<'static>; DICTIONARIES.len()],
}

/// Made when they are first wanted.
static PREPARED: OnceLock<Prepared> = OnceLock::new();

/// One for each dictionary, made when it is first wanted.
type Each<T> = RefCell<[Option<T>; DICTIONARIES.len()]>;

thread_local! {
    static COMPRESSORS: Each<CCtx<'static>> = const { RefCell::new([const { None }; DICTIONARIES.len()]) };
    static DECOMPRESSORS: Each<DCtx<'static>> = const { RefCell::new([const { None }; DICTIONARIES.len()]) };
}

/// `detail` as it is stored.
pub fn pack(kind: Kind, detail: &impl Serialize) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(detail).map_err(broken)?;
    let number = kind as u8;
    let mut frame = Vec::with_capacity(compress_bound(json.len()));
    COMPRESSORS.with_borrow_mut(|compressors| {
        let slot = &mut compressors[usize::from(number) - 1];
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(new_compressor(number)?),
        };
        compressor.compress2(&mut frame, &json).map_err(failed)
    })?;
    Ok([&[number], &frame[..]].concat())
}

/// The detail that was stored as `packed`.
pub fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T> {
    let known = packed.split_first().and_then(|(number, frame)| {
        let place = usize::from(*number).checked_sub(1)?;
        (place < DICTIONARIES.len()).then_some((place, frame))
    });
    let Some((place, frame)) = known else {
        return Err(broken("a detail names a dictionary that this version does not have"));
    };
    let said = get_frame_content_size(frame).ok().flatten().and_then(|bytes| usize::try_from(bytes).ok());
    let mut json = Vec::with_capacity(said.unwrap_or(DETAIL_MAX_BYTES).min(DETAIL_MAX_BYTES));
    DECOMPRESSORS.with_borrow_mut(|decompressors| {
        let slot = &mut decompressors[place];
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(new_decompressor(place)?),
        };
        decompressor.decompress(&mut json, frame).map_err(failed)
    })?;
    serde_json::from_slice(&json).map_err(broken)
}

fn prepared() -> Result<&'static Prepared> {
    if let Some(prepared) = PREPARED.get() {
        return Ok(prepared);
    }
    let [first, second] = DICTIONARIES;
    let encoder = |dictionary| CDict::try_create(dictionary, LEVEL).ok_or_else(no_memory);
    let decoder = |dictionary| DDict::try_create(dictionary).ok_or_else(no_memory);
    let made = Prepared {
        encoders: [encoder(first)?, encoder(second)?],
        decoders: [decoder(first)?, decoder(second)?],
    };
    Ok(PREPARED.get_or_init(|| made))
}

fn new_compressor(number: u8) -> Result<CCtx<'static>> {
    let mut compressor = CCtx::try_create().ok_or_else(no_memory)?;
    compressor.ref_cdict(&prepared()?.encoders[usize::from(number) - 1]).map_err(failed)?;
    // The dictionary is known by our own byte, and rows have no use for a checksum of their own.
    compressor.set_parameter(CParameter::DictIdFlag(false)).map_err(failed)?;
    compressor.set_parameter(CParameter::ChecksumFlag(false)).map_err(failed)?;
    Ok(compressor)
}

fn new_decompressor(place: usize) -> Result<DCtx<'static>> {
    let mut decompressor = DCtx::try_create().ok_or_else(no_memory)?;
    decompressor.ref_ddict(&prepared()?.decoders[place]).map_err(failed)?;
    Ok(decompressor)
}

/// Of what zstd could not do. What it wants memory for it gets from the system, which may have none.
fn failed(code: usize) -> StoreError {
    match get_error_name(code) {
        NO_MEMORY => no_memory(),
        name => broken(name),
    }
}

/// What zstd calls want of memory, in its `lib/common/error_private.c`.
pub const NO_MEMORY: &str = "Allocation error : not enough memory";

fn no_memory() -> StoreError {
    StoreError::Unavailable("there is no memory left to pack or unpack a detail".to_owned())
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
    fn no_memory_is_an_outage_and_anything_else_is_not() {
        // `ZSTD_error_memory_allocation` and `ZSTD_error_corruption_detected`.
        assert!(failed(64_usize.wrapping_neg()).is_outage());
        assert!(!failed(20_usize.wrapping_neg()).is_outage());
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
