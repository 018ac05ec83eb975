//! Entities for pipelines. Whatever an answer says about an entity has passed the release gate,
//! which writes the audit entry first.

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Rooms, blocking, caller, page_size, status};
use crate::govern::release::release;
use crate::store::{Published, Store};
use crate::terms::{EntityId, IdState, RecordRef, SourceId};
use crate::wire::pb::entity_service_server::EntityService;
use crate::wire::{
    entity_name, parse_entity_name, parse_run_name, parse_source_name, pb, run_name, source_name,
};

/// Rows of one message of an export.
const EXPORT_ROWS: usize = 4_096;
/// Messages of an export that wait for a slow reader.
const EXPORT_QUEUE: usize = 2;

/// Answers questions about entities.
pub(super) struct EntityHandler {
    rooms: Rooms,
}

impl EntityHandler {
    pub(super) fn new(rooms: Rooms) -> Self {
        Self { rooms }
    }
}

fn published(store: &Store) -> Result<Published, Status> {
    store.published().ok_or_else(status::nothing_published)
}

#[tonic::async_trait]
impl EntityService for EntityHandler {
    async fn resolve_record(
        &self,
        request: Request<pb::ResolveRecordRequest>,
    ) -> Result<Response<pb::ResolveRecordResponse>, Status> {
        let actor = caller(&request)?.actor();
        let request = request.into_inner();
        let source = parse_source_name(&request.source).map_err(status::malformed)?;
        let record = RecordRef::new(&request.record_ref).map_err(status::malformed)?;
        let store = self.rooms.store.clone();
        let (run, entity) = blocking(move || {
            let published = published(&store)?;
            let entity = published
                .entity_of(&source, &record)
                .ok_or_else(status::no_record)?;
            let object = source_name(&source);
            let released = release(&store, &actor, "resolve_record", &object, entity)
                .map_err(status::release)?;
            Ok::<_, Status>((published.run(), released.into_inner()))
        })
        .await??;
        Ok(Response::new(pb::ResolveRecordResponse {
            entity: entity_name(entity),
            run: run_name(run),
        }))
    }

    async fn list_entity_records(
        &self,
        request: Request<pb::ListEntityRecordsRequest>,
    ) -> Result<Response<pb::ListEntityRecordsResponse>, Status> {
        let actor = caller(&request)?.actor();
        let request = request.into_inner();
        let entity = parse_entity_name(&request.entity).map_err(status::malformed)?;
        let size = page_size(request.page_size, 100)?;
        let store = self.rooms.store.clone();
        let response = blocking(move || {
            let published = published(&store)?;
            let run = run_name(published.run());
            let start = page_start(&request.page_token, &run)?;
            let records = published.records_of(entity);
            if records.is_empty() {
                return Err(status::no_entity());
            }
            let end = records.len().min(start.saturating_add(size));
            let page = records
                .get(start..end)
                .ok_or_else(status::page_token)?
                .to_vec();
            let more = end < records.len();
            let page = release(&store, &actor, "list_entity_records", &run, page)
                .map_err(status::release)?;
            Ok(pb::ListEntityRecordsResponse {
                records: page.into_inner().into_iter().map(entity_record).collect(),
                next_page_token: if more {
                    format!("{run}:{end}")
                } else {
                    String::new()
                },
            })
        })
        .await??;
        Ok(Response::new(response))
    }

    async fn resolve_entity(
        &self,
        request: Request<pb::ResolveEntityRequest>,
    ) -> Result<Response<pb::ResolveEntityResponse>, Status> {
        let actor = caller(&request)?.actor();
        let request = request.into_inner();
        let entity = parse_entity_name(&request.entity).map_err(status::malformed)?;
        let named = (!request.as_of_run.is_empty())
            .then(|| parse_run_name(&request.as_of_run).map_err(status::malformed))
            .transpose()?;
        let store = self.rooms.store.clone();
        let response = blocking(move || {
            let published = published(&store)?;
            let as_of = match (named, request.as_of_unix_s) {
                (None, Some(time)) => Some(published.run_by(time).ok_or_else(status::no_entity)?),
                (named, _) => named,
            };
            let state = published.id_state(entity, as_of);
            let state = state.ok_or_else(status::no_entity)?;
            let run = run_name(as_of.unwrap_or(published.run()));
            let state = release(&store, &actor, "resolve_entity", &run, state)
                .map_err(status::release)?
                .into_inner();
            let holders = match &state {
                IdState::Current => vec![entity],
                IdState::Merged(into) => vec![*into],
                IdState::Split(parts) => parts.clone(),
                IdState::Retired | IdState::Erased => Vec::new(),
            };
            Ok::<_, Status>(pb::ResolveEntityResponse {
                state: state.name().to_owned(),
                entities: holders.into_iter().map(entity_name).collect(),
                run,
            })
        })
        .await??;
        Ok(Response::new(response))
    }

    async fn diff_runs(
        &self,
        request: Request<pb::DiffRunsRequest>,
    ) -> Result<Response<pb::DiffRunsResponse>, Status> {
        let request = request.into_inner();
        let from = parse_run_name(&request.from).map_err(status::malformed)?;
        let to = parse_run_name(&request.to).map_err(status::malformed)?;
        let store = self.rooms.store.clone();
        let churn = blocking(move || {
            let churn = published(&store)?.churn_between(from, to);
            churn.ok_or_else(status::no_run)
        })
        .await??;
        Ok(Response::new(pb::DiffRunsResponse {
            churn: Some((&churn).into()),
        }))
    }

    type ExportEntitiesStream =
        Pin<Box<dyn Stream<Item = Result<pb::ExportEntitiesResponse, Status>> + Send>>;

    async fn export_entities(
        &self,
        request: Request<pb::ExportEntitiesRequest>,
    ) -> Result<Response<Self::ExportEntitiesStream>, Status> {
        let actor = caller(&request)?.actor();
        let store = self.rooms.store.clone();
        let released = blocking(move || {
            let published = published(&store)?;
            let run = run_name(published.run());
            release(&store, &actor, "export_entities", &run, published).map_err(status::release)
        })
        .await??;
        let (sender, receiver) = mpsc::channel(EXPORT_QUEUE);
        tokio::task::spawn_blocking(move || {
            let published = released.into_inner();
            let mut rows = Vec::with_capacity(EXPORT_ROWS);
            for (source, record, entity) in published.iter() {
                rows.push(entity_row(&source, &record, entity));
                if rows.len() == EXPORT_ROWS {
                    let rows = std::mem::take(&mut rows);
                    let message = pb::ExportEntitiesResponse { rows };
                    if sender.blocking_send(Ok(message)).is_err() {
                        return;
                    }
                }
            }
            if !rows.is_empty() {
                // If nobody listens any more, there is nobody to tell.
                let _ = sender.blocking_send(Ok(pb::ExportEntitiesResponse { rows }));
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn list_sources(
        &self,
        _request: Request<pb::ListSourcesRequest>,
    ) -> Result<Response<pb::ListSourcesResponse>, Status> {
        let store = self.rooms.store.clone();
        let sources = blocking(move || store.sources()).await?;
        Ok(Response::new(pb::ListSourcesResponse {
            sources: sources
                .into_iter()
                .map(|summary| pb::SourceSummary {
                    source: source_name(&summary.source),
                    record_count: summary.records,
                    submission_count: summary.submissions,
                })
                .collect(),
        }))
    }
}

/// Where a page starts. A token holds only within the run that it was given for.
fn page_start(token: &str, run: &str) -> Result<usize, Status> {
    if token.is_empty() {
        return Ok(0);
    }
    let (of_run, start) = token.rsplit_once(':').ok_or_else(status::page_token)?;
    if of_run != run {
        return Err(status::page_token());
    }
    start.parse().map_err(|_| status::page_token())
}

fn entity_record((source, record): (SourceId, RecordRef)) -> pb::EntityRecord {
    pb::EntityRecord {
        source: source_name(&source),
        record_ref: record.as_str().into(),
    }
}

fn entity_row(source: &SourceId, record: &RecordRef, entity: EntityId) -> pb::EntityRow {
    pb::EntityRow {
        source: source_name(source),
        record_ref: record.as_str().into(),
        entity: entity_name(entity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_token_holds_only_within_its_run() {
        assert_eq!(page_start("", "runs/1").ok(), Some(0));
        assert_eq!(page_start("runs/1:200", "runs/1").ok(), Some(200));
        for bad in ["runs/2:200", "200", "runs/1:", "runs/1:x"] {
            assert!(page_start(bad, "runs/1").is_err(), "{bad}");
        }
    }
}
