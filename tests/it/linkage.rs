//! From records to entities: start a run, watch it, resolve, list, export.

use std::collections::{BTreeMap, BTreeSet};

use musubi::terms::run::RunState;
use musubi::tools::operator::client::OperatorError;

use crate::world::{World, header, records};

fn reason(error: OperatorError) -> String {
    match error {
        OperatorError::Call(error) => error.reason.expect("a reason"),
        other => panic!("not a refusal by the server: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_first_run_there_is_nothing_to_resolve() {
    let world = World::start().await;
    let mut client = world.operator().await;
    let error = client
        .resolve("hosp_a", "a0")
        .await
        .expect_err("nothing published");
    assert_eq!(reason(error), "NOTHING_PUBLISHED");
    assert_eq!(
        reason(client.export_entities().await.expect_err("none")),
        "NOTHING_PUBLISHED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_one_person_resolve_to_one_entity() {
    let world = World::start().await;
    for (name, prefix, count) in [("hosp_a", "a", 300), ("hosp_b", "b", 200)] {
        let stem = format!("source-{name}");
        let submitted = world
            .submit(&stem, &header(name, 1), records(prefix, count))
            .await;
        assert_eq!(submitted.expect("taken in").accepted, count);
    }
    let mut client = world.operator().await;
    let started = client.start_run(None).await.expect("started");
    let mut states = Vec::new();
    let run = client
        .watch_run(started.id, &mut |run| states.push(run.state))
        .await;
    let run = run.expect("watched");
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.failure);
    assert_eq!(states.last(), Some(&RunState::Succeeded));
    let report = run.report.as_ref().expect("report");
    assert_eq!((report.records, report.entities), (500, 300));

    let rows = client.export_entities().await.expect("export");
    assert_eq!(rows.len(), 500);
    let of_record: BTreeMap<_, _> = rows
        .iter()
        .map(|(source, label, entity)| ((source.as_str(), label.as_str()), entity))
        .collect();
    for person in 0..200 {
        let (a, b) = (format!("a{person}"), format!("b{person}"));
        assert_eq!(
            of_record[&("hosp_a", a.as_str())],
            of_record[&("hosp_b", b.as_str())]
        );
    }
    let entities: BTreeSet<_> = of_record.values().collect();
    assert_eq!(entities.len(), 300);

    let (entity, of_run) = client.resolve("hosp_a", "a7").await.expect("resolved");
    assert_eq!(&entity, of_record[&("hosp_a", "a7")]);
    assert_eq!(of_run, run.id.to_string());
    let listed = client.entity_records(&entity).await.expect("listed");
    let pair = |source: &str, label: &str| (source.to_owned(), label.to_owned());
    assert_eq!(listed, [pair("hosp_a", "a7"), pair("hosp_b", "b7")]);

    let error = client
        .resolve("hosp_a", "nobody")
        .await
        .expect_err("unknown");
    assert_eq!(reason(error), "RECORD_NOT_FOUND");
    let error = client
        .entity_records(&"0".repeat(32))
        .await
        .expect_err("unknown");
    assert_eq!(reason(error), "ENTITY_NOT_FOUND");

    let runs = client.runs().await.expect("runs");
    assert_eq!(runs.len(), 1);
    assert_eq!(client.run(run.id).await.expect("run"), runs[0]);
    // Watching a run that has ended gives its last state at once.
    let again = client
        .watch_run(run.id, &mut |_| {})
        .await
        .expect("watched");
    assert_eq!(again, run);

    let (state, holders) = client.entity_history(&entity, None).await.expect("known");
    assert_eq!((state.as_str(), holders), ("current", vec![entity.clone()]));
    let again = client.start_run(None).await.expect("started");
    let again = client.watch_run(again.id, &mut |_| {}).await;
    let again = again.expect("watched");
    let churn = client.diff(run.id, again.id).await.expect("both published");
    assert_eq!((churn.existing, churn.per_thousand()), (300, 0.0));
    assert_eq!(again.report.map(|it| it.clustering.churn), Some(churn));
    let error = client.diff(again.id, run.id).await.expect_err("backwards");
    assert_eq!(reason(error), "RUN_NOT_FOUND");
    let unknown = client.entity_history(&"0".repeat(32), None).await;
    assert_eq!(reason(unknown.expect_err("unknown")), "ENTITY_NOT_FOUND");

    let world = world.restart().await;
    let mut client = world.operator().await;
    let (after, _) = client.resolve("hosp_b", "b7").await.expect("resolved");
    assert_eq!(after, entity, "the published entities survive a restart");
}
