//! Projects over gRPC: made by an officer, exported by a pipeline, ended for good.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use musubi::terms::Pseudonym;
use musubi::wire::pb::export_pseudonyms_response::Part;
use musubi::wire::pb::project_service_client::ProjectServiceClient;
use musubi::wire::{pb, reason_of};
use tonic::Status;
use tonic::transport::Channel;

use crate::world::{World, header, records};

type Client = ProjectServiceClient<Channel>;

async fn client(world: &World, stem: &str) -> Client {
    let channel = world.connection(stem).open().await.expect("connected");
    ProjectServiceClient::new(channel)
}

fn project(name: &str, domain: pb::OutputDomain) -> pb::Project {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
    pb::Project {
        name: format!("projects/{name}"),
        domain: domain.into(),
        recipient: "a university".into(),
        purpose: "a study of dementia".into(),
        expire_time_unix_s: now.as_secs() / 3_600 * 3_600 + 86_400,
        ..pb::Project::default()
    }
}

async fn create(officer: &mut Client, project: &pb::Project) -> Result<pb::Project, Status> {
    let project = Some(project.clone());
    let answer = officer
        .create_project(pb::CreateProjectRequest { project })
        .await?;
    Ok(answer.into_inner().project.expect("a project"))
}

type Rows = BTreeMap<(String, String), String>;

async fn export(pipeline: &mut Client, name: &str) -> Result<Rows, Status> {
    let name = format!("projects/{name}");
    let request = pb::ExportPseudonymsRequest { name };
    let mut parts = pipeline.export_pseudonyms(request).await?.into_inner();
    let (mut rows, mut counted) = (Rows::new(), None);
    while let Some(part) = parts.message().await? {
        match part.part.expect("a part") {
            Part::Header(header) => assert!(header.run.starts_with("runs/")),
            Part::Rows(more) => {
                let more = more.rows.into_iter();
                rows.extend(more.map(|row| ((row.source, row.record_ref), row.pseudonym)));
            }
            Part::Trailer(trailer) => counted = Some(trailer.row_count),
        }
    }
    assert_eq!(counted, Some(rows.len() as u64));
    Ok(rows)
}

fn reason<T>(answer: Result<T, Status>) -> String {
    match answer {
        Ok(_) => panic!("must be refused"),
        Err(status) => reason_of(&status).expect("a reason"),
    }
}

async fn linked() -> World {
    let world = World::start().await;
    for stem in ["hosp_a", "hosp_b"] {
        let (certificate, header) = (format!("source-{stem}"), header(stem, 1));
        let sent = world.submit(&certificate, &header, records(stem, 20));
        sent.await.expect("submitted");
    }
    let mut operator = world.operator().await;
    let run = operator.start_run(None).await.expect("started");
    operator
        .watch_run(run.id, &mut |_| {})
        .await
        .expect("ended");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_one_pseudonym_in_a_project_and_another_in_each_other() {
    let world = linked().await;
    let mut officer = client(&world, "officer").await;
    let mut pipeline = client(&world, "pipeline").await;
    let entities = world
        .operator()
        .await
        .export_entities()
        .await
        .expect("entities");
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, domain) in [
        ("one", pb::OutputDomain::Pseudonymised),
        ("two", pb::OutputDomain::Anonymised),
        ("three", pb::OutputDomain::CertifiedOperator),
    ] {
        create(&mut officer, &project(name, domain))
            .await
            .expect("made");
        let rows = export(&mut pipeline, name).await.expect("exported");
        assert_eq!(rows.len(), entities.len());
        assert!(rows == export(&mut pipeline, name).await.expect("again"));
        let mut of_entity: BTreeMap<&str, &str> = BTreeMap::new();
        for (source, record, entity) in &entities {
            let pseudonym = &rows[&(format!("sources/{source}"), record.clone())];
            assert!(Pseudonym::parse(pseudonym).is_ok());
            assert!(of_entity.entry(entity).or_insert(pseudonym) == &pseudonym.as_str());
            assert!(!pseudonym.to_lowercase().contains(entity.as_str()));
        }
        for pseudonym in of_entity.values() {
            let before = seen.insert((*pseudonym).to_owned(), name);
            assert!(before.is_none(), "{name} shares one with {before:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymised_project_is_ended_for_good_and_issued_anew() {
    let world = linked().await;
    let mut officer = client(&world, "officer").await;
    let mut pipeline = client(&world, "pipeline").await;
    let asked = project("one", pb::OutputDomain::Anonymised);
    let made = create(&mut officer, &asked).await.expect("made");
    let first = export(&mut pipeline, "one").await.expect("exported");
    let name = made.name.clone();
    let destroy = || pb::DestroyProjectKeyRequest { name: name.clone() };
    for _ in 0..2 {
        officer
            .destroy_project_key(destroy())
            .await
            .expect("destroyed");
    }
    assert_eq!(
        reason(export(&mut pipeline, "one").await),
        "PROJECT_KEY_DESTROYED"
    );
    let world = world.restart().await;
    let mut officer = client(&world, "officer").await;
    let mut pipeline = client(&world, "pipeline").await;
    assert_eq!(
        reason(export(&mut pipeline, "one").await),
        "PROJECT_KEY_DESTROYED"
    );
    // The etag of before the destruction is stale; that of now issues once.
    let reissue = |etag: &str| pb::ReissuePseudonymsRequest {
        name: name.clone(),
        etag: etag.into(),
    };
    assert_eq!(
        reason(officer.reissue_pseudonyms(reissue(&made.etag)).await),
        "ETAG"
    );
    let request = pb::GetProjectRequest { name: name.clone() };
    let now = officer
        .get_project(request)
        .await
        .expect("there")
        .into_inner();
    let etag = now.project.expect("a project").etag;
    let renewed = officer
        .reissue_pseudonyms(reissue(&etag))
        .await
        .expect("renewed");
    assert_eq!(renewed.into_inner().project.expect("a project").version, 2);
    assert_eq!(
        reason(officer.reissue_pseudonyms(reissue(&etag)).await),
        "ETAG"
    );
    let second = export(&mut pipeline, "one").await.expect("exported");
    assert!(second.keys().eq(first.keys()));
    assert!(
        first
            .values()
            .all(|old| second.values().all(|new| old != new))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_reason() {
    let world = World::start().await;
    let mut officer = client(&world, "officer").await;
    let mut pipeline = client(&world, "pipeline").await;
    let asked = project("one", pb::OutputDomain::Pseudonymised);
    let made = create(&mut officer, &asked).await.expect("made");
    assert!(made == create(&mut officer, &asked).await.expect("the same again"));
    let other = pb::Project {
        purpose: "another study".into(),
        ..asked.clone()
    };
    assert_eq!(reason(create(&mut officer, &other).await), "PROJECT_EXISTS");
    let past = pb::Project {
        name: "projects/past".into(),
        expire_time_unix_s: 1,
        ..asked.clone()
    };
    assert_eq!(reason(create(&mut officer, &past).await), "MALFORMED");
    assert_eq!(
        reason(export(&mut pipeline, "none").await),
        "PROJECT_NOT_FOUND"
    );
    assert_eq!(
        reason(export(&mut pipeline, "one").await),
        "NOTHING_PUBLISHED"
    );
    assert_eq!(reason(export(&mut officer, "one").await), "ROLE");
    let name = asked.name.clone();
    let kept = officer.destroy_project_key(pb::DestroyProjectKeyRequest { name });
    assert_eq!(reason(kept.await), "PROJECT_DOMAIN");
    let request = pb::ListProjectsRequest {
        page_size: 0,
        page_token: "runs/x".into(),
    };
    assert_eq!(reason(officer.list_projects(request).await), "PAGE_TOKEN");
}
