//! How many filters does one core compare in a second, on each path, and does it find what a naive
//! count finds? `benches/README.md` says how to read it.

#[expect(dead_code, reason = "the kernel takes no encodings and no disk")]
mod support;

use std::time::Instant;

use musubi::kernel::{Path, Plan, Queries, Tile, scan};
use support::Arguments;

/// Words of a filter: 1,024 bits.
const WORDS: usize = 16;
const THRESHOLD: f64 = 0.8;
/// Filters of each side in a timed scan.
const FILTERS: usize = 10_000;
/// Timed scans; the median is told.
const ROUNDS: usize = 9;
/// Rows of a tile of the oracle.
const ORACLE_ROWS: usize = 4_096;

fn main() {
    let arguments = Arguments::of_process();
    let load = support::load();
    let mut random = Random(arguments.number("--seed", 1));
    let mut row = vec![("load_before", format!("{load:.2}"))];
    let (a, b) = (filters(&mut random, FILTERS), filters(&mut random, FILTERS));
    let mut rates = Vec::new();
    for path in Path::available() {
        let plan = Plan::new(path, WORDS, THRESHOLD, &a, &b).expect("a plan");
        let rate = rate(&plan, &a, &b);
        row.push((of_path(path), format!("{rate:.3}")));
        rates.push((rate, plan.prefix()));
    }
    if let Some((rate, prefix)) = rates.last() {
        row.push(("prefix_words", prefix.to_string()));
        row.push(("words_g_per_s", format!("{:.2}", rate * *prefix as f64)));
    }
    if let Some(path) = Path::detect("avx512") {
        row.extend(of_ports(path));
    }
    let missing = Path::NAMES
        .into_iter()
        .filter(|name| Path::detect(name).is_none());
    missing.for_each(|name| println!("{name}: skipped, not on this processor"));
    let pairs = arguments.number("--oracle", 0);
    if pairs > 0 {
        let start = Instant::now();
        let (compared, found) = oracle(&mut random, pairs);
        row.push(("oracle_pairs", compared.to_string()));
        row.push(("oracle_found", found.to_string()));
        row.push(("oracle_s", format!("{:.0}", start.elapsed().as_secs_f64())));
    }
    support::record(&arguments, "kernel", &row);
}

/// Vector instructions for eight pairs: for each word AND, VPOPCNTQ, ADD; then the bound: MIN, two ADDs, one
/// comparison.
const PORT_INSTRUCTIONS: f64 = 3.0 * WORDS as f64 + 4.0;
/// Vector instructions that a core begins in a cycle: Zen 5 has four ports of 512 bits; other processors with
/// VPOPCNTDQ have fewer, so that the share of the limit looks lower there than it is.
const PORTS: f64 = 4.0;
/// Cycles of a multiplication and an exclusive or, one after the other, on processors of the last ten years.
const CHAIN_CYCLES: f64 = 4.0;
const CHAIN_STEPS: u64 = 20_000_000;

/// How near all 16 words of all pairs come to what the vector ports allow. Rounds of the scan and of the
/// clock take turns; the limit of each round is reckoned with the clock beside it.
fn of_ports(path: Path) -> Vec<(&'static str, String)> {
    let (a, b) = (undecided(0), undecided(32));
    let plan = Plan::new(path, WORDS, THRESHOLD, &a, &b).expect("a plan");
    assert!(plan.prefix() == WORDS, "these filters cannot be pruned");
    let (queries, tiles) = laid_out(&plan, &a, &b);
    let mut rounds: Vec<[f64; 3]> = (0..ROUNDS)
        .map(|_| {
            let before = clock_ghz();
            let rate = scan_rate(&plan, &queries, &tiles);
            let clock = f64::midpoint(before, clock_ghz());
            let limit = clock * PORTS * 8.0 / PORT_INSTRUCTIONS;
            [rate / limit, rate, clock]
        })
        .collect();
    rounds.sort_by(|x, y| x[0].total_cmp(&y[0]));
    let [share, rate, clock] = rounds[ROUNDS / 2];
    vec![
        ("whole_g_per_s", format!("{rate:.3}")),
        ("clock_ghz", format!("{clock:.2}")),
        ("port_limit_g_per_s", format!("{:.3}", rate / share)),
        ("share_of_port_limit", format!("{share:.3}")),
        (
            "share_of_port_limit_best",
            format!("{:.3}", rounds[ROUNDS - 1][0]),
        ),
    ]
}

/// Filters that are alike but for the last word, in which half of the bits are set from bit `first` on:
/// only the last word tells that no pair of the two sides reaches the threshold.
fn undecided(first: u32) -> Vec<u64> {
    let mut filter = [0x0001_0001_0001_0001_u64; WORDS];
    filter[WORDS - 1] = u64::from(u32::MAX) << first;
    filter.repeat(FILTERS)
}

/// Cycles of this core in a second, thousands of millions, by a chain in which each step waits for the one before.
fn clock_ghz() -> f64 {
    let factor = std::hint::black_box(0x9e37_79b9_7f4a_7c15_u64);
    let mut word = std::hint::black_box(1_u64);
    let start = thread_cpu_s();
    for _ in 0..CHAIN_STEPS {
        word = word.wrapping_mul(factor) ^ factor;
    }
    std::hint::black_box(word);
    CHAIN_STEPS as f64 * CHAIN_CYCLES / (thread_cpu_s() - start) / 1e9
}

fn of_path(path: Path) -> &'static str {
    match path.name() {
        "portable" => "portable_g_per_s",
        "neon" => "neon_g_per_s",
        "avx2" => "avx2_g_per_s",
        _ => "avx512_g_per_s",
    }
}

/// Comparisons in a second of this thread's processor time, in thousands of millions: the median.
fn rate(plan: &Plan, a: &[u64], b: &[u64]) -> f64 {
    let (queries, tiles) = laid_out(plan, a, b);
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| scan_rate(plan, &queries, &tiles))
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[ROUNDS / 2]
}

fn laid_out(plan: &Plan, a: &[u64], b: &[u64]) -> (Queries, Vec<Tile>) {
    let tiles = b.chunks(Tile::ROWS_MAX * WORDS);
    let tiles = tiles.map(|rows| Tile::new(plan, rows));
    (Queries::new(plan, a), tiles.collect())
}

fn scan_rate(plan: &Plan, queries: &Queries, tiles: &[Tile]) -> f64 {
    let mut found = Vec::new();
    let start = thread_cpu_s();
    tiles
        .iter()
        .for_each(|tile| scan(plan, queries, tile, &mut found));
    let seconds = thread_cpu_s() - start;
    std::hint::black_box(&found);
    (FILTERS * FILTERS) as f64 / seconds / 1e9
}

/// Compares at least so many pairs on every path and naively; gives how many, and how many reached the
/// threshold. Stops at the first difference.
fn oracle(random: &mut Random, pairs: u64) -> (u64, u64) {
    let (mut compared, mut reached) = (0, 0);
    while compared < pairs {
        let (a, mut b) = (filters(random, 1_024), filters(random, ORACLE_ROWS));
        // Every eighth row is close to a query, on either side of the threshold.
        for row in (0..ORACLE_ROWS).step_by(8) {
            let query = row / 8 % 1_024 * WORDS;
            let noise = random.next() & random.next() & random.next();
            for word in 0..WORDS {
                let noise = noise.rotate_left(word as u32 * 7) & random.next();
                b[row * WORDS + word] = a[query + word] ^ noise;
            }
        }
        let naive = naive(&a, &b);
        for path in Path::available() {
            let plan = Plan::new(path, WORDS, THRESHOLD, &a, &b).expect("a plan");
            let mut found = Vec::new();
            let tile = Tile::new(&plan, &b);
            scan(&plan, &Queries::new(&plan, &a), &tile, &mut found);
            let mut found: Vec<(u32, u32)> = found.iter().map(|it| (it.query, it.row)).collect();
            found.sort_unstable();
            assert!(found == naive, "{} finds other pairs", path.name());
        }
        compared += (a.len() / WORDS * ORACLE_ROWS) as u64;
        reached += naive.len() as u64;
    }
    (compared, reached)
}

/// The pairs at or above the threshold, counted bit by bit in integers: 2·common ≥ 0.8·total.
fn naive(a: &[u64], b: &[u64]) -> Vec<(u32, u32)> {
    let ones = |filter: &[u64]| filter.iter().map(|word| word.count_ones()).sum::<u32>();
    let (rows_a, rows_b) = (a.chunks(WORDS).zip(0..), b.chunks(WORDS));
    let of_b: Vec<u32> = rows_b.clone().map(ones).collect();
    let mut found = Vec::new();
    for (query, index) in rows_a {
        let of_query = ones(query);
        for (row, (filter, of_row)) in rows_b.clone().zip(&of_b).enumerate() {
            let both = query.iter().zip(filter);
            let common: u32 = both.map(|(x, y)| (x & y).count_ones()).sum();
            if 10 * common >= 4 * (of_query + of_row) {
                found.push((index, row as u32));
            }
        }
    }
    found
}

/// Filters of people: 28 bigrams, a few of them very common, 15 bits each; about 375 of 1,024 bits are set.
fn filters(random: &mut Random, count: usize) -> Vec<u64> {
    const BIGRAMS: f64 = 4_000.0;
    let mut filters = vec![0; count * WORDS];
    for filter in filters.chunks_mut(WORDS) {
        for _ in 0..28 {
            // The fifth power of an even number: frequencies near 1/rank^0.8.
            let even = (random.next() >> 11) as f64 / (1_u64 << 53) as f64;
            let mut bits = Random((BIGRAMS * even.powi(5)) as u64);
            for _ in 0..15 {
                let bit = bits.next() % 1_024;
                filter[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
    }
    filters
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

/// Processor time of this thread, seconds.
fn thread_cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = stat.split_whitespace().next();
    first
        .and_then(|word| word.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1e9
}
