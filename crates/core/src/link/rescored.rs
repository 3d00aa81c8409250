//! Who is scored again because somebody else has come to one of their keys.

use crate::key::KeyKind;

/// The kinds of keys of which a newcomer is news to the others. What is weak alone, a network or letters in
/// common, waits for each one's own next cycle.
pub const NEWS_KINDS: [KeyKind; 4] = [KeyKind::Device, KeyKind::Ip, KeyKind::Session, KeyKind::Phone];
/// Identities that are scored again because a new one shares a device with them: the newest.
const RESCORED_MAX: usize = 20;
/// The same for an address or a phone number, and only while few share it: on a busy one a newcomer says
/// nothing.
const RESCORED_ON_COMMON_MAX: usize = 8;

/// Those of the holders of a key of this kind, newest first and at most [`KeyKind::others_max`] and one, who
/// are scored again; the newcomers themselves are.
pub fn rescored<T: Copy>(kind: KeyKind, holders: &[T], is_newcomer: impl Fn(T) -> bool) -> Vec<T> {
    let is_common = !matches!(kind, KeyKind::Device | KeyKind::Session);
    if !NEWS_KINDS.contains(&kind) || is_common && holders.len() > RESCORED_ON_COMMON_MAX {
        return Vec::new();
    }
    holders.iter().copied().filter(|holder| !is_newcomer(*holder)).take(RESCORED_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_is_news_to_the_newest_of_a_device_and_to_few_of_an_address() {
        let found = |kind, holders: i64| rescored(kind, &(0..holders).collect::<Vec<_>>(), |id| id == 0);
        assert_eq!(found(KeyKind::Device, 100), (1..21).collect::<Vec<_>>());
        assert_eq!(found(KeyKind::Ip, 8), (1..8).collect::<Vec<_>>());
        assert!(found(KeyKind::Phone, 9).is_empty());
        assert_eq!(found(KeyKind::Session, 11), (1..11).collect::<Vec<_>>());
        assert!(found(KeyKind::Network, 3).is_empty());
    }
}
