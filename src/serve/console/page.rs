//! From a run's report to the page: every number as it is printed, so that the template only
//! places it.

use std::sync::Arc;

use askama::Template;

use super::format;
use super::histogram::{self, Chart};
use super::page_model::{ModelRow, model};
use super::text::{Language, Text};
use crate::terms::profile::Comparison;
use crate::terms::run::{Run, RunReport, ThresholdRule};
use crate::terms::{LinkageProfile, SourceId};

/// Width of a bar in a table, in units of its drawing.
pub(super) const BAR_WIDTH: f64 = 100.0;

/// How things stand.
pub(super) struct Overview {
    /// Profile and epoch.
    pub(super) profile: Option<(Arc<LinkageProfile>, String)>,
    /// Each source with its live records and submissions.
    pub(super) sources: Vec<(SourceId, u64, u64)>,
    /// The run under way.
    pub(super) active: Option<Run>,
    /// The newest run, if it failed.
    pub(super) failed: Option<Run>,
    /// The newest run that succeeded.
    pub(super) finished: Option<Run>,
}

/// A number with its name.
struct Figure {
    name: &'static str,
    value: String,
    note: &'static str,
}

/// A row with a bar.
struct Bar {
    name: String,
    value: String,
    extra: String,
    width: String,
}

/// A decision, how many pairs it fell on, and their share.
struct DecisionRow {
    class: &'static str,
    name: &'static str,
    pairs: String,
    share: String,
}

/// A step of the run.
struct StepRow {
    name: String,
    duration: String,
    items: String,
}

/// What the page says about a finished run.
struct Findings {
    people: String,
    run: String,
    time: String,
    figures: Vec<Figure>,
    chart: Option<Chart>,
    lower: String,
    upper: String,
    rule: String,
    prior: String,
    decisions: Vec<DecisionRow>,
    sizes: Vec<Bar>,
    model: Vec<ModelRow>,
    steps: Vec<StepRow>,
    capped: Option<String>,
    warnings: Vec<String>,
}

/// What the page says about a run under way.
struct Active {
    step: String,
    done: String,
    fraction: Option<String>,
}

#[derive(Template)]
#[template(path = "page.html", config = "src/serve/console/askama.toml")]
struct Page<'a> {
    language: &'static str,
    text: &'static Text,
    profile: Option<ProfileLine<'a>>,
    width: f64,
    height: f64,
    active: Option<Active>,
    failure: Option<String>,
    sources: Vec<Bar>,
    records_total: String,
    submissions_total: String,
    result: Option<Findings>,
}

/// The recipe, in short.
struct ProfileLine<'a> {
    name: &'a str,
    epoch: &'a str,
    fingerprint: String,
    warning: Option<&'a str>,
}

/// The page as HTML.
///
/// # Errors
/// If the template cannot be filled in.
pub(super) fn render(overview: &Overview, language: Language) -> Result<String, askama::Error> {
    let text = language.text();
    let profile = overview.profile.as_ref();
    let total =
        |of: fn(&(SourceId, u64, u64)) -> u64| format::count(overview.sources.iter().map(of).sum());
    let finished = overview.finished.as_ref();
    Page {
        language: language.tag(),
        text,
        profile: profile.map(|(profile, epoch)| ProfileLine {
            name: &profile.name,
            epoch,
            fingerprint: profile.fingerprint().to_string().chars().take(16).collect(),
            warning: profile.warning.as_deref(),
        }),
        width: histogram::WIDTH,
        height: histogram::HEIGHT,
        active: overview.active.as_ref().map(active),
        failure: overview
            .failed
            .as_ref()
            .map(|run| run.failure.clone().unwrap_or_default()),
        sources: sources(&overview.sources),
        records_total: total(|source| source.1),
        submissions_total: total(|source| source.2),
        result: finished.and_then(|run| {
            let report = run.report.as_ref()?;
            let comparisons = profile.map_or(&[][..], |(profile, _)| &profile.comparisons);
            Some(result(
                run,
                report,
                comparisons,
                profile.map(|p| &*p.0),
                text,
            ))
        }),
    }
    .render()
}

fn active(run: &Run) -> Active {
    let progress = run.progress.as_ref();
    Active {
        step: progress.map_or_else(String::new, |progress| progress.step.clone()),
        done: progress.map_or_else(String::new, |progress| {
            if progress.planned == 0 {
                format::count(progress.done)
            } else {
                format!(
                    "{} / {}",
                    format::count(progress.done),
                    format::count(progress.planned)
                )
            }
        }),
        fraction: progress
            .filter(|progress| progress.planned > 0)
            .map(|progress| format!("{:.3}", progress.done as f64 / progress.planned as f64)),
    }
}

fn bar(part: u64, most: u64) -> String {
    format!("{:.1}", part as f64 / most.max(1) as f64 * BAR_WIDTH)
}

fn sources(sources: &[(SourceId, u64, u64)]) -> Vec<Bar> {
    let most = sources.iter().map(|source| source.1).max().unwrap_or(0);
    let row = |(source, records, submissions): &(SourceId, u64, u64)| Bar {
        name: source.to_string(),
        value: format::count(*records),
        extra: format::count(*submissions),
        width: bar(*records, most),
    };
    sources.iter().map(row).collect()
}

/// Interval of the links' precision at the upper threshold; the model's expectation in older runs.
fn precision(report: &RunReport) -> String {
    let cut = report.methods.as_ref();
    match cut.and_then(|sheet| sheet.at(report.thresholds.upper_bits)) {
        Some(cut) => format!(
            "{} – {}",
            format::percent(cut.precision_interval.low),
            format::percent(cut.precision_interval.high)
        ),
        None => format::percent(report.expected_precision),
    }
}

fn result(
    run: &Run,
    report: &RunReport,
    comparisons: &[Comparison],
    profile: Option<&LinkageProfile>,
    text: &'static Text,
) -> Findings {
    let figure = |name, value, note| Figure { name, value, note };
    let sheet = report.methods.as_ref();
    let counted = sheet.and_then(|sheet| sheet.people.as_ref());
    let counted = counted.map(|people| {
        let [people, low, high] = [
            people.all.people,
            people.all.interval.low,
            people.all.interval.high,
        ]
        .map(|number| format::count(number.round() as u64));
        let range = format!("{people} ({low}–{high})");
        figure(text.people_counted, range, text.people_counted_note)
    });
    Findings {
        people: format::count(report.entities),
        run: run.id.to_string(),
        time: format::time(run.created_unix_s),
        figures: counted
            .into_iter()
            .chain([
                figure(
                    text.records,
                    format::count(report.records),
                    text.records_note,
                ),
                figure(
                    text.pairs,
                    format::count(report.candidate_pairs),
                    text.pairs_note,
                ),
                figure(text.links, format::count(report.links), text.links_note),
                figure(
                    text.reviews,
                    format::count(report.reviews),
                    text.reviews_note,
                ),
                figure(
                    text.set_aside,
                    format::count(report.links_set_aside),
                    text.set_aside_note,
                ),
                figure(
                    text.expected_precision,
                    precision(report),
                    text.expected_note,
                ),
            ])
            .collect(),
        chart: Chart::new(&report.histogram, report.thresholds),
        lower: format::bits(report.thresholds.lower_bits),
        upper: format::bits(report.thresholds.upper_bits),
        rule: rule(report.threshold_rule, text),
        prior: format::probability(report.prior_probability),
        decisions: decisions(report, text),
        sizes: sizes(report, text),
        model: model(report, comparisons, profile, text),
        steps: run
            .steps
            .iter()
            .map(|step| StepRow {
                name: step.name.clone(),
                duration: format::seconds(step.seconds),
                items: format::count(step.items),
            })
            .collect(),
        capped: (report.blocks_capped > 0).then(|| format::count(report.blocks_capped)),
        warnings: report.warnings.clone(),
    }
}

fn rule(rule: ThresholdRule, text: &Text) -> String {
    match rule {
        ThresholdRule::TargetPrecision(target) => {
            text.rule_target.replace("{}", &format::percent(target))
        }
        ThresholdRule::TargetFalseLinks(target) => {
            text.rule_false_links.replace("{}", &target.to_string())
        }
        ThresholdRule::Given => text.rule_given.into(),
    }
}

fn decisions(report: &RunReport, text: &'static Text) -> Vec<DecisionRow> {
    let decided = report.links.saturating_add(report.reviews);
    let non_links = report.candidate_pairs.saturating_sub(decided);
    let row = |class, name, pairs: u64| DecisionRow {
        class,
        name,
        pairs: format::count(pairs),
        share: format::percent(pairs as f64 / report.candidate_pairs.max(1) as f64),
    };
    vec![
        row("link", text.region_link, report.links),
        row("review", text.region_review, report.reviews),
        row("non-link", text.region_non_link, non_links),
    ]
}

fn sizes(report: &RunReport, text: &'static Text) -> Vec<Bar> {
    let most = report.entity_sizes.iter().copied().max().unwrap_or(0);
    let last = report.entity_sizes.len();
    let name = |size: usize| match (size == last && last > 1, text.or_more) {
        (false, _) => size.to_string(),
        (true, "以上") => format!("{size} 以上"),
        (true, words) => format!("{size} {words}"),
    };
    let row = |(index, people): (usize, &u64)| Bar {
        name: name(index + 1),
        value: format::count(*people),
        extra: format::percent(*people as f64 / report.entities.max(1) as f64),
        width: bar(*people, most),
    };
    let shown = report.entity_sizes.iter().rposition(|people| *people > 0);
    let shown = shown.map_or(0, |largest| largest + 1);
    report
        .entity_sizes
        .iter()
        .enumerate()
        .take(shown)
        .map(row)
        .collect()
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
