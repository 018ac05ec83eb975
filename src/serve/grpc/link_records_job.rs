//! Runs of the linkage job: start, look, watch.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Rooms, blocking, page_size, status};
use crate::job::JobRunner;
use crate::terms::run::ThresholdPolicy;
use crate::terms::run::{Run, RunState};
use crate::terms::{RunId, Thresholds};
use crate::wire::pb::link_records_job_service_server::LinkRecordsJobService;
use crate::wire::{parse_run_name, pb, run_name};

/// Request IDs that are remembered; a retry comes soon or not at all.
const REQUESTS_MAX: usize = 1_024;
/// States that wait for a slow watcher.
const WATCH_QUEUE: usize = 4;

/// Starts runs and tells how they stand.
pub(super) struct LinkRecordsJobHandler {
    rooms: Rooms,
    /// Which run a request started, newest last. It lives as long as the server: the same request
    /// after a restart starts a new run, which is safe.
    requests: Mutex<VecDeque<(String, RunId)>>,
}

impl LinkRecordsJobHandler {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self {
            rooms,
            requests: Mutex::new(VecDeque::new()),
        }
    }

    fn started_by(&self, request_id: &str) -> Option<RunId> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let known = requests.iter().find(|(known, _)| known == request_id);
        known.map(|(_, run)| *run)
    }

    fn remember(&self, request_id: String, run: RunId) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() == REQUESTS_MAX {
            requests.pop_front();
        }
        requests.push_back((request_id, run));
    }

    async fn find(&self, id: RunId) -> Result<Run, Status> {
        let jobs = self.rooms.jobs.clone();
        let run = blocking(move || jobs.run(id)).await?;
        run.ok_or_else(status::no_run)
    }
}

#[tonic::async_trait]
impl LinkRecordsJobService for LinkRecordsJobHandler {
    async fn run_link_records_job(
        &self,
        request: Request<pb::RunLinkRecordsJobRequest>,
    ) -> Result<Response<pb::RunLinkRecordsJobResponse>, Status> {
        let actor = super::caller(&request)?.actor();
        let request = request.into_inner();
        if request.request_id.is_empty() || request.request_id.len() > 64 {
            return Err(status::malformed("field 'request_id': a UUID"));
        }
        let thresholds = request.thresholds.map(Thresholds::try_from);
        let thresholds = thresholds.transpose().map_err(status::malformed)?;
        let target = request.target_false_links_per_1000_people;
        let policy = match (thresholds, target, request.as_before) {
            (given, None, false) => given.into(),
            (None, Some(target), false) => ThresholdPolicy::FalseLinksPer1000(target),
            (None, None, true) => ThresholdPolicy::AsBefore,
            _ => {
                return Err(status::malformed(
                    "fields 'thresholds', 'target_false_links_per_1000_people' and 'as_before': one \
                     of them",
                ));
            }
        };
        let id = match self.started_by(&request.request_id) {
            Some(id) => id,
            None => {
                let jobs = self.rooms.jobs.clone();
                let started = blocking(move || jobs.start(policy)).await?;
                let id = started.map_err(status::start_run)?;
                self.remember(request.request_id, id);
                tracing::info!(actor, run = %id, "run started");
                id
            }
        };
        let run = Some(pb::Run::from(&self.find(id).await?));
        Ok(Response::new(pb::RunLinkRecordsJobResponse { run }))
    }

    async fn get_run(
        &self,
        request: Request<pb::GetRunRequest>,
    ) -> Result<Response<pb::GetRunResponse>, Status> {
        let id = parse_run_name(&request.get_ref().name).map_err(status::malformed)?;
        let run = Some(pb::Run::from(&self.find(id).await?));
        Ok(Response::new(pb::GetRunResponse { run }))
    }

    async fn list_runs(
        &self,
        request: Request<pb::ListRunsRequest>,
    ) -> Result<Response<pb::ListRunsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, 50)?;
        let jobs = self.rooms.jobs.clone();
        let runs = blocking(move || jobs.runs()).await?;
        let start = if request.page_token.is_empty() {
            0
        } else {
            let last = parse_run_name(&request.page_token).map_err(|_| status::page_token())?;
            let place = runs.iter().position(|run| run.id == last);
            place.ok_or_else(status::page_token)? + 1
        };
        let page: Vec<&Run> = runs.iter().skip(start).take(size).collect();
        let more = start + page.len() < runs.len();
        let next_page_token = match page.last() {
            Some(last) if more => run_name(last.id),
            _ => String::new(),
        };
        Ok(Response::new(pb::ListRunsResponse {
            runs: page.into_iter().map(pb::Run::from).collect(),
            next_page_token,
        }))
    }

    type WatchRunStream = Pin<Box<dyn Stream<Item = Result<pb::WatchRunResponse, Status>> + Send>>;

    async fn watch_run(
        &self,
        request: Request<pb::WatchRunRequest>,
    ) -> Result<Response<Self::WatchRunStream>, Status> {
        let id = parse_run_name(&request.get_ref().name).map_err(status::malformed)?;
        self.find(id).await?;
        let (sender, receiver) = mpsc::channel(WATCH_QUEUE);
        let jobs = self.rooms.jobs.clone();
        tokio::spawn(follow(jobs, id, sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Sends the run at each change, until it has ended or nobody listens.
async fn follow(
    jobs: JobRunner,
    id: RunId,
    sender: mpsc::Sender<Result<pb::WatchRunResponse, Status>>,
) {
    let mut changes = jobs.watch();
    loop {
        // Marked as seen before the look, so that no change between the two is missed.
        changes.mark_unchanged();
        let looker = jobs.clone();
        let Ok(Some(run)) = blocking(move || looker.run(id)).await else {
            let _ = sender.send(Err(status::no_run())).await;
            return;
        };
        let ended = matches!(run.state, RunState::Succeeded | RunState::Failed);
        let message = pb::WatchRunResponse {
            run: Some(pb::Run::from(&run)),
        };
        if sender.send(Ok(message)).await.is_err() || ended {
            return;
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
        }
    }
}
