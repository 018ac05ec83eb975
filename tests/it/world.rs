//! A server with certificates, and records made by hand through the layout of the profile.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use musubi::encode::file::ReadEncodingError;
use musubi::serve::identity::{Identity, Role, TrustDomain};
use musubi::serve::pki::CertificateAuthority;
use musubi::serve::{Config, Ready, ServeError, app};
use musubi::terms::{
    EventKind, LinkageProfile, Receipt, RecordEncoding, RecordRef, SourceId, SubmissionHeader,
};
use musubi::tools::operator::client::OperatorClient;
use musubi::tools::operator::init;
use musubi::tools::source::client::{Connection, SubmitError, submit_records};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server in a folder of its own.
pub struct World {
    pub dir: TempDir,
    pub ready: Ready,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<(), ServeError>>,
}

pub fn source(name: &str) -> SourceId {
    SourceId::new(name).expect("good name")
}

pub fn profile() -> LinkageProfile {
    LinkageProfile::built_in("jp-standard").expect("built in")
}

impl World {
    /// A new server with the sources `hosp_a` and `hosp_b`.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let sources = [source("hosp_a"), source("hosp_b")];
        init::set_up(dir.path(), &profile(), &sources).expect("set up");
        Self::serve(dir, |_| {}).await
    }

    async fn serve(dir: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::load(&dir.path().join("musubi.toml")).expect("configuration");
        change(&mut config);
        config.grpc.listen.set_port(0);
        config.console.listen.set_port(0);
        let started = Instant::now();
        let (ready, stop, server) = loop {
            let (ready, is_ready) = oneshot::channel();
            let (stop, stopped) = oneshot::channel::<()>();
            let server = tokio::spawn(app::run(config.clone(), ready, async move {
                let _ = stopped.await;
            }));
            if let Ok(ready) = is_ready.await {
                break (ready, stop, server);
            }
            // The thread of a run that is told to be done may hold the store for a moment longer.
            let error = server.await.expect("no panic").expect_err("not ready");
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let in_use = cause.is_some_and(|cause| cause.contains("in use"));
            let patient = started.elapsed() < Duration::from_secs(30);
            assert!(in_use && patient, "the server starts: {error}");
            tokio::task::yield_now().await;
        };
        Self {
            dir,
            ready,
            stop: Some(stop),
            server,
        }
    }

    /// Stops the server and starts it again on the same store.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// Stops the server and starts it again with another configuration.
    pub async fn restart_with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        self.stop
            .take()
            .expect("running")
            .send(())
            .expect("running");
        (&mut self.server)
            .await
            .expect("no panic")
            .expect("stopped without an error");
        Self::serve(self.dir, change).await
    }

    pub fn address(&self) -> String {
        format!("https://localhost:{}", self.ready.grpc_addr.port())
    }

    pub fn certs(&self) -> PathBuf {
        self.dir.path().join("certs")
    }

    /// The connection of a role, by the stem of its files.
    pub fn connection(&self, stem: &str) -> Connection {
        Connection::of_role(&self.address(), &self.certs(), stem)
    }

    /// Issues a certificate for a role that `init` makes none for.
    pub fn issue(&self, role: Role, stem: &str) {
        let authority = CertificateAuthority::load(&self.certs()).expect("authority");
        let leaf = authority
            .issue(
                &Identity::new(role, source("someone")),
                &TrustDomain::default(),
            )
            .expect("issued");
        leaf.save(&self.certs(), stem).expect("saved");
    }

    pub async fn operator(&self) -> OperatorClient {
        let connection = self.connection("pipeline");
        OperatorClient::connect(&connection)
            .await
            .expect("connected")
    }

    /// Submits as the source whose files have this stem.
    pub async fn submit(
        &self,
        stem: &str,
        header: &SubmissionHeader,
        records: Vec<RecordEncoding>,
    ) -> Result<Receipt, SubmitError> {
        let channel = self.connection(stem).open().await?;
        let records = records.into_iter().map(Ok::<_, ReadEncodingError>);
        submit_records(channel, header, records, &|_| {}).await
    }

    /// All sources with their records, as the operator sees them.
    pub async fn records(&self) -> Vec<(String, u64)> {
        let sources = self.operator().await.sources().await.expect("sources");
        sources
            .into_iter()
            .map(|line| (line.source, line.records))
            .collect()
    }
}

/// A header; `request` numbers the request.
pub fn header(name: &str, request: u32) -> SubmissionHeader {
    SubmissionHeader {
        source: source(name),
        profile: profile().fingerprint(),
        epoch: init::FIRST_EPOCH.into(),
        request_id: format!("00000000-0000-4000-8000-{request:012}"),
    }
}

/// A record of person `person`: equal persons have equal filters and tags.
pub fn record(label: &str, person: u64) -> RecordEncoding {
    let layout = profile().layout();
    let word = |place: usize| {
        let hash = blake3::hash(format!("{person}/{place}").as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(bytes) | 1
    };
    RecordEncoding {
        record_ref: RecordRef::new(label).expect("good label"),
        version: 1,
        kind: EventKind::Hospital,
        year: 0,
        flags: 0,
        presence: layout.presence_all(),
        filters: (0..layout.filter_words()).map(word).collect(),
        tags: (0..layout.tag_slots())
            .map(|tag| word(10_000 + tag))
            .collect(),
    }
}

/// Records `{prefix}0`, `{prefix}1`, … of persons 0, 1, ….
pub fn records(prefix: &str, count: u64) -> Vec<RecordEncoding> {
    (0..count)
        .map(|person| record(&format!("{prefix}{person}"), person))
        .collect()
}
