//! Seeded randomness: one stream for each thing that draws, so that taking one fault out of a plan
//! leaves what all others draw as it was.

use primitives::digest::derive;
use primitives::domain::Domain;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `seed` that `parts` name.
    #[must_use]
    pub fn new(seed: u64, parts: &[&[u8]]) -> Self {
        let seed = seed.to_le_bytes();
        let mut all: Vec<&[u8]> = vec![b"stream", &seed];
        for part in parts {
            all.push(part);
            all.push(b"/");
        }
        Self(ChaCha8Rng::from_seed(derive(Domain::TestKey, &all).0))
    }

    /// The stream of one process for one purpose.
    #[must_use]
    pub fn of_process(seed: u64, process: usize, purpose: &str) -> Self {
        Self::new(seed, &[purpose.as_bytes(), &process.to_le_bytes()])
    }

    /// The stream of one ordered link.
    #[must_use]
    pub fn of_link(seed: u64, from: usize, to: usize) -> Self {
        Self::new(seed, &[b"link", &from.to_le_bytes(), &to.to_le_bytes()])
    }

    /// Any number.
    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.draw()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// True `permille` times in a thousand. Draws even where the answer is certain, so that a rate
    /// can be changed without shifting what comes after.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// A place in something of `length` elements.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// An exponentially distributed number with this mean, at most twenty times it.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        // 53 bits, as many as a double holds; never zero.
        let uniform = ((self.draw() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        ((-uniform.ln() * mean as f64) as u64).min(mean.saturating_mul(20))
    }

    /// The elements in a random order.
    pub fn shuffle<T>(&mut self, elements: &mut [T]) {
        for last in (1..elements.len()).rev() {
            let other = self.place(last + 1);
            elements.swap(last, other);
        }
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_names_differ_and_of_one_name_agree() {
        let draw = |mut stream: Stream| [stream.draw(), stream.draw()];
        let links = [(0, 1), (1, 0), (0, 2)].map(|(a, b)| draw(Stream::of_link(1, a, b)));
        assert!(links[0] != links[1] && links[0] != links[2] && links[1] != links[2]);
        assert_eq!(draw(Stream::of_link(1, 0, 1)), links[0]);
        assert_ne!(draw(Stream::of_link(2, 0, 1)), links[0]);
        let joined = |parts: &[&[u8]]| draw(Stream::new(1, parts));
        assert_ne!(joined(&[b"ab", b"c"]), joined(&[b"a", b"bc"]));
    }

    #[test]
    fn draws_stay_in_their_bounds_and_have_their_means() {
        let mut stream = Stream::new(3, &[b"test"]);
        let (mut sum, mut hits) = (0, 0);
        for _ in 0..10_000 {
            assert!((5..=9).contains(&stream.between(5, 9)));
            sum += stream.exponential(1_000);
            hits += u32::from(stream.chance(250));
        }
        assert!((9_000_000..11_000_000).contains(&sum), "{sum}");
        assert!((2_300..2_700).contains(&hits), "{hits}");
        assert_eq!((stream.below(0), stream.place(1)), (0, 0));
        assert!(!stream.chance(0) && stream.chance(1_000));
    }
}
