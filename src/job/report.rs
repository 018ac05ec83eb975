//! What a finished run says, drawn from all that it found out.

use super::linked::{self, Linked};
use super::{blocking, clustering, people, tracers};
use crate::score;
use crate::terms::RowIndex;
use crate::terms::profile::LinkageProfile;
use crate::terms::run::{RunReport, SourceCount};

/// Entity sizes from here up are counted together.
const ENTITY_SIZE_MAX: usize = 20;

/// The report of a run, but for how IDs changed.
pub(super) fn of_run(profile: &LinkageProfile, linked: &Linked) -> RunReport {
    let Linked {
        loaded,
        scored,
        clusters,
        found,
        ..
    } = linked;
    let table = &loaded.table;
    let blocked = blocking::report(profile, linked);
    let clustered = clustering::report(table, clusters, &linked::rules(profile, scored));
    let mut records = vec![0; loaded.sources.len()];
    let real = |row: &RowIndex| !tracers::is_tracer(table, *row);
    for row in (0..table.len() as RowIndex).filter(real) {
        records[usize::from(table.source(row))] += 1;
    }
    let mut entity_sizes = vec![0; ENTITY_SIZE_MAX];
    // No cluster holds both tracers and people: its first row tells.
    for rows in clusters.partition.iter().filter(|rows| real(&rows[0])) {
        entity_sizes[rows.len().min(ENTITY_SIZE_MAX) - 1] += 1;
    }
    let mut warnings = scored.estimate.warnings.clone();
    warnings.extend(blocking::warnings(&blocked));
    let entities = entity_sizes.iter().sum();
    let errors = score::estimate_errors(&scored.counts, &records, entities);
    let tracers = tracers::people(loaded);
    let (people, leanings) = people::count(&people::Linkage {
        table,
        sources: &loaded.sources,
        partition: &clusters.partition,
        scored,
        errors: &errors,
        tracers: &tracers,
    });
    let mut methods = score::methods_sheet(profile, &scored.estimate, errors, &loaded.sources);
    methods.tracers = tracers::recall(&tracers, &clusters.partition);
    methods.people = Some(people);
    methods.fallbacks.extend(leanings);
    warnings.extend(
        methods
            .fallbacks
            .iter()
            .skip(scored.estimate.warnings.len())
            .cloned(),
    );
    warnings.extend(clustering::warnings(
        clusters,
        &clustered,
        methods.percolation_margin,
    ));
    let real_records = records.iter().sum();
    let named = loaded.sources.iter().cloned().zip(records);
    RunReport {
        records: real_records,
        entities,
        sources: named
            .map(|(source, records)| SourceCount { source, records })
            .collect(),
        candidate_pairs: (found.pairs.len() + linked.completed.len()) as u64,
        blocks_capped: blocked.passes.iter().map(|pass| pass.capped_blocks).sum(),
        blocking: blocked,
        links: scored.links.len() as u64,
        reviews: scored.reviews(),
        links_set_aside: clusters.set_aside().len() as u64,
        thresholds: scored.choice.thresholds,
        threshold_rule: scored.choice.rule,
        prior_probability: scored.estimate.model.prior_probability,
        expected_precision: scored.choice.expected_precision,
        histogram: score::histogram(&scored.estimate.model, &scored.patterns),
        entity_sizes,
        comparisons: scored.estimate.model.report(profile),
        clustering: clustered,
        methods: Some(methods),
        warnings,
    }
}
