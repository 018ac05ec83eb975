//! How filters lie in memory for a scan.

use super::{Match, Plan, ones, similarity};

/// Filters side by side in a line.
pub(super) const LANES: usize = 8;
/// Queries that go over a tile together.
const QUERIES: usize = 4;
/// The need of a lane or a query that is only there to fill up: no count reaches it.
const NEVER: u64 = u32::MAX as u64;
/// Taken off a need before it is rounded down, so that no rounding of floats can lose a match.
const SLACK: f64 = 1e-6;

/// One number of each of eight filters, on a cache line of its own.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u64; LANES]);

/// What tile, queries and plan must agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) words: usize,
    pub(super) prefix: usize,
    pub(super) threshold_bits: u64,
}

impl Shape {
    /// Half of the common ones that a filter with so many ones asks for, rounded down. A pair
    /// with `a` and `b` ones matches only if it shares at least `half(a) + half(b)`.
    fn half_need(self, ones: u32) -> u64 {
        let half = f64::from_bits(self.threshold_bits) * f64::from(ones) / 2.0;
        (half - SLACK).max(0.0) as u64
    }
}

/// Up to [`Tile::ROWS_MAX`] filters, eight side by side.
///
/// # Shape
/// `lines`: per eight rows one line a word. `need` and `rest`: one line per eight rows.
///
/// # Privacy
/// Holds encodings: no `Debug`.
pub struct Tile {
    shape: Shape,
    lines: Vec<Line>,
    pub(super) need: Vec<Line>,
    pub(super) rest: Vec<Line>,
    ones: Vec<u32>,
}

impl Tile {
    /// Rows of a tile at most: 4,096 filters of 1,024 bits fill half of an L2 cache of 1 MiB.
    pub const ROWS_MAX: usize = 4096;

    /// Lays out filters for a plan.
    ///
    /// # Shape
    /// `filters`: one after the other, as many words each as the plan says.
    ///
    /// # Panics
    /// If there are more than [`Self::ROWS_MAX`] filters.
    #[must_use]
    pub fn new(plan: &Plan, filters: &[u64]) -> Self {
        let shape = plan.shape();
        let rows = filters.len() / shape.words;
        assert!(
            rows <= Self::ROWS_MAX,
            "a tile holds {} rows",
            Self::ROWS_MAX
        );
        let blocks = rows.div_ceil(LANES);
        let mut tile = Self {
            shape,
            lines: vec![Line([0; LANES]); blocks * shape.words],
            need: vec![Line([NEVER; LANES]); blocks],
            rest: vec![Line([0; LANES]); blocks],
            ones: Vec::with_capacity(rows),
        };
        for (row, filter) in filters.chunks_exact(shape.words).enumerate() {
            let (block, lane) = (row / LANES, row % LANES);
            let lines = &mut tile.lines[block * shape.words..][..shape.words];
            for (line, word) in lines.iter_mut().zip(filter) {
                line.0[lane] = *word;
            }
            let count = ones(filter);
            tile.ones.push(count);
            tile.need[block].0[lane] = shape.half_need(count);
            tile.rest[block].0[lane] = u64::from(ones(&filter[shape.prefix..]));
        }
        tile
    }

    /// Number of filters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ones.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ones.is_empty()
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// Per eight rows: the lines of the prefix and the lines of the rest.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&[Line], &[Line])> {
        let blocks = self.lines.chunks_exact(self.shape.words);
        blocks.map(|lines| lines.split_at(self.shape.prefix))
    }
}

/// Filters that go over tiles, four at a time.
///
/// # Privacy
/// Holds encodings: no `Debug`.
pub struct Queries {
    shape: Shape,
    groups: Vec<Group<QUERIES>>,
}

impl Queries {
    /// Lays out filters for a plan; see [`Tile::new`] for their shape.
    #[must_use]
    pub fn new(plan: &Plan, filters: &[u64]) -> Self {
        let shape = plan.shape();
        let groups = filters.chunks(QUERIES * shape.words).enumerate();
        let groups = groups.map(|(index, some)| Group::new(shape, some, index * QUERIES));
        Self {
            shape,
            groups: groups.collect(),
        }
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn groups(&self) -> &[Group<QUERIES>] {
        &self.groups
    }
}

/// `Q` queries side by side.
pub(super) struct Group<const Q: usize> {
    prefix: usize,
    words: Vec<[u64; Q]>,
    pub(super) need: [u64; Q],
    pub(super) rest: [u64; Q],
    ones: [u32; Q],
    first: u32,
}

impl<const Q: usize> Group<Q> {
    fn new(shape: Shape, filters: &[u64], first: usize) -> Self {
        let mut group = Self {
            prefix: shape.prefix,
            words: vec![[0; Q]; shape.words],
            need: [NEVER; Q],
            rest: [0; Q],
            ones: [0; Q],
            first: first as u32,
        };
        for (query, filter) in filters.chunks_exact(shape.words).enumerate() {
            for (words, word) in group.words.iter_mut().zip(filter) {
                words[query] = *word;
            }
            group.ones[query] = ones(filter);
            group.need[query] = shape.half_need(group.ones[query]);
            group.rest[query] = u64::from(ones(&filter[shape.prefix..]));
        }
        group
    }

    /// The words of the prefix and those of the rest.
    pub(super) fn words(&self) -> (&[[u64; Q]], &[[u64; Q]]) {
        self.words.split_at(self.prefix)
    }

    /// Adds the pair of `query` and `row` to `found`, if its similarity reaches the threshold.
    ///
    /// The lanes decide with rounded bounds; this test is the exact one.
    pub(super) fn settle(
        &self,
        (query, row): (usize, usize),
        common: u64,
        (tile, threshold): (&Tile, f64),
        found: &mut Vec<Match>,
    ) {
        let (common, total) = (common as u32, self.ones[query] + tile.ones[row]);
        if similarity(common, total) >= threshold {
            found.push(Match {
                query: self.first + query as u32,
                row: row as u32,
                common,
                total,
            });
        }
    }
}
