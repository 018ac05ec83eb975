//! What was read and what was not, in counts and line numbers; never a value.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::encode::Field;
use crate::encode::normalise::Note;
use crate::terms::{Attribute, AttributeSet};

/// Example lines kept for each reason.
const EXAMPLE_LINES: usize = 5;

/// Why one row is refused while the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowRefusal {
    /// The record ref is empty, too long, or holds control characters.
    RecordRef,
    /// The record ref stood on an earlier line.
    DuplicateRecordRef,
    /// The row has more or fewer columns than the header.
    ColumnCount,
    /// The version is no number from 1 to 4,294,967,295.
    Version,
    /// The flags are no number, or hold a bit that only musubi-encode sets.
    Flags,
    /// No field gives an attribute: there is nothing to link by.
    NoIdentity,
    /// Not a JSON object in UTF-8 (FHIR).
    Json,
    /// A Coverage whose beneficiary is no Patient of the file (FHIR).
    CoverageWithoutPatient,
    /// A segment that does not begin with three letters or digits and the field separator, or that
    /// stands where it may not (HL7 v2).
    Segment,
    /// A message without a PID segment (HL7 v2).
    NoPid,
    /// The bytes are not of the charset that the message declares, or it declares an unknown one
    /// (HL7 v2).
    MessageCharset,
    /// A receipt record with too few items (receipt files).
    ReceiptItems,
    /// A receipt record outside a receipt (receipt files).
    ReceiptOrder,
}

impl RowRefusal {
    /// The reason's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RecordRef => "record_ref",
            Self::DuplicateRecordRef => "duplicate_record_ref",
            Self::ColumnCount => "column_count",
            Self::Version => "version",
            Self::Flags => "flags",
            Self::NoIdentity => "no_identity",
            Self::Json => "json",
            Self::CoverageWithoutPatient => "coverage_without_patient",
            Self::Segment => "segment",
            Self::NoPid => "no_pid",
            Self::MessageCharset => "message_charset",
            Self::ReceiptItems => "receipt_items",
            Self::ReceiptOrder => "receipt_order",
        }
    }
}

/// What became of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ReadReport {
    /// Records read.
    pub records: u64,
    /// Those among them that hold a further name of a person, under its record ref with `#2`, `#3`, ….
    pub aliases: u64,
    /// Rows refused, by reason.
    pub refused: BTreeMap<RowRefusal, u64>,
    /// Fields that ran into a rule, as `field: rule`.
    pub notes: BTreeMap<String, u64>,
    /// Records that have each attribute, by its name.
    pub filled: BTreeMap<&'static str, u64>,
    /// The first lines with each reason or note, at most five.
    pub first_lines: BTreeMap<String, Vec<u64>>,
}

/// Counts while reading, by code; [`Tally::report`] gives them names.
#[derive(Default)]
pub(super) struct Tally {
    records: u64,
    aliases: u64,
    refused: BTreeMap<RowRefusal, Seen>,
    notes: BTreeMap<Note, Seen>,
    filled: Vec<u64>,
}

#[derive(Default)]
struct Seen {
    count: u64,
    lines: Vec<u64>,
}

impl Seen {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < EXAMPLE_LINES {
            self.lines.push(line);
        }
    }
}

impl Tally {
    pub(super) fn refuse(&mut self, reason: RowRefusal, line: u64) {
        self.refused.entry(reason).or_default().add(line);
    }

    pub(super) fn note(&mut self, note: Note, line: u64) {
        self.notes.entry(note).or_default().add(line);
    }

    pub(super) fn record(&mut self, filled: AttributeSet, is_alias: bool) {
        self.records += 1;
        self.aliases += u64::from(is_alias);
        self.filled.resize(Attribute::ALL.len(), 0);
        for (attribute, count) in Attribute::ALL.iter().zip(&mut self.filled) {
            *count += u64::from(filled.contains(*attribute));
        }
    }

    pub(super) fn report(&self) -> ReadReport {
        let mut report = ReadReport {
            records: self.records,
            aliases: self.aliases,
            ..ReadReport::default()
        };
        for (reason, seen) in &self.refused {
            report.refused.insert(*reason, seen.count);
            report
                .first_lines
                .insert(reason.name().to_owned(), seen.lines.clone());
        }
        for (Note { field, rule }, seen) in &self.notes {
            let name = format!("{}: {}", Field::name(*field), rule.name());
            report.notes.insert(name.clone(), seen.count);
            report.first_lines.insert(name, seen.lines.clone());
        }
        for (attribute, count) in Attribute::ALL.iter().zip(&self.filled) {
            if *count > 0 {
                report.filled.insert(attribute.name(), *count);
            }
        }
        report
    }
}
