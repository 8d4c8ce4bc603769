//! Says which fingerprints a run certainly does not hold: a blocked Bloom filter, 16 bits a fingerprint, and a second opinion of 8 bits.
//!
//! Each new event asks the filters of all runs of the window. One by one they would be as many places in memory, each a miss of every cache:
//! twelve microseconds with ten million fingerprints. So the filters of sixteen runs lie in one [`Shelf`], block beside block. All filters have
//! the same size; that of a short run has fewer bits set.
//!
//! A look into a run in vain reads from the disk while everybody waits for the writer. One filter lets one of seven hundred pass, which is one
//! look for each fifth event with ten million fingerprints; both let one of thirty thousand pass.

use super::{Key, RUN, RunName};

/// Bits in a block.
const BLOCK: usize = 512;
/// Blocks with 16 bits a fingerprint.
const FIRST: usize = RUN * 16 / BLOCK;
/// Blocks with 8 bits a fingerprint, which are only looked at when the first let it pass.
const SECOND: usize = RUN * 8 / BLOCK;
/// Bits that a fingerprint has in a block of the first, and of the second.
const PROBES: (u32, u32) = (6, 4);
/// Filters in a shelf: their blocks of one place are a quarter of a page of memory.
const SIDE_BY_SIDE: usize = 16;
/// A filter with fewer bits, that of a thousand fingerprints, is made from its run when it is needed: that costs less than to keep 192 KB.
const FEW: u32 = 10_000;

/// One cache line: all bits of a fingerprint lie in it.
type Block = [u64; BLOCK / 64];

/// The bits of a fingerprint in one block.
#[derive(Clone, Copy)]
struct Probe {
    block: usize,
    bits: Block,
}

impl Probe {
    /// Takes nine bits of `places` for each probe.
    fn new(block: usize, mut places: u64, probes: u32) -> Self {
        let mut bits = Block::default();
        for _ in 0..probes {
            let place = places as usize % BLOCK;
            bits[place / 64] |= 1 << (place % 64);
            places >>= 9;
        }
        Self { block, bits }
    }

    /// The first and the second of a fingerprint. The key is a digest: its bytes are as good as any hash of it.
    fn both((workspace, key): &Key) -> [Self; 2] {
        let (one, other) = key.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
        let spread = number(one) ^ workspace.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // No bit of the spread says two things.
        let rest = spread / FIRST as u64;
        let second = FIRST + rest as usize % SECOND;
        [
            Self::new(spread as usize % FIRST, number(other), PROBES.0),
            Self::new(second, rest / SECOND as u64, PROBES.1),
        ]
    }

    /// Whether all bits are set. Looks at the whole block, which takes less time than to guess wrong where to stop.
    fn is_in(&self, block: &Block) -> bool {
        let missing = block.iter().zip(&self.bits);
        missing.fold(0, |all, (block, bits)| all | bits & !block) == 0
    }
}

/// The filter of one run.
pub(in super::super) struct Filter(Vec<Block>);

impl Filter {
    pub(in super::super) fn of(keys: impl Iterator<Item = Key>) -> Self {
        let mut blocks = vec![Block::default(); FIRST + SECOND];
        for probe in keys.flat_map(|key| Probe::both(&key)) {
            let block = blocks[probe.block].iter_mut().zip(probe.bits);
            block.for_each(|(block, bits)| *block |= bits);
        }
        Self(blocks)
    }

    /// What is kept on the disk: nothing for a short run.
    pub(in super::super) fn bytes(&self) -> Vec<u8> {
        let words = self.0.iter().flatten();
        if words.clone().map(|word| word.count_ones()).sum::<u32>() < FEW {
            return Vec::new();
        }
        words.flat_map(|word| word.to_le_bytes()).collect()
    }

    /// `None`: nothing was kept, or by an earlier version, whose filters of short runs were smaller. Those of its whole runs are good as they
    /// are, but for the second opinion: that lets everything pass.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (blocks, rest) = bytes.as_chunks();
        let mut blocks: Vec<Block> = blocks.iter().map(block_of_bytes).collect();
        if blocks.len() == FIRST {
            blocks.resize(FIRST + SECOND, [u64::MAX; BLOCK / 64]);
        }
        (blocks.len() == FIRST + SECOND && rest.is_empty()).then_some(Self(blocks))
    }
}

fn block_of_bytes(bytes: &[u8; BLOCK / 8]) -> Block {
    let (words, _) = bytes.as_chunks();
    std::array::from_fn(|at| u64::from_le_bytes(words[at]))
}

/// Filters side by side.
struct Shelf {
    blocks: Vec<[Block; SIDE_BY_SIDE]>,
    /// `None`: a run that is no longer asked.
    runs: Vec<Option<RunName>>,
}

impl Shelf {
    fn new() -> Self {
        Self {
            blocks: vec![[Block::default(); SIDE_BY_SIDE]; FIRST + SECOND],
            runs: Vec::with_capacity(SIDE_BY_SIDE),
        }
    }

    fn push(&mut self, run: RunName, filter: &Filter) {
        let at = self.runs.len();
        for (side_by_side, block) in self.blocks.iter_mut().zip(&filter.0) {
            // Memory that nothing is written to takes none.
            if *block != Block::default() {
                side_by_side[at] = *block;
            }
        }
        self.runs.push(Some(run));
    }
}

/// The filters of all runs.
#[derive(Default)]
pub(super) struct Shelves(Vec<Shelf>);

impl Shelves {
    pub(super) fn push(&mut self, run: RunName, filter: &Filter) {
        match self.0.last_mut().filter(|shelf| shelf.runs.len() < SIDE_BY_SIDE) {
            Some(shelf) => shelf.push(run, filter),
            None => {
                let mut shelf = Shelf::new();
                shelf.push(run, filter);
                self.0.push(shelf);
            }
        }
    }

    /// Forgets all others.
    pub(super) fn retain(&mut self, keep: impl Fn(RunName) -> bool) {
        self.0.retain_mut(|shelf| {
            for run in &mut shelf.runs {
                *run = run.filter(|run| keep(*run));
            }
            shelf.runs.iter().any(Option::is_some)
        });
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The runs that may hold this one, the newest first.
    pub(super) fn that_may_hold(&self, key: &Key) -> impl Iterator<Item = RunName> {
        let [first, second] = Probe::both(key);
        self.0.iter().rev().flat_map(move |shelf| {
            let side_by_side = shelf.blocks[first.block].iter().enumerate();
            let passed = side_by_side.filter(move |(_, block)| first.is_in(block));
            let passed = passed.filter(move |(at, _)| second.is_in(&shelf.blocks[second.block][*at]));
            passed.filter_map(|(at, _)| *shelf.runs.get(at)?).rev()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::days::Day;

    fn key(number: u64) -> Key {
        use sha2::Digest as _;
        let mut key = [0; 16];
        key.copy_from_slice(&sha2::Sha256::digest(number.to_be_bytes())[..16]);
        (1, key)
    }

    fn filter(numbers: std::ops::Range<u64>) -> Filter {
        let keys: Vec<Key> = numbers.map(key).collect();
        Filter::of(keys.into_iter())
    }

    fn name(number: i64) -> RunName {
        let day = Day::of(0);
        RunName { day, number }
    }

    #[test]
    fn a_filter_misses_nothing_that_it_holds_and_passes_little_else() {
        let mut shelves = Shelves::default();
        shelves.push(name(1), &filter(0..65_536));
        assert!((0..65_536).all(|number| shelves.that_may_hold(&key(number)).eq([name(1)])));
        let others = 65_536..365_536;
        let passed = others.filter(|number| shelves.that_may_hold(&key(*number)).next().is_some());
        assert!(passed.count() < 30, "one of ten thousand at most");
    }

    #[test]
    fn each_of_many_filters_answers_for_itself() {
        let mut shelves = Shelves::default();
        for number in 0..40_u64 {
            shelves.push(name(number.cast_signed()), &filter(number * 100..number * 100 + 150));
        }
        let gone = |run: RunName| run.number % 5 == 0 || run.number > 37;
        shelves.retain(|run| !gone(run));
        for number in 0..40_u64 {
            // The first half of its own is in the run before, too.
            let held = shelves.that_may_hold(&key(number * 100 + 20)).collect::<Vec<_>>();
            let by = [number.cast_signed(), number.cast_signed() - 1].map(name);
            let by = by.into_iter().filter(|run| run.number >= 0 && !gone(*run));
            assert_eq!(held, by.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_filter_is_kept_unless_its_run_is_short() {
        let kept = |filter: &Filter| Filter::of_bytes(&filter.bytes());
        let long = filter(0..2_000);
        assert!(kept(&long).is_some_and(|kept| kept.0 == long.0));
        assert!(kept(&filter(0..900)).is_none());
    }

    #[test]
    fn filters_of_whole_runs_of_an_earlier_version_are_good_enough() {
        let bytes = filter(0..65_536).bytes();
        let mut shelves = Shelves::default();
        shelves.push(name(1), &Filter::of_bytes(&bytes[..131_072]).unwrap());
        assert!((0..65_536).all(|number| shelves.that_may_hold(&key(number)).eq([name(1)])));
        let others = 65_536..165_536;
        let passed = others.filter(|number| shelves.that_may_hold(&key(*number)).next().is_some());
        assert!(passed.count() < 400, "four of a thousand at most");
        assert!(Filter::of_bytes(&bytes[..1_024]).is_none());
    }
}
