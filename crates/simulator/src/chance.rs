//! Seeded chance: ids, tokens and the throws of the dial.

use std::hash::{DefaultHasher, Hash, Hasher};

use rand::distr::Alphanumeric;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// A source of chance that always says the same for the same seed and name.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// The chance called `name` of a simulation with this seed; different names are independent of each other.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (seed, name).hash(&mut hasher);
        Self(StdRng::seed_from_u64(hasher.finish()))
    }

    /// From 0 (included) to 1 (excluded).
    pub fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// From `low` to `high`, both included; `low` when they are the wrong way round.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        if low < high {
            self.0.random_range(low..=high)
        } else {
            low
        }
    }

    /// A random UUID (version 4) in its usual spelling.
    pub fn uuid(&mut self) -> String {
        let bits: u128 = self.0.random();
        let bits = bits & !(0xf << 76) | (0x4 << 76);
        let bits = bits & !(0x3 << 62) | (0x2 << 62);
        hyphenated(&format!("{bits:032x}"))
    }

    /// That many letters and digits.
    pub fn token(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(self.0.sample(Alphanumeric))).collect()
    }
}

/// 32 hexadecimal digits in groups of 8-4-4-4-12; other lengths are returned as they are.
#[must_use]
pub fn hyphenated(hex: &str) -> String {
    if hex.len() != 32 || !hex.is_ascii() {
        return hex.to_owned();
    }
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_name_say_the_same_and_others_do_not() {
        let say = |seed, name| {
            let mut chance = Chance::new(seed, name);
            (chance.uuid(), chance.token(20), chance.between(1, 1_000_000))
        };
        assert_eq!(say(7, "notion"), say(7, "notion"));
        assert_ne!(say(7, "notion"), say(8, "notion"));
        assert_ne!(say(7, "notion"), say(7, "hubspot"));
    }

    #[test]
    fn a_uuid_has_version_four_and_the_usual_variant() {
        let mut chance = Chance::new(1, "");
        for _ in 0..100 {
            let uuid = chance.uuid();
            let parts: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(parts, [8, 4, 4, 4, 12]);
            assert!(uuid[14..].starts_with('4') && "89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
}
