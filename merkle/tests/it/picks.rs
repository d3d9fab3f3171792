use std::ops::Range;

/// Which leaves of trees of `count` leaves are proven.
pub(crate) struct Picks {
    pub(crate) count: u64,
    pub(crate) indices: Vec<u64>,
    pub(crate) ranges: Vec<Range<u64>>,
    /// Ascending, of at least one.
    pub(crate) sets: Vec<Vec<u64>>,
}

impl Picks {
    /// Up to 8 leaves every index, range and set; of more some, at the ends and in the middle.
    pub(crate) fn of(count: u64) -> Self {
        if count > 8 {
            return Self::some(count);
        }
        let ranges = (0..count).flat_map(|first| (first + 1..=count).map(move |end| first..end));
        let members = |set: u64| (0..count).filter(|at| set >> at & 1 == 1).collect();
        Self {
            count,
            indices: (0..count).collect(),
            ranges: ranges.collect(),
            sets: (1..1 << count).map(members).collect(),
        }
    }

    fn some(count: u64) -> Self {
        let (half, last) = (count.div_ceil(2), count - 1);
        let row = |first: u64| first..(first + 20).min(count);
        Self {
            count,
            indices: vec![0, 1, half - 1, half, half + 1, last - 1, last],
            ranges: vec![row(0), row(count / 3), half..half + 1, last - 5..count],
            sets: vec![
                vec![0],
                vec![last],
                vec![3, 4, 5, half, last - 3],
                row(count / 2).collect(),
            ],
        }
    }

    /// The numbers, and some beyond them that no map has.
    pub(crate) fn with_absent(&self, numbers: &[u64]) -> Vec<u64> {
        let absent = self.count..self.count + 3;
        numbers.iter().copied().chain(absent).collect()
    }
}
