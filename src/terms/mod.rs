//! The glossary as types: what flows between rooms, with units.
//!
//! | term | meaning | type |
//! |---|---|---|
//! | source | organisation that holds persons' data and submits encodings | [`SourceId`] |
//! | record | one row at a source about one person; never on the server in clear | – |
//! | record ref | the source's opaque label of a record | [`RecordRef`] |
//! | attribute | normalised, comparable piece of an identity | [`Attribute`] |
//! | gram | piece of an attribute's value that is hashed into a filter (source only) | – |
//! | filter | Bloom filter: fixed-length bit vector | [`profile::FilterRecipe`] |
//! | flags | what a source tells about a record in clear, by bit | [`RecordFlag`] |
//! | tracer | record of an invented person, planted by sources to measure recall | [`RecordFlag::Tracer`] |
//! | tag | keyed equality value of a combination of attributes | [`profile::TagRecipe`] |
//! | encoding | the privacy-preserving form of one record: filters, tags, presence mask | [`RecordEncoding`] |
//! | event year | calendar year of the event that a record tells about, if the profile asks for it | `u16`, 0 is not stated |
//! | source check | rule that a source checks in the clear and tells by a bit | [`SourceCheck`] |
//! | linkage profile | the agreed recipe, fingerprinted | [`LinkageProfile`] |
//! | linkage secret | key shared by sources; never on the server | – |
//! | epoch | one profile and one secret; encodings compare only within it | `String` |
//! | submission | one atomic upload by one source | [`SubmissionHeader`], [`Receipt`] |
//! | candidate pair | two rows worth comparing | [`CandidatePair`] |
//! | comparison vector γ | one agreement level per comparison; missing is its own level | [`ComparisonVector`] |
//! | m, u | P(level given same person), P(level given different persons), `[0, 1]` | [`run::LevelReport`] |
//! | prior λ | P(a random pair is one person), `(0, 1)` | `prior_probability` |
//! | match weight | log2(λ/(1−λ)) + Σ log2(m/u), bits | [`MatchWeight`] |
//! | threshold | lower and upper cut on the match weight, bits | [`Thresholds`] |
//! | decision | the machine's: link, review, non-link | [`Decision`] |
//! | link | a pair decided to be one person | [`Link`] |
//! | verdict | a person's decision on a pair: one person or not | [`Verdict`] |
//! | cluster | rows that one run believes to be one person | `Vec<RowIndex>` |
//! | entity | the lasting identity that a cluster continues across runs | [`EntityId`] |
//! | project | an approved use of linked data, with one recipient and one output domain | [`Project`] |
//! | pseudonym | what one project calls one entity | [`Pseudonym`] |
//! | run, step | one execution of the linkage job; one room's part of it | [`run::Run`] |

mod attribute;
mod blocking;
mod check;
mod clustering;
mod encoding;
mod erasure;
mod flags;
mod history;
mod ids;
mod linkage;
pub mod methods;
pub mod people;
pub mod profile;
mod project;
mod pseudonym;
pub mod run;
mod submission;
mod table;

pub use attribute::{Attribute, AttributeSet};
pub use blocking::{AuditScan, BlockingAudit, BlockingReport, PassReason, PassReport};
pub use check::SourceCheck;
pub use clustering::{
    Churn, ClusteringReport, FalseMergeEstimate, LinkSetAside, OversizeReport, SetAsideCount,
    SetAsideReason, Verdict,
};
pub use encoding::{ENCODING_BYTES_MAX, EVENT_YEARS, EventKind, RecordEncoding, ShapeError};
pub use erasure::ErasureReceipt;
pub use flags::{RecordFlag, TRACER_PREFIX, tracer_number};
pub use history::IdState;
pub use ids::{EntityId, IdError, RecordRef, RunId, SourceId};
pub use linkage::{
    COMPARISONS_MAX, CandidatePair, ComparisonVector, Decision, Level, Link, MatchWeight,
    Thresholds,
};
pub use profile::{Fingerprint, LinkageProfile, ProfileError};
pub use project::{OutputDomain, Project, ProjectId};
pub use pseudonym::{Pseudonym, PseudonymError, PseudonymVersion};
pub use submission::{Receipt, RefusalReason, SubmissionHasher, SubmissionHeader};
pub use table::{Columns, RecordTable, Row, RowIndex};
