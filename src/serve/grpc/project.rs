//! Projects and the export of their pseudonyms. What leaves has passed the release gate.

use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Rooms, blocking, caller, page_size, status};
use crate::govern::PseudonymMaker;
use crate::govern::audit::{self, AuditEvent};
use crate::govern::release::release;
use crate::store::{ChangeProjectError, Published, Store};
use crate::terms::{Project, ProjectId};
use crate::wire::pb::export_pseudonyms_response::Part;
use crate::wire::pb::project_service_server::ProjectService;
use crate::wire::{
    parse_project_name, pb, project_etag, project_name, read_project, run_name, source_name,
};

/// Rows of one message of an export.
const EXPORT_ROWS: usize = 4_096;
/// Messages of an export that wait for a slow reader.
const EXPORT_QUEUE: usize = 2;

/// Answers questions about projects.
pub(super) struct ProjectHandler {
    rooms: Rooms,
}

impl ProjectHandler {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self { rooms }
    }

    /// Writes what is about to be done to the audit log, and does it.
    async fn change(
        &self,
        actor: String,
        action: &'static str,
        id: ProjectId,
        work: impl FnOnce(&Store, &ProjectId) -> Result<(), ChangeProjectError> + Send + 'static,
    ) -> Result<pb::Project, Status> {
        let store = self.rooms.store.clone();
        blocking(move || {
            let event = AuditEvent::now(&actor, action, &project_name(&id), "asked for");
            audit::record(&store, &event).map_err(status::audit)?;
            work(&store, &id).map_err(status::project)?;
            found(&store, &id)
        })
        .await?
        .map(|project| pb::Project::from(&project))
    }
}

fn now_unix_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn found(store: &Store, id: &ProjectId) -> Result<Project, Status> {
    store.project(id).ok_or_else(status::no_project)
}

#[tonic::async_trait]
impl ProjectService for ProjectHandler {
    async fn create_project(
        &self,
        request: Request<pb::CreateProjectRequest>,
    ) -> Result<Response<pb::CreateProjectResponse>, Status> {
        let actor = caller(&request)?.actor();
        let asked = read_project(request.into_inner().project).map_err(status::malformed)?;
        if asked.expires_unix_s <= now_unix_s() {
            return Err(status::malformed(
                "field 'project.expire_time_unix_s': in the future",
            ));
        }
        if let Some(known) = self.rooms.store.project(&asked.id) {
            let same = (known.domain, &known.recipient, &known.purpose)
                == (asked.domain, &asked.recipient, &asked.purpose);
            if !same || known.expires_unix_s != asked.expires_unix_s {
                return Err(status::project(ChangeProjectError::Exists(asked.id)));
            }
            let project = Some(pb::Project::from(&known));
            return Ok(Response::new(pb::CreateProjectResponse { project }));
        }
        let made = Project {
            created_unix_s: now_unix_s(),
            ..asked
        };
        let id = made.id.clone();
        let work = move |store: &Store, _: &ProjectId| store.create_project(&made);
        let project = self.change(actor, "create_project", id, work).await?;
        let project = Some(project);
        Ok(Response::new(pb::CreateProjectResponse { project }))
    }

    async fn get_project(
        &self,
        request: Request<pb::GetProjectRequest>,
    ) -> Result<Response<pb::GetProjectResponse>, Status> {
        let id = parse_project_name(&request.get_ref().name).map_err(status::malformed)?;
        let project = Some(pb::Project::from(&found(&self.rooms.store, &id)?));
        Ok(Response::new(pb::GetProjectResponse { project }))
    }

    async fn list_projects(
        &self,
        request: Request<pb::ListProjectsRequest>,
    ) -> Result<Response<pb::ListProjectsResponse>, Status> {
        let request = request.into_inner();
        let size = page_size(request.page_size, 50)?;
        let mut projects = self.rooms.store.projects();
        if !request.page_token.is_empty() {
            let last = parse_project_name(&request.page_token);
            let last = last.map_err(|_| status::page_token())?;
            projects.retain(|project| project.id > last);
        }
        let more = projects.len() > size;
        projects.truncate(size);
        let next_page_token = match projects.last() {
            Some(last) if more => project_name(&last.id),
            _ => String::new(),
        };
        Ok(Response::new(pb::ListProjectsResponse {
            projects: projects.iter().map(pb::Project::from).collect(),
            next_page_token,
        }))
    }

    async fn reissue_pseudonyms(
        &self,
        request: Request<pb::ReissuePseudonymsRequest>,
    ) -> Result<Response<pb::ReissuePseudonymsResponse>, Status> {
        let actor = caller(&request)?.actor();
        let request = request.into_inner();
        let id = parse_project_name(&request.name).map_err(status::malformed)?;
        let known = found(&self.rooms.store, &id)?;
        if request.etag != project_etag(&known) {
            return Err(status::etag());
        }
        let version = known.version;
        let work = move |store: &Store, id: &ProjectId| store.renew_project(id, version).map(drop);
        let project = self.change(actor, "reissue_pseudonyms", id, work).await?;
        let project = Some(project);
        Ok(Response::new(pb::ReissuePseudonymsResponse { project }))
    }

    async fn destroy_project_key(
        &self,
        request: Request<pb::DestroyProjectKeyRequest>,
    ) -> Result<Response<pb::DestroyProjectKeyResponse>, Status> {
        let actor = caller(&request)?.actor();
        let id = parse_project_name(&request.get_ref().name).map_err(status::malformed)?;
        let work = |store: &Store, id: &ProjectId| store.destroy_project_key(id);
        let project = self.change(actor, "destroy_project_key", id, work).await?;
        let project = Some(project);
        Ok(Response::new(pb::DestroyProjectKeyResponse { project }))
    }

    type ExportPseudonymsStream =
        Pin<Box<dyn Stream<Item = Result<pb::ExportPseudonymsResponse, Status>> + Send>>;

    async fn export_pseudonyms(
        &self,
        request: Request<pb::ExportPseudonymsRequest>,
    ) -> Result<Response<Self::ExportPseudonymsStream>, Status> {
        let actor = caller(&request)?.actor();
        let id = parse_project_name(&request.get_ref().name).map_err(status::malformed)?;
        let store = self.rooms.store.clone();
        let (header, released) = blocking(move || {
            let project = found(&store, &id)?;
            let now = now_unix_s();
            if project.expires_unix_s <= now {
                return Err(status::project_expired());
            }
            let published = store.published().ok_or_else(status::nothing_published)?;
            let key = store.project_key(&id).map_err(status::project_key)?;
            let header = pb::ExportHeader {
                project: Some((&project).into()),
                run: run_name(published.run()),
                export_time_unix_s: now,
                exported_by: actor.clone(),
            };
            let content = (published, PseudonymMaker::new(key));
            let object = format!("{} {}", project_name(&id), header.run);
            let released = release(&store, &actor, "export_pseudonyms", &object, content);
            Ok((header, released.map_err(status::release)?))
        })
        .await??;
        let (sender, receiver) = mpsc::channel(EXPORT_QUEUE);
        tokio::task::spawn_blocking(move || {
            let (published, maker) = released.into_inner();
            // A reader that went away needs no more.
            let _ = send_rows(header, &published, &maker, |part| {
                let part = Some(part);
                let sent = sender.blocking_send(Ok(pb::ExportPseudonymsResponse { part }));
                sent.map_err(drop)
            });
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Sends header, rows and trailer, until `send` fails.
fn send_rows(
    header: pb::ExportHeader,
    published: &Published,
    maker: &PseudonymMaker,
    mut send: impl FnMut(Part) -> Result<(), ()>,
) -> Result<(), ()> {
    send(Part::Header(header))?;
    let mut hasher = blake3::Hasher::new();
    let mut row_count = 0;
    let mut rows = Vec::with_capacity(EXPORT_ROWS);
    let mut line = String::new();
    for (source, record, entity) in published.iter() {
        let pseudonym = maker.pseudonym(entity).to_string();
        line.clear();
        for part in [source.as_str(), ",", record.as_str(), ",", &pseudonym, "\n"] {
            line.push_str(part);
        }
        hasher.update(line.as_bytes());
        row_count += 1;
        rows.push(pb::PseudonymRow {
            source: source_name(&source),
            record_ref: record.as_str().to_owned(),
            pseudonym,
        });
        if rows.len() == EXPORT_ROWS {
            let rows = std::mem::take(&mut rows);
            send(Part::Rows(pb::PseudonymRows { rows }))?;
        }
    }
    if !rows.is_empty() {
        send(Part::Rows(pb::PseudonymRows { rows }))?;
    }
    send(Part::Trailer(pb::ExportTrailer {
        row_count,
        content_hash: hasher.finalize().as_bytes().to_vec(),
    }))
}
