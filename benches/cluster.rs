//! How long does it take to group millions of records into people, and how much memory?
//! `benches/README.md` says how to read it.

#[expect(dead_code, reason = "clustering takes no encodings and no disk")]
mod support;

use std::time::Instant;

use musubi::cluster::{self, ClusterRules};
use musubi::terms::profile::LinkageProfile;
use musubi::terms::{CandidatePair, EventKind, Link, MatchWeight, RecordTable, Row};
use support::Arguments;

/// The tags that the rules look at, and no filter: clustering reads none.
const PROFILE: &str = r#"
name = "bench"
version = 1
summary = "What clustering looks at."
event = { year = true }
tag = [
    { name = "given", attributes = ["given_kana", "birth_date", "sex"], block = true },
    { name = "place", attributes = ["municipality", "birth_date", "sex"], block = true },
    { name = "insured", attributes = ["insured_person", "birth_date", "sex"], block = true },
    { name = "branch", attributes = ["insured_branch", "birth_date"], block = true },
]
comparison = [{ name = "sex", rungs = [{ attribute = "sex", m = 0.99, u = 0.5 }] }]
"#;

/// Most records of a person; one to seven are equally common, so four on average.
const RECORDS_MAX: u64 = 7;
/// Of a thousand pairs of one person, so many are links.
const LINKED: u64 = 790;
/// One record in so many has a link to somebody else.
const FALSE_LINKS: u64 = 50;

fn main() {
    let arguments = Arguments::of_process();
    let records = arguments.number("--records", 12_000_000);
    let load = support::load();
    let profile = LinkageProfile::parse(PROFILE).expect("a valid profile");
    let (table, links) = population(&profile, records);
    let rules = ClusterRules::of(&profile, 3.0);
    let (before_mib, _) = support::resident_mib(std::process::id());

    let start = Instant::now();
    let clusters = cluster::solve(&table, &links, &[], &rules);
    let seconds = start.elapsed().as_secs_f64();
    let (_, peak_mib) = support::resident_mib(std::process::id());

    // A day's worth of change: one record in three thousand.
    let touched: Vec<u32> = (0..records as u32).step_by(3_000).collect();
    let start = Instant::now();
    let again = cluster::solve_again(&table, &links, &[], &rules, &clusters, &touched);
    let again_seconds = start.elapsed().as_secs_f64();
    assert!(again == clusters, "nothing changed, and the result did");

    let row = [
        ("records", table.len().to_string()),
        ("links", links.len().to_string()),
        ("clusters", clusters.partition.len().to_string()),
        ("set_aside", clusters.set_aside().len().to_string()),
        (
            "oversize_components",
            clusters.oversize().components.to_string(),
        ),
        ("solve_s", format!("{seconds:.2}")),
        ("solve_again_s", format!("{again_seconds:.2}")),
        (
            "links_per_s",
            format!("{:.0}", links.len() as f64 / seconds),
        ),
        ("input_mib", format!("{before_mib:.0}")),
        ("rss_peak_mib", format!("{peak_mib:.0}")),
        ("load_before", format!("{load:.2}")),
    ];
    support::record(&arguments, "cluster", &row);
}

/// A record: whose it is, and which of theirs.
#[derive(Clone, Copy)]
struct Made {
    person: u64,
    number: u64,
    born: u16,
}

/// Records of people at ten sources in no order, links between those of one person, and some to others.
fn population(profile: &LinkageProfile, records: u64) -> (RecordTable, Vec<Link>) {
    let mut state = 1_u64;
    let mut random = move |below: u64| {
        // SplitMix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    };
    let mut made = Vec::with_capacity(records as usize);
    for person in 1.. {
        let count = (1 + random(RECORDS_MAX)).min(records - made.len() as u64);
        let born = 1930 + random(60) as u16;
        made.extend((0..count).map(|number| Made {
            person,
            number,
            born,
        }));
        if made.len() as u64 == records {
            break;
        }
    }
    // Steps of a prime put the records of a person far apart.
    let mut row_of = vec![0_u32; made.len()];
    let mut table = RecordTable::with_capacity(profile.layout(), made.len());
    for row in 0..records {
        let record = (row * 7_368_787 % records) as usize;
        row_of[record] = row as u32;
        push(&mut table, made[record], &mut random);
    }
    let mut links = Vec::with_capacity(made.len() * 8 / 5);
    let mut link = |a: usize, b: usize, bits: f64| {
        let pair = CandidatePair::new(row_of[a], row_of[b]);
        let weight = MatchWeight(bits);
        links.push(Link { pair, weight });
    };
    for (record, one) in made.iter().enumerate() {
        for other in record - one.number as usize..record {
            if random(1000) < LINKED {
                link(record, other, 8.0 + random(300) as f64 / 10.0);
            }
        }
        if record > 0 && random(FALSE_LINKS) == 0 {
            let other = random(record as u64) as usize;
            link(record, other, 3.0 + random(50) as f64 / 10.0);
        }
    }
    links.sort_unstable_by_key(|link| link.pair);
    links.dedup_by_key(|link| link.pair);
    (table, links)
}

fn push(table: &mut RecordTable, made: Made, random: &mut impl FnMut(u64) -> u64) {
    let Made { person, number, .. } = made;
    let branch = if number % 3 == 0 { person * 8 } else { 0 };
    let is_birth = number == 0;
    table.push(Row {
        filters: &[],
        tags: &[
            person * 8 + 1,
            person / 8 * 8 + 2,
            person / 3 * 8 + 3,
            branch,
        ],
        presence: if branch == 0 { 0b0111 } else { 0b1111 },
        kind: if is_birth {
            EventKind::Birth
        } else {
            EventKind::Claim
        },
        year: made.born + random(30) as u16 * u16::from(!is_birth),
        flags: u32::from(random(1000) == 0),
        source: random(10) as u16,
        key: random(u64::MAX),
    });
}
