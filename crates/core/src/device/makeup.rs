//! What a device is made of, in parts: by three of them that are the same, one is recognised whose fourth has
//! changed.

use std::hash::Hasher;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use siphasher::sip::SipHasher24;

use super::{PASSING, write_object};

/// Bytes of the digest of a part: enough, since three have to be the same.
const PART_BYTES: usize = 4;

/// What changes for a reason of its own while the rest of the device stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Changes with the driver of the graphics card, and where software adds noise.
    Drawing,
    /// Sound, fonts and arithmetic: with what is installed.
    Sound,
    /// With another one plugged in.
    Screen,
    /// Everything else: graphics card, processor, memory, system.
    Machine,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Drawing, Self::Sound, Self::Screen, Self::Machine];

    /// The part that a component belongs to; `None` for what passes.
    pub fn of(component: &str) -> Option<Self> {
        match component {
            "canvas" | "webGlExtensions" => Some(Self::Drawing),
            "audio" | "fonts" | "math" => Some(Self::Sound),
            "colorDepth" | "colorGamut" | "screenResolution" | "touchSupport" => Some(Self::Screen),
            passing if PASSING.contains(&passing) => None,
            _ => Some(Self::Machine),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Drawing => "DRAWING",
            Self::Sound => "SOUND",
            Self::Screen => "SCREEN",
            Self::Machine => "MACHINE",
        }
    }

    /// What is the same and what differs where only this part does.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Drawing => {
                "graphics card, processor, memory, screen, sound and fonts are the same, what it draws differs"
            }
            Self::Sound => {
                "graphics card, processor, memory, screen and what it draws are the same, sound or fonts differ"
            }
            Self::Screen => {
                "graphics card, processor, memory, sound, fonts and what it draws are the same, the screen differs"
            }
            Self::Machine => {
                "screen, sound, fonts and what it draws are the same, graphics card, processor or memory differ"
            }
        }
    }
}

/// A digest of each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Makeup([[u8; PART_BYTES]; Part::ALL.len()]);

impl Makeup {
    /// `None` where a part is not reported: what is left would be true of too many.
    pub fn of(components: &Map<String, Value>) -> Option<Self> {
        let mut digests = [[0; PART_BYTES]; Part::ALL.len()];
        for (digest, part) in digests.iter_mut().zip(Part::ALL) {
            let mut own = components.clone();
            own.retain(|name, _| Part::of(name) == Some(part));
            if own.is_empty() {
                return None;
            }
            let mut canonical = Vec::with_capacity(512);
            write_object(&own, &mut canonical);
            let mut hasher = SipHasher24::new();
            hasher.write(&canonical);
            *digest = ((hasher.finish() >> 32) as u32).to_le_bytes();
        }
        Some(Self(digests))
    }

    /// What stands for all parts but one.
    pub fn all_but(self, part: Part) -> String {
        let others = self.0.iter().zip(Part::ALL).filter(|(_, own)| *own != part);
        others.map(|(digest, _)| hex::encode(digest)).collect()
    }

    /// Whether no repair and no update makes one device of the other: the machine is another one, and more
    /// than that.
    pub fn is_another(self, other: Self) -> bool {
        let differs = |part: Part| self.0[part as usize] != other.0[part as usize];
        let count = Part::ALL.into_iter().filter(|part| differs(*part)).count();
        count > 1 && differs(Part::Machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(change: Value) -> Makeup {
        let mut components = json!({
            "canvas": "c", "webGlExtensions": "x", "audio": 124.04, "fonts": "f", "math": "m",
            "screenResolution": "[1920,1080]", "colorDepth": 24, "touchSupport": "none",
            "hardwareConcurrency": 8, "deviceMemory": 8, "webglRenderer": "ANGLE (Intel)", "userAgent": "Chrome/149",
        });
        let (Value::Object(all), Value::Object(change)) = (&mut components, change) else {
            panic!("objects")
        };
        all.extend(change);
        Makeup::of(all).unwrap()
    }

    #[test]
    fn one_changed_component_leaves_three_parts_the_same() {
        let before = of(json!({}));
        let cases = [
            (json!({"canvas": "d"}), Part::Drawing),
            (json!({"webGlExtensions": "y"}), Part::Drawing),
            (json!({"audio": 124.05}), Part::Sound),
            (json!({"fonts": "g"}), Part::Sound),
            (json!({"screenResolution": "[2560,1440]"}), Part::Screen),
            (json!({"deviceMemory": 16}), Part::Machine),
            (json!({"somethingOfTheNextVersion": 1}), Part::Machine),
        ];
        for (change, changed) in cases {
            let after = of(change.clone());
            let same = Part::ALL.into_iter().filter(|part| before.all_but(*part) == after.all_but(*part));
            assert_eq!(same.collect::<Vec<_>>(), [changed], "{change}");
            assert!(!before.is_another(after), "{change}");
        }
        assert_eq!(of(json!({"userAgent": "Chrome/150", "plugins": 5, "tampered": []})), before);
    }

    #[test]
    fn another_machine_is_told_from_a_repaired_one() {
        let before = of(json!({}));
        assert!(before.is_another(of(json!({"hardwareConcurrency": 4, "canvas": "d"}))));
        assert!(!before.is_another(of(json!({"screenResolution": "[2560,1440]", "canvas": "d"}))));
    }

    #[test]
    fn a_report_without_one_of_the_parts_says_too_little() {
        let Value::Object(components) =
            json!({"canvas": "c", "audio": 1, "colorDepth": 24, "userAgent": "a"})
        else {
            panic!("an object")
        };
        assert_eq!(Makeup::of(&components), None);
    }
}
