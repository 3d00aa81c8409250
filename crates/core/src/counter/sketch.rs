//! How many different values there were: exactly while they are few, and an estimate from then on.
//!
//! A HyperLogLog keeps, for each of [`REGISTERS`] parts of all hashes, how rare the rarest of them was. Two are one by
//! the greater of each pair, so that no order matters. The estimate is that of Apache DataSketches, which corrects it at
//! both ends of the range; see Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog" (2007) for how it errs.

use datasketches::hll::HllSketch;
use serde::{Deserialize, Serialize};

/// Different values that are counted exactly.
pub const EXACT_MAX: usize = 64;
/// Binary logarithm of [`REGISTERS`].
const REGISTERS_LOG: u8 = 9;
/// Of an estimate. More err less, and take more bytes: as many as these, each bucket.
const REGISTERS: usize = 1 << REGISTERS_LOG;
/// The standard error of an estimate, as a share of it: 1.04 / √[`REGISTERS`].
pub const STANDARD_ERROR: f64 = 0.046;

/// The values that were seen, by their hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sketch {
    /// Sorted, each once.
    Exact(Vec<u64>),
    Estimated(Vec<u8>),
}

impl Sketch {
    /// That of these hashes, in any order.
    pub fn of(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        if hashes.len() <= EXACT_MAX { Self::Exact(hashes) } else { Self::Estimated(registers(&hashes)) }
    }

    /// Adds what another one has seen.
    pub fn merge(&mut self, other: &Self) {
        let merged = match (&*self, other) {
            (Self::Exact(one), Self::Exact(other)) => Self::of([one.as_slice(), other].concat()),
            (Self::Exact(few), Self::Estimated(many)) | (Self::Estimated(many), Self::Exact(few)) => {
                Self::Estimated(greater(many, &registers(few)))
            }
            (Self::Estimated(one), Self::Estimated(other)) => Self::Estimated(greater(one, other)),
        };
        *self = merged;
    }

    /// Whether it is one that this version writes.
    pub fn is_sound(&self) -> bool {
        match self {
            Self::Exact(hashes) => hashes.len() <= EXACT_MAX && hashes.is_sorted_by(|one, next| one < next),
            Self::Estimated(registers) => {
                registers.len() == REGISTERS && registers.iter().all(|register| *register <= REGISTER_MAX)
            }
        }
    }
}

/// How many different values all of these have seen together. What more than one has seen counts once.
pub fn distinct<'s>(sketches: impl Iterator<Item = &'s Sketch>) -> f64 {
    let (mut few, mut many) = (Vec::new(), None);
    for sketch in sketches {
        match sketch {
            Sketch::Exact(hashes) => few.extend_from_slice(hashes),
            Sketch::Estimated(registers) => {
                many =
                    Some(many.map_or_else(|| registers.clone(), |many: Vec<u8>| greater(&many, registers)));
            }
        }
    }
    few.sort_unstable();
    few.dedup();
    match many {
        #[expect(clippy::cast_precision_loss, reason = "so many buckets of so few have few")]
        None => few.len() as f64,
        Some(many) => estimate(&greater(&many, &registers(&few))),
    }
}

/// The rarest of all: the zeros in front of a hash whose last bits say the register, and one.
const REGISTER_MAX: u8 = 64 - REGISTERS_LOG + 1;

fn registers(hashes: &[u64]) -> Vec<u8> {
    let mut registers = vec![0; REGISTERS];
    for hash in hashes {
        let register = usize::try_from(*hash).unwrap_or(usize::MAX) & (REGISTERS - 1);
        let zeros = u8::try_from((hash >> REGISTERS_LOG).leading_zeros()).unwrap_or(u8::MAX) - REGISTERS_LOG;
        registers[register] = registers[register].max(zeros + 1);
    }
    registers
}

fn greater(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter().zip(other).map(|(one, other)| *one.max(other)).collect()
}

/// The library's estimate, rounded. It takes registers in the form in which all implementations of DataSketches write
/// them, with the sum of 2^-register and the number of zeros beside them, which follow from them.
fn estimate(registers: &[u8]) -> f64 {
    /// Registers from here on are summed up apart.
    const RARE: u8 = 32;
    let sum = |is_rare: bool| -> f64 {
        let those = registers.iter().filter(|register| (**register >= RARE) == is_rare);
        those.map(|register| (-f64::from(*register)).exp2()).sum()
    };
    let zeros = u32::try_from(registers.iter().filter(|register| **register == 0).count()).unwrap_or(0);
    // Ten words before the registers, version 1, HyperLogLog, so many registers; in no order; one byte a register.
    let mut image = vec![10, 1, 7, REGISTERS_LOG, 0, 0b1_0000, 0, 0b1010];
    for number in [0.0, sum(false), sum(true)] {
        image.extend(f64::to_le_bytes(number));
    }
    image.extend(zeros.to_le_bytes());
    image.extend(0_u32.to_le_bytes());
    image.extend(registers);
    HllSketch::deserialize(&image).map_or(0.0, |sketch| sketch.composite_estimate().round())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, and are always the same.
    pub fn scattered(number: u64) -> u64 {
        // Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).
        let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn sketch(numbers: std::ops::Range<u64>) -> Sketch {
        Sketch::of(numbers.map(scattered).collect())
    }

    #[test]
    fn few_are_counted_and_many_are_estimated() {
        for count in [0, 1, 2, 63, 64] {
            assert_eq!(distinct([sketch(0..count)].iter()), count as f64);
        }
        let (mut squares, mut trials) = (0.0, 0.0);
        for count in [65, 100, 300, 1_000, 3_000, 10_000, 100_000] {
            for trial in 0..20 {
                let first = trial * 1_000_000;
                let error = distinct([sketch(first..first + count)].iter()) / count as f64 - 1.0;
                assert!(error.abs() < 4.0 * STANDARD_ERROR, "{count}: {error}");
                squares += error * error;
                trials += 1.0;
            }
        }
        let standard = f64::sqrt(squares / trials);
        assert!((0.5..1.25).contains(&(standard / STANDARD_ERROR)), "{standard}");
    }

    #[test]
    fn parts_make_the_whole_in_any_order() {
        for count in [40, 64, 65, 90, 500, 5_000] {
            let whole = sketch(0..count);
            for cut in [0, 1, count / 3, count / 2, count] {
                let (one, other) = (sketch(0..cut), sketch(cut / 2..count));
                let (mut first, mut second) = (one.clone(), other.clone());
                first.merge(&other);
                second.merge(&one);
                assert_eq!((&first, &second), (&whole, &whole), "{count} cut at {cut}");
                // Buckets of few are counted together exactly, though one of all of them would not be.
                let error = distinct([one, other].iter()) / count as f64 - 1.0;
                assert!(error.abs() < 4.0 * STANDARD_ERROR, "{count} cut at {cut}: {error}");
            }
        }
    }

    #[test]
    fn extreme_registers_are_estimated_as_well() {
        for register in [0, 1, 31, 32, REGISTER_MAX] {
            let sketch = Sketch::Estimated(vec![register; REGISTERS]);
            assert!(sketch.is_sound() && distinct([sketch].iter()).is_finite(), "{register}");
        }
        assert_eq!(registers(&[0])[0], REGISTER_MAX);
        assert!(!Sketch::Estimated(vec![REGISTER_MAX + 1; REGISTERS]).is_sound());
        assert!(!Sketch::Estimated(vec![0; REGISTERS - 1]).is_sound());
        assert!(!Sketch::Exact(vec![2, 1]).is_sound() && !Sketch::Exact(vec![1, 1]).is_sound());
    }
}
