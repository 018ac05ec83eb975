//! What the store must know: plain maps, brought up to date by what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use musubi::terms::profile::Layout;
use musubi::terms::{
    EventKind, LinkageProfile, Receipt, RecordEncoding, RecordRef, RunId, SourceId,
    SubmissionHasher, SubmissionHeader,
};

use crate::ops::Record;

/// (source, record ref).
pub type Key = (String, String);

/// (source, request).
pub type Request = (u8, u16);

/// Entities by record.
pub type Entities = BTreeMap<Key, u128>;

pub fn profile() -> &'static (LinkageProfile, Layout) {
    static PROFILE: OnceLock<(LinkageProfile, Layout)> = OnceLock::new();
    PROFILE.get_or_init(|| {
        let profile = LinkageProfile::built_in("jp-standard").expect("built in");
        let layout = profile.layout();
        (profile, layout)
    })
}

pub fn source_name(source: u8) -> String {
    format!("source_{source}")
}

pub fn header((source, request): Request) -> SubmissionHeader {
    SubmissionHeader {
        source: SourceId::new(source_name(source)).expect("source"),
        profile: profile().0.fingerprint(),
        epoch: "2026".into(),
        request_id: format!("request-{request}"),
    }
}

/// An encoding; equal content, equal bytes.
pub fn encoding((label, version, content): Record) -> RecordEncoding {
    let layout = &profile().1;
    let word = |at: usize| content.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (at as u64 + 1) << 32 | 1;
    RecordEncoding {
        record_ref: RecordRef::new(&format!("ref-{label}")).expect("label"),
        version,
        kind: EventKind::Hospital,
        year: 0,
        flags: 0,
        presence: layout.presence_all(),
        filters: (0..layout.filter_words()).map(word).collect(),
        tags: (0..layout.tag_slots()).map(word).collect(),
    }
}

/// What a submission does to the live records.
pub struct Outcome {
    /// Accepted, unchanged, refused.
    pub counts: [u64; 3],
    /// Hash over what was accepted.
    pub content_hash: String,
    changes: Vec<(Key, (u32, u64))>,
}

/// A state of a value that may be one of several after a crash.
#[derive(Clone)]
pub struct Uncertain<T> {
    /// The last one acknowledged.
    pub acknowledged: Option<T>,
    /// Later ones, not acknowledged.
    pub since: Vec<T>,
}

impl<T> Default for Uncertain<T> {
    fn default() -> Self {
        Self {
            acknowledged: None,
            since: Vec::new(),
        }
    }
}

impl<T: PartialEq + Clone> Uncertain<T> {
    pub fn acknowledge(&mut self, value: T) {
        self.acknowledged = Some(value);
        self.since.clear();
    }

    /// Takes what was found after a reopening as the truth.
    pub fn resolve(&mut self, found: Option<T>) {
        assert!(
            found == self.acknowledged || (self.since.iter()).any(|it| Some(it) == found.as_ref()),
            "what is found was never given, or what was acknowledged is gone"
        );
        self.acknowledged = found;
        self.since.clear();
    }
}

#[derive(Default)]
pub struct Oracle {
    /// Live records: version, content.
    pub live: BTreeMap<Key, (u32, u64)>,
    /// Acknowledged submissions: receipt, records.
    pub taken: BTreeMap<Request, (Receipt, Vec<Record>)>,
    /// Records that do not come back.
    pub erased: BTreeSet<Key>,
    /// An erasure that may have happened.
    pub erasing: Option<BTreeSet<Key>>,
    /// Submissions that may be there after a crash.
    pub uncertain: BTreeMap<Request, Vec<Vec<Record>>>,
    /// Submissions that were never committed.
    pub dropped: BTreeSet<Request>,
    /// Chain values of acknowledged log entries.
    pub heads: BTreeSet<String>,
    /// Runs by number: their marks.
    pub runs: BTreeMap<u8, Uncertain<u64>>,
    /// The run in force.
    pub published: Uncertain<RunId>,
    /// Entities of every run that was ever tried.
    pub entities: BTreeMap<RunId, Entities>,
}

impl Oracle {
    /// What a submission would do now.
    pub fn judge(&self, source: u8, records: &[Record]) -> Outcome {
        let mut taken: BTreeMap<u8, u64> = BTreeMap::new();
        let mut hasher = SubmissionHasher::new();
        let mut outcome = Outcome {
            counts: [0; 3],
            content_hash: String::new(),
            changes: Vec::new(),
        };
        for record in records {
            let (label, version, content) = *record;
            let key = (source_name(source), format!("ref-{label}"));
            let verdict = match (taken.get(&label), self.live.get(&key)) {
                (Some(before), _) if *before == content_of(record) => 1,
                (Some(_), _) => 2,
                (None, _) if self.erased.contains(&key) => 2,
                (None, None) => 0,
                (None, Some((held, _))) if version > *held => 0,
                (None, Some(held)) if *held == (version, content) => 1,
                (None, Some(_)) => 2,
            };
            outcome.counts[verdict] += 1;
            if verdict < 2 {
                taken.insert(label, content_of(record));
            }
            if verdict == 0 {
                hasher.add(Some(&encoding(*record)));
                outcome.changes.push((key, (version, content)));
            }
        }
        outcome.content_hash = blake3::Hash::from_bytes(hasher.finish())
            .to_hex()
            .to_string();
        outcome
    }

    /// Forgets records.
    pub fn erase(&mut self, keys: BTreeSet<Key>) {
        self.live.retain(|key, _| !keys.contains(key));
        for entities in self.entities.values_mut() {
            entities.retain(|key, _| !keys.contains(key));
        }
        self.erased.extend(keys);
    }

    /// Takes in a submission that is there: its receipt must say what the oracle finds.
    pub fn take(&mut self, request: Request, records: Vec<Record>, receipt: Receipt) {
        let outcome = self.judge(request.0, &records);
        let refused = receipt.refused.values().sum();
        assert_eq!(
            [receipt.accepted, receipt.unchanged, refused],
            outcome.counts,
            "the counts of the receipt"
        );
        assert_eq!(receipt.content_hash, outcome.content_hash, "content digest");
        self.live.extend(outcome.changes);
        self.heads.insert(receipt.log_head.clone());
        self.uncertain.remove(&request);
        let before = self.taken.insert(request, (receipt, records));
        assert!(before.is_none(), "a request is carried out once");
    }
}

/// What the content hash of a record depends on, the label left out: two records of one label are
/// equal if this is.
fn content_of((_, version, content): &Record) -> u64 {
    // Whether the version is part of the content hash is checked once, here.
    static WITH_VERSION: OnceLock<bool> = OnceLock::new();
    let with = *WITH_VERSION
        .get_or_init(|| encoding((0, 1, 0)).content_hash() != encoding((0, 2, 0)).content_hash());
    if with {
        content * 1_000 + u64::from(*version)
    } else {
        *content
    }
}

/// Chain values of all entries of a log, each recomputed from its bytes.
///
/// Stops at a torn tail; everything before it must be whole.
pub fn chain(log: &[u8]) -> Vec<String> {
    const PREFIX: usize = 17;
    let mut previous: [u8; 32] = log[32..64].try_into().expect("32 bytes");
    assert_eq!(*blake3::hash(&log[..32]).as_bytes(), previous, "log header");
    let mut values = Vec::new();
    let mut at = 64;
    while let Some(prefix) = log.get(at..at + PREFIX) {
        let length = u32::from_le_bytes(prefix[..4].try_into().expect("4 bytes")) as usize;
        let end = at + PREFIX + length;
        let Some(stored) = log.get(end..end + 32) else {
            break;
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&previous).update(&log[at..end]);
        if hasher.finalize().as_bytes() != stored {
            break;
        }
        previous = stored.try_into().expect("32 bytes");
        values.push(blake3::Hash::from_bytes(previous).to_hex().to_string());
        at = end + 32;
    }
    values
}
