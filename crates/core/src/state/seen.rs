//! What an identity has been seen with, in lists that do not grow beyond a size.

use crate::time::Timestamp;

/// A value seen with an identity: when first, when last (in event time), how many times.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<T> {
    pub value: T,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub count: u32,
}

/// Where a value was found or put.
pub(super) enum Slot {
    Known(u8),
    New(u8),
}

/// Notes that a value was seen at `at`. In a full list a new value takes the place of the one
/// last seen longest ago; of several, the one seen least; of those, the first.
pub(super) fn see<T>(
    list: &mut Vec<Seen<T>>,
    max: usize,
    at: Timestamp,
    is_it: impl Fn(&T) -> bool,
    make: impl FnOnce() -> T,
) -> Slot {
    // Lists are far shorter than 256.
    let place = |index: usize| u8::try_from(index).unwrap_or(u8::MAX);
    if let Some(index) = list.iter().position(|seen| is_it(&seen.value)) {
        let seen = &mut list[index];
        seen.first_at = seen.first_at.min(at);
        seen.last_at = seen.last_at.max(at);
        seen.count = seen.count.saturating_add(1);
        return Slot::Known(place(index));
    }
    let new = Seen { value: make(), first_at: at, last_at: at, count: 1 };
    let oldest = list.iter().enumerate().min_by_key(|(_, seen)| (seen.last_at, seen.count));
    match oldest.map(|(index, _)| index) {
        Some(index) if list.len() >= max => {
            list[index] = new;
            Slot::New(place(index))
        }
        _ => {
            list.push(new);
            Slot::New(place(list.len() - 1))
        }
    }
}
