//! A run's methods sheet as a person reads it in a terminal.

use super::{Outcome, show};
use crate::terms::EventKind;
use crate::terms::methods::{EstimateBasis, MethodsSheet};
use crate::terms::people::{CountedPeople, PeopleBasis, PeopleCount, SMALL_COUNT};
use crate::terms::run::{Run, RunReport};

/// A run without a methods sheet.
#[derive(Debug, thiserror::Error)]
#[error("this run has no methods sheet: it is not finished, failed, or is older than they are")]
struct NoMethodsSheet;

/// The methods sheet of a run.
///
/// # Errors
/// If the run has none, or it cannot be written as JSON.
pub fn methods(run: &Run, as_json: bool) -> Outcome {
    let report = run.report.as_ref().ok_or(NoMethodsSheet)?;
    let sheet = report.methods.as_ref().ok_or(NoMethodsSheet)?;
    if as_json {
        return show::json(sheet);
    }
    let mut text = format!(
        "model {}\nlinkage profile {}\n\n",
        sheet.model_fingerprint, sheet.profile_fingerprint
    );
    text += &model(report, sheet);
    text += &errors(report, sheet);
    if let Some(tracers) = &sheet.tracers {
        text += &format!(
            "recall on tracers {:.4} (95 %: {:.4} to {:.4}): {} pairs of {} invented people\n",
            tracers.recall,
            tracers.interval.low,
            tracers.interval.high,
            tracers.pairs,
            tracers.people
        );
    }
    if let Some(people) = &sheet.people {
        text += &count(people);
    }
    for fallback in &sheet.fallbacks {
        text += &format!("fallback: {fallback}\n");
    }
    Ok(text)
}

fn model(report: &RunReport, sheet: &MethodsSheet) -> String {
    let mut text = format!(
        "P(a random pair is one person) {:.3e}\n{:<14} {:>12} {:>12} {:>18} {:>18} {:>7}\n",
        report.prior_probability, "comparison", "m pairs", "u pairs", "m", "u", "bits"
    );
    for (method, comparison) in sheet.comparisons.iter().zip(&report.comparisons) {
        for (level, figures) in comparison.levels.iter().enumerate() {
            let (name, m_pairs, u_pairs) = match level {
                0 => (
                    method.name.as_str(),
                    format!("{:.0}", method.m_pairs),
                    match method.u_pairs > 0.0 {
                        true => format!("{:.0}", method.u_pairs),
                        false => "profile".into(),
                    },
                ),
                _ => ("", String::new(), String::new()),
            };
            let m = method.m.get(level).copied().unwrap_or_default();
            let u = method.u.get(level).map_or_else(
                || format!("{:.2e}", figures.u_probability),
                |u| format!("{:.2e}-{:.2e}", u.low, u.high),
            );
            let m = format!("{:.4}-{:.4}", m.low, m.high);
            let bits = figures.weight_bits;
            text +=
                &format!("{name:<14} {m_pairs:>12} {u_pairs:>12} {m:>18} {u:>18} {bits:>+7.1}\n");
        }
    }
    for alternative in &sheet.alternatives {
        let basis = match alternative.counted {
            true => "counted",
            false => "profile",
        };
        text += &format!(
            "alternative '{}': {:.4} pairs for each pair of one person ({basis})\n",
            alternative.name, alternative.share
        );
    }
    text
}

fn errors(report: &RunReport, sheet: &MethodsSheet) -> String {
    let basis = match sheet.basis {
        EstimateBasis::Decoys => format!(
            "decoys: pairs inside {} sources that hold hardly anyone twice",
            sheet.decoy_sources.len()
        ),
        EstimateBasis::Model => "the model's own expectation".into(),
    };
    let mut text = format!(
        "\nerrors estimated from {basis}\n{:>7} {:>12} {:>12} {:>10} {:>21} {:>16} {:>14}\n",
        "cut", "links", "false", "precision", "interval", "relative recall", "per 1,000"
    );
    for cut in &sheet.cuts {
        let in_force = (cut.cut_bits - report.thresholds.upper_bits).abs() < 1e-9;
        text += &format!(
            "{:>+7.1} {:>12} {:>12.1} {:>10.5} {:>10.5}-{:.5} {:>18.4} {:>14.2}{}\n",
            cut.cut_bits,
            cut.links,
            cut.false_links,
            cut.precision,
            cut.precision_interval.low,
            cut.precision_interval.high,
            cut.relative_recall,
            cut.false_links_per_1000,
            if in_force { "  in force" } else { "" },
        );
    }
    if let Some(margin) = sheet.percolation_margin {
        text +=
            &format!("percolation margin {margin:.1}; below 2, entities begin to run together\n");
    }
    text
}

/// The number of people, and by source, kind and year.
fn count(people: &PeopleCount) -> String {
    let basis = match people.basis {
        PeopleBasis::Tracers => "tracers",
        PeopleBasis::Model => "the model's own expectation",
    };
    let (excess, hidden) = (&people.excess_interval, &people.hidden_interval);
    let mut text = format!(
        "\npeople {}\n  {:.0} entities too many ({:.0} to {:.0}; from {basis}), {:.0} people hidden in entities \
         of others ({:.0} to {:.0})\n{:<32} {:>10} {:>10} {:>21}\n",
        estimated(&people.all),
        people.excess_entities,
        excess.low,
        excess.high,
        people.hidden_people,
        hidden.low,
        hidden.high,
        "by source, kind, year, overlap",
        "entities",
        "people",
        "95 %"
    );
    let mut line = |name: &str, counted: &Option<CountedPeople>| {
        let Some(counted) = counted else {
            text += &format!("{name:<32} fewer than {SMALL_COUNT}\n");
            return;
        };
        let (low, high) = (counted.interval.low, counted.interval.high);
        text += &format!(
            "{name:<32} {:>10} {:>10.0} {low:>10.0}-{high:<10.0}\n",
            counted.entities, counted.people
        );
    };
    for group in [&people.sources, &people.kinds, &people.years] {
        group
            .iter()
            .for_each(|group| line(&group.name, &group.counted));
    }
    for overlap in &people.overlaps {
        let [first, second] = overlap.kinds.map(EventKind::name);
        line(&format!("{first} and {second}"), &overlap.counted);
    }
    text
}

/// A number of people with its interval.
pub(super) fn estimated(counted: &CountedPeople) -> String {
    format!(
        "{:.0} (95 %: {:.0} to {:.0})",
        counted.people, counted.interval.low, counted.interval.high
    )
}
