//! Runs as a person reads them in a terminal.

use serde::Serialize;

use super::Outcome;
use crate::terms::run::{Run, RunReport, RunState};

/// Any value as indented JSON.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Outcome {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn state(run: &Run) -> &'static str {
    match run.state {
        RunState::Queued => "queued",
        RunState::Running => "running",
        RunState::Succeeded => "succeeded",
        RunState::Failed => "failed",
    }
}

/// A list of runs.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn runs(runs: &[Run], as_json: bool) -> Outcome {
    if as_json {
        return json(runs);
    }
    if runs.is_empty() {
        return Ok("no run yet; start one with `musubi link`\n".into());
    }
    let mut text = format!(
        "{:<32} {:<10} {:>10} {:>10}\n",
        "run", "state", "records", "people"
    );
    for run in runs {
        let report = run.report.as_ref();
        let number = |of: fn(&RunReport) -> u64| {
            report.map_or_else(|| "-".to_owned(), |report| of(report).to_string())
        };
        let (records, people) = (number(|r| r.records), number(|r| r.entities));
        let state = state(run);
        text += &format!("{} {state:<10} {records:>10} {people:>10}\n", run.id);
    }
    Ok(text)
}

/// One run with its report.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn run(run: &Run, as_json: bool) -> Outcome {
    if as_json {
        return json(run);
    }
    let mut text = format!("run {}: {}\n", run.id, state(run));
    if let Some(progress) = &run.progress {
        text += &format!(
            "  {}: {} of {}\n",
            progress.step, progress.done, progress.planned
        );
    }
    if let Some(failure) = &run.failure {
        text += &format!("  {failure}\n");
    }
    if let Some(report) = &run.report {
        text += &report_lines(report);
    }
    for step in &run.steps {
        text += &format!(
            "  {:<8} {:>9.2} s {:>12}\n",
            step.name, step.seconds, step.items
        );
    }
    Ok(text)
}

fn report_lines(report: &RunReport) -> String {
    let mut text = format!(
        "  {} entities found in {} records of {} sources\n\
         \x20 {} pairs compared: {} links, {} for review\n\
         \x20 thresholds: link from {:+.1} bits, review from {:+.1} bits ({})\n\
         \x20 expected precision of links {:.4}\n",
        report.entities,
        report.records,
        report.sources.len(),
        report.candidate_pairs,
        report.links,
        report.reviews,
        report.thresholds.upper_bits,
        report.thresholds.lower_bits,
        report.threshold_rule,
        report.expected_precision,
    );
    let people = report.methods.as_ref();
    if let Some(people) = people.and_then(|sheet| sheet.people.as_ref()) {
        text += &format!(
            "  people, corrected for both errors of linkage: {}\n",
            super::show_methods::estimated(&people.all)
        );
    }
    if let Some(new) = report.blocking.new_rows {
        text += &format!("  {new} new records, linked by the model of the run before\n");
    }
    if let Some(audit) = &report.blocking.audit {
        text += &format!(
            "  blocking: of {} pairs of {} records drawn at random, scanned exactly, {:.4} were \
             compared (95 %: {:.4} to {:.4})\n",
            audit.pairs,
            audit.rows,
            audit.pair_completeness,
            audit.interval.low,
            audit.interval.high
        );
    }
    let clustering = &report.clustering;
    if !clustering.set_aside.is_empty() {
        let counts = clustering.set_aside.iter();
        let counts: Vec<String> = counts
            .map(|count| format!("{} {}", count.reason.code(), count.links))
            .collect();
        text += &format!("  links set aside: {}\n", counts.join(", "));
    }
    if let Some(estimate) = &clustering.false_merges {
        text += &format!(
            "  false merges, judged by life courses alone: about {:.0} (95 %: {:.0} to {:.0})\n",
            estimate.false_merges, estimate.low, estimate.high
        );
    }
    text += &format!("  {}\n", super::history::churn_line(&clustering.churn));
    let at_upper = report.methods.as_ref();
    if let Some(cut) = at_upper.and_then(|sheet| sheet.at(report.thresholds.upper_bits)) {
        text += &format!(
            "  of the links between sources, {:.2} % to {:.2} % are estimated to be right: {:.1} false \
             links per 1,000 people\n",
            cut.precision_interval.low * 100.0,
            cut.precision_interval.high * 100.0,
            cut.false_links_per_1000,
        );
    }
    for warning in &report.warnings {
        text += &format!("  note: {warning}\n");
    }
    text
}
