//! What the demo tells at the end: as a value (`report.json`, `--json`) and as a page of text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::terms::Thresholds;
use crate::terms::people::CountedPeople;
use crate::terms::run::StepReport;
use crate::tools::evaluate::{BlockingQuality, Quality, Strata};

/// One source on its way in.
#[derive(Debug, Clone, Serialize)]
pub struct SourceReport {
    /// Its name.
    pub source: String,
    /// Records read from its file.
    pub records: u64,
    /// Records refused at the source, by reason.
    pub refused_at_source: BTreeMap<String, u64>,
    /// Remarks of normalisation (fields that were left out), by field and rule.
    pub notes: BTreeMap<String, u64>,
    /// Records that the server took in, or already had.
    pub accepted: u64,
    /// Records that the server refused, by reason.
    pub refused_at_server: BTreeMap<String, u64>,
}

/// Quality against a truth.
#[derive(Debug, Clone, Serialize)]
pub struct QualityReport {
    /// People in the truth.
    pub persons: u64,
    /// Over pairs of records.
    pub pairwise: Quality,
    /// Over records.
    pub bcubed: Quality,
    /// Over clusters.
    pub exact: Quality,
    /// Of the candidate pairs, if strata are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking: Option<BlockingQuality>,
    /// By stratum, if asked for.
    #[serde(flatten)]
    pub strata: Option<Strata>,
}

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub struct DemoReport {
    /// Linkage profile.
    pub profile: String,
    /// Seed of the synthetic people; absent if `--data` was given.
    pub seed: Option<u64>,
    /// Records linked.
    pub records: u64,
    /// People found.
    pub entities: u64,
    /// People as the run counts them: entities, corrected for both errors of linkage.
    pub people: Option<CountedPeople>,
    /// Quality, if there is a truth.
    #[serde(flatten)]
    pub quality: Option<QualityReport>,
    /// The cuts that were used.
    pub thresholds: Thresholds,
    /// How they were chosen.
    pub threshold_rule: String,
    /// Expected share of right links, if the model holds.
    pub expected_precision: f64,
    /// Sources, in the order of `sources.toml`.
    pub sources: Vec<SourceReport>,
    /// Everything that took time.
    pub steps: Vec<StepReport>,
    /// What a person should know.
    pub warnings: Vec<String>,
    /// The folder with store, certificates, `entities.csv` and `report.json`.
    pub dir: PathBuf,
}

/// An integer with thousands separated, as in `114,822`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

impl DemoReport {
    /// The page of text. `program` is how the reader called musubi.
    #[must_use]
    pub fn to_text(&self, program: &str) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut out, program);
        out
    }

    fn write_text(&self, out: &mut String, program: &str) -> std::fmt::Result {
        self.write_sources(out)?;
        let people = grouped(self.entities);
        match &self.quality {
            Some(quality) => {
                let truth = grouped(quality.persons);
                writeln!(out, "\nPeople found: {people}   (in the truth: {truth})\n")?;
                writeln!(
                    out,
                    "  {:<10} {:>10} {:>10} {:>10}",
                    "quality", "precision", "recall", "F1"
                )?;
                let rows = [
                    ("pairwise", quality.pairwise),
                    ("B-cubed", quality.bcubed),
                    ("clusters", quality.exact),
                ];
                for (name, q) in rows {
                    let (p, r, f1) = (q.precision, q.recall, q.f1);
                    writeln!(out, "  {name:<10} {p:>10.4} {r:>10.4} {f1:>10.4}")?;
                }
                if let Some(blocking) = &quality.blocking {
                    writeln!(out, "\n  {blocking}")?;
                }
                if let Some(strata) = &quality.strata {
                    write!(out, "\n{strata}")?;
                }
            }
            None => writeln!(
                out,
                "\nPeople found: {people}   (no truth.csv: quality not measured)"
            )?,
        }
        if let Some(people) = &self.people {
            let [low, high] = [people.interval.low, people.interval.high];
            let [count, low, high] =
                [people.people, low, high].map(|number| grouped(number.round() as u64));
            writeln!(
                out,
                "\nCounted without the truth: {count} people (95 %: {low} to {high})"
            )?;
        }
        writeln!(
            out,
            "\nThresholds, chosen without the truth: link from {:.1} bits, review from {:.1} bits",
            self.thresholds.upper_bits, self.thresholds.lower_bits
        )?;
        writeln!(
            out,
            "  {}; expected: {:.2} %",
            self.threshold_rule,
            self.expected_precision * 100.0
        )?;
        self.write_steps(out)?;
        if !self.warnings.is_empty() {
            writeln!(out, "\nTo know:")?;
            self.warnings
                .iter()
                .try_for_each(|warning| writeln!(out, "  - {warning}"))?;
        }
        self.write_next(out, program)
    }

    fn write_sources(&self, out: &mut String) -> std::fmt::Result {
        let head = ["source", "records", "taken in", "refused", "notes"];
        let [source, records, taken, refused, notes] = head;
        writeln!(
            out,
            "\n  {source:<20} {records:>10} {taken:>10} {refused:>9} {notes:>9}"
        )?;
        let (mut total_records, mut total_accepted) = (0, 0);
        for source in &self.sources {
            let refused = sum(&source.refused_at_source) + sum(&source.refused_at_server);
            writeln!(
                out,
                "  {:<20} {:>10} {:>10} {:>9} {:>9}",
                source.source,
                grouped(source.records),
                grouped(source.accepted),
                grouped(refused),
                grouped(sum(&source.notes))
            )?;
            total_records += source.records;
            total_accepted += source.accepted;
        }
        let (records, accepted) = (grouped(total_records), grouped(total_accepted));
        writeln!(out, "  {:<20} {records:>10} {accepted:>10}", "together")?;
        for source in &self.sources {
            for (reason, count) in source
                .refused_at_source
                .iter()
                .chain(&source.refused_at_server)
            {
                writeln!(
                    out,
                    "    {}: {} refused: {reason}",
                    source.source,
                    grouped(*count)
                )?;
            }
        }
        Ok(())
    }

    fn write_steps(&self, out: &mut String) -> std::fmt::Result {
        let [step, seconds, items, rate] = ["step", "seconds", "items", "items/s"];
        writeln!(out, "\n  {step:<12} {seconds:>9} {items:>12} {rate:>12}")?;
        let mut total = 0.0;
        for step in &self.steps {
            let rate = (step.items as f64 / step.seconds.max(1e-6)).round() as u64;
            let (items, rate) = (grouped(step.items), grouped(rate));
            writeln!(
                out,
                "  {:<12} {:>9.2} {items:>12} {rate:>12}",
                step.name, step.seconds
            )?;
            total += step.seconds;
        }
        writeln!(out, "  {:<12} {total:>9.2}", "together")
    }

    fn write_next(&self, out: &mut String, program: &str) -> std::fmt::Result {
        let dir = self.dir.display();
        writeln!(
            out,
            "\nThe store is in {dir}/store; who is who in {dir}/entities.csv;"
        )?;
        writeln!(out, "these figures in {dir}/report.json. Try next:\n")?;
        writeln!(out, "  {program} serve --config {dir}/musubi.toml")?;
        writeln!(out, "      then look at the console, http://127.0.0.1:7480")?;
        writeln!(out, "  {program} sources --dir {dir}")?;
        writeln!(
            out,
            "  {program} resolve --dir {dir} SOURCE RECORD_REF   (two columns of entities.csv)"
        )?;
        writeln!(
            out,
            "  {program} demo --data YOUR_FOLDER                 (link your own CSV files)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
