//! The operator's calls: start and watch runs, look up entities.

use tokio_stream::StreamExt;
use tonic::transport::Channel;

use crate::terms::run::{Run, ThresholdPolicy};
use crate::terms::{Churn, RunId};
use crate::tools::source::client::{CallError, ConnectError, Connection};
use crate::tools::source::uuid::uuid;
use crate::wire::pb::entity_service_client::EntityServiceClient;
use crate::wire::pb::link_records_job_service_client::LinkRecordsJobServiceClient;
use crate::wire::{MESSAGE_BYTES_MAX, NameError, RunError, SOURCES, pb, run_name};

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The server refused, or the line broke.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The server's answer is malformed.
    #[error("the server's answer is malformed: {detail}; is it another version of musubi?")]
    Answer {
        /// Field and rule.
        detail: String,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Random,
}

impl From<tonic::Status> for OperatorError {
    fn from(status: tonic::Status) -> Self {
        Self::Call(status.into())
    }
}

impl From<RunError> for OperatorError {
    fn from(error: RunError) -> Self {
        Self::Answer {
            detail: error.to_string(),
        }
    }
}

impl From<NameError> for OperatorError {
    fn from(error: NameError) -> Self {
        Self::Answer {
            detail: error.to_string(),
        }
    }
}

/// One source of the server: name, live records, submissions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SourceLine {
    /// Its name.
    pub source: String,
    /// Its live records.
    pub records: u64,
    /// Its submissions.
    pub submissions: u64,
}

/// A connection with the operator's calls.
pub struct OperatorClient {
    jobs: LinkRecordsJobServiceClient<Channel>,
    entities: EntityServiceClient<Channel>,
}

impl OperatorClient {
    /// Connects.
    ///
    /// # Errors
    /// [`OperatorError::Connect`]
    pub async fn connect(connection: &Connection) -> Result<Self, OperatorError> {
        let channel = connection.open().await?;
        let jobs = LinkRecordsJobServiceClient::new(channel.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX);
        let entities =
            EntityServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { jobs, entities })
    }

    /// Starts a run, or joins the one under way.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn start_run(
        &mut self,
        policy: impl Into<ThresholdPolicy>,
    ) -> Result<Run, OperatorError> {
        let policy = policy.into();
        let (thresholds, target) = match policy {
            ThresholdPolicy::Precision | ThresholdPolicy::AsBefore => (None, None),
            ThresholdPolicy::FalseLinksPer1000(target) => (None, Some(target)),
            ThresholdPolicy::Given(cuts) => (Some(cuts.into()), None),
        };
        let request = pb::RunLinkRecordsJobRequest {
            request_id: random_uuid()?,
            thresholds,
            target_false_links_per_1000_people: target,
            as_before: policy == ThresholdPolicy::AsBefore,
        };
        let answer = self.jobs.run_link_records_job(request).await?;
        read_run(answer.into_inner().run)
    }

    /// Follows a run to its end; gives its last state.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn watch_run(
        &mut self,
        id: RunId,
        changed: &mut (dyn FnMut(&Run) + Send),
    ) -> Result<Run, OperatorError> {
        let request = pb::WatchRunRequest { name: run_name(id) };
        let mut states = self.jobs.watch_run(request).await?.into_inner();
        let mut last = None;
        while let Some(state) = states.next().await {
            let run = read_run(state?.run)?;
            changed(&run);
            last = Some(run);
        }
        last.ok_or_else(|| missing("run"))
    }

    /// One run.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn run(&mut self, id: RunId) -> Result<Run, OperatorError> {
        let request = pb::GetRunRequest { name: run_name(id) };
        read_run(self.jobs.get_run(request).await?.into_inner().run)
    }

    /// All runs, newest first.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn runs(&mut self) -> Result<Vec<Run>, OperatorError> {
        let mut runs = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListRunsRequest {
                page_size: 100,
                page_token,
            };
            let page = self.jobs.list_runs(request).await?.into_inner();
            for run in page.runs {
                runs.push(Run::try_from(run)?);
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(runs);
            }
        }
    }

    /// All sources, by name.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn sources(&mut self) -> Result<Vec<SourceLine>, OperatorError> {
        let answer = self
            .entities
            .list_sources(pb::ListSourcesRequest {})
            .await?;
        let sources = answer.into_inner().sources.into_iter();
        Ok(sources
            .map(|summary| SourceLine {
                source: bare(&summary.source).into(),
                records: summary.record_count,
                submissions: summary.submission_count,
            })
            .collect())
    }

    /// Entity of a record, 32 hexadecimal digits, and the run that published it.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn resolve(
        &mut self,
        source: &str,
        record_ref: &str,
    ) -> Result<(String, String), OperatorError> {
        let request = pb::ResolveRecordRequest {
            source: format!("{SOURCES}/{source}"),
            record_ref: record_ref.into(),
        };
        let answer = self.entities.resolve_record(request).await?.into_inner();
        Ok((bare(&answer.entity).into(), bare(&answer.run).into()))
    }

    /// Records of an entity: source and record ref, in that order.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn entity_records(
        &mut self,
        entity: &str,
    ) -> Result<Vec<(String, String)>, OperatorError> {
        let mut records = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListEntityRecordsRequest {
                entity: format!("{}/{}", crate::wire::ENTITIES, bare(entity)),
                page_size: 1_000,
                page_token,
            };
            let page = self
                .entities
                .list_entity_records(request)
                .await?
                .into_inner();
            for record in page.records {
                records.push((bare(&record.source).into(), record.record_ref));
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(records);
            }
        }
    }

    /// What became of an entity ID, now or after a run: its state, and who holds its records.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn entity_history(
        &mut self,
        entity: &str,
        as_of: Option<RunId>,
    ) -> Result<(String, Vec<String>), OperatorError> {
        let request = pb::ResolveEntityRequest {
            entity: format!("{}/{}", crate::wire::ENTITIES, bare(entity)),
            as_of_run: as_of.map(run_name).unwrap_or_default(),
            as_of_unix_s: None,
        };
        let answer = self.entities.resolve_entity(request).await?.into_inner();
        let holders = answer.entities.iter().map(|name| bare(name).to_owned());
        Ok((answer.state, holders.collect()))
    }

    /// How the IDs in force after one run changed up to a later one.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn diff(&mut self, from: RunId, to: RunId) -> Result<Churn, OperatorError> {
        let request = pb::DiffRunsRequest {
            from: run_name(from),
            to: run_name(to),
        };
        let answer = self.entities.diff_runs(request).await?.into_inner();
        Ok(answer.churn.map(Into::into).unwrap_or_default())
    }

    /// All records and their entities: source, record ref, entity (32 hexadecimal digits).
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn export_entities(
        &mut self,
    ) -> Result<Vec<(String, String, String)>, OperatorError> {
        let mut all = Vec::new();
        self.for_each_row(&mut |row| all.push(row)).await?;
        Ok(all)
    }

    /// As [`Self::export_entities`], one row at a time; gives their number.
    ///
    /// # Errors
    /// [`OperatorError`]
    pub async fn for_each_row(
        &mut self,
        take: &mut (dyn FnMut((String, String, String)) + Send),
    ) -> Result<u64, OperatorError> {
        let request = pb::ExportEntitiesRequest {};
        let mut messages = self.entities.export_entities(request).await?.into_inner();
        let mut count = 0;
        while let Some(message) = messages.next().await {
            for row in message?.rows {
                let source = bare(&row.source).to_owned();
                take((source, row.record_ref, bare(&row.entity).to_owned()));
                count += 1;
            }
        }
        Ok(count)
    }
}

fn read_run(run: Option<pb::Run>) -> Result<Run, OperatorError> {
    let run = run.ok_or_else(|| missing("run"))?;
    Ok(Run::try_from(run)?)
}

fn missing(field: &str) -> OperatorError {
    OperatorError::Answer {
        detail: format!("field '{field}' is missing"),
    }
}

/// What follows the last slash of a resource name; a bare ID stays as it is.
fn bare(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, id)| id)
}

fn random_uuid() -> Result<String, OperatorError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| OperatorError::Random)?;
    Ok(uuid(bytes, 4))
}
