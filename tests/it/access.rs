//! Who may call what, over real certificates.

use std::path::Path;

use musubi::serve::identity::Role;
use musubi::tools::operator::client::{OperatorClient, OperatorError};
use musubi::tools::source::client::{CallError, ConnectError, Connection, SubmitError};
use musubi::wire::pb;
use musubi::wire::pb::entity_service_client::EntityServiceClient;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};

use crate::world::{World, header, records};

fn call_error(error: SubmitError) -> CallError {
    match error {
        SubmitError::Call(error) => error,
        other => panic!("not a refusal by the server: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_submits_under_its_own_name_only() {
    let world = World::start().await;
    let error = world
        .submit("source-hosp_b", &header("hosp_a", 1), records("a", 3))
        .await;
    let error = call_error(error.expect_err("not its name"));
    assert_eq!(error.code, Code::PermissionDenied);
    assert_eq!(error.reason.as_deref(), Some("NOT_YOUR_SOURCE"));
    assert!(world.records().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_may_not_submit_and_a_source_may_not_look() {
    let world = World::start().await;
    let error = world
        .submit("pipeline", &header("hosp_a", 1), records("a", 3))
        .await;
    let error = call_error(error.expect_err("wrong role"));
    assert_eq!(error.code, Code::PermissionDenied);
    assert_eq!(error.reason.as_deref(), Some("ROLE"));
    assert!(
        error.message.contains("source"),
        "it says which role may: {error}"
    );

    let connection = world.connection("source-hosp_a");
    let mut client = OperatorClient::connect(&connection)
        .await
        .expect("connected");
    for error in [
        client.sources().await.err(),
        client.runs().await.err(),
        client.start_run(None).await.err(),
        client.resolve("hosp_a", "a0").await.err(),
        client.export_entities().await.err(),
    ] {
        let Some(OperatorError::Call(error)) = error else {
            panic!("a source was answered");
        };
        assert_eq!(error.code, Code::PermissionDenied);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_reads_runs_and_sources_and_no_entity() {
    let world = World::start().await;
    world.issue(Role::Auditor, "auditor");
    let connection = world.connection("auditor");
    let mut client = OperatorClient::connect(&connection)
        .await
        .expect("connected");
    assert!(client.runs().await.expect("runs").is_empty());
    assert!(client.sources().await.expect("sources").is_empty());
    let error = client.resolve("hosp_a", "a0").await.expect_err("refused");
    assert!(matches!(error, OperatorError::Call(error) if error.code == Code::PermissionDenied));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_client_certificate_there_is_no_answer() {
    let world = World::start().await;
    let ca = std::fs::read_to_string(world.certs().join("ca.crt")).expect("authority");
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    let endpoint = Endpoint::from_shared(world.address()).expect("address");
    let endpoint = endpoint.tls_config(tls).expect("TLS");
    // The client may learn of the refusal while it connects or at its first call.
    if let Ok(channel) = endpoint.connect().await {
        let mut client = EntityServiceClient::new(channel);
        assert!(
            client
                .list_sources(pb::ListSourcesRequest {})
                .await
                .is_err()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_another_authority_are_refused_on_both_sides() {
    let world = World::start().await;
    let other = World::start().await;
    let theirs = other.connection("pipeline");
    let mine = world.connection("pipeline");

    let foreign_ca = Connection {
        ca: theirs.ca.clone(),
        ..mine.clone()
    };
    let error = foreign_ca.open().await.expect_err("another authority");
    assert!(
        matches!(error, ConnectError::ServerCertificate { .. }),
        "{error}"
    );

    let foreign_client = Connection {
        cert: theirs.cert,
        key: theirs.key,
        ..mine
    };
    let message = match OperatorClient::connect(&foreign_client).await {
        Err(error) => error.to_string(),
        Ok(mut client) => client.sources().await.expect_err("refused").to_string(),
    };
    assert!(message.contains("client certificate"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_certificate_is_nobody_as_a_client() {
    let world = World::start().await;
    let connection = world.connection("server");
    let refused = match OperatorClient::connect(&connection).await {
        Err(_) => true,
        Ok(mut client) => client.sources().await.is_err(),
    };
    assert!(refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_so() {
    let world = World::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("free port");
    let port = free.local_addr().expect("address").port();
    drop(free);
    let server = format!("https://localhost:{port}");
    let connection = Connection::of_role(&server, Path::new(&world.certs()), "pipeline");
    let error = connection.open().await.expect_err("nobody there");
    assert!(error.to_string().contains("musubi serve"), "{error}");
}
