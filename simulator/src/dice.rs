//! Seeded randomness: every place that rolls names itself, so that no roll depends on another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A well-mixed number from a seed and the names of a place.
pub(crate) fn mix(seed: u64, tags: &[u64]) -> u64 {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    for tag in tags {
        state = splitmix(state.wrapping_add(splitmix(*tag)));
    }
    splitmix(state)
}

/// A generator for one place.
pub(crate) fn dice(seed: u64, tags: &[u64]) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(mix(seed, tags))
}

/// A number for a piece of text, the same on every machine.
pub(crate) fn text_tag(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
}

fn splitmix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
