"""The client for scripts and notebooks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc

from . import calls
from .errors import MusubiError, translate
from .models import Project, Run, Source, bare, read_source
from .rows import Batch, Rows
from .v1 import (
    entity_pb2,
    entity_pb2_grpc,
    link_records_job_pb2,
    link_records_job_pb2_grpc,
    project_pb2,
    project_pb2_grpc,
)


class Client:
    """A connection to a server as the role of a certificate. Threads may share it. Use it in `with`, or close it."""

    def __init__(
        self, address: str, *, ca: str | Path, certificate: str | Path, key: str | Path, timeout: float = 60.0
    ) -> None:
        """`address`: host:port. `timeout`: seconds for one answer; streams have none."""
        self._channel = grpc.secure_channel(address, calls.credentials(ca, certificate, key), calls.OPTIONS)
        self._timeout = timeout
        self._jobs = link_records_job_pb2_grpc.LinkRecordsJobServiceStub(self._channel)
        self._entities = entity_pb2_grpc.EntityServiceStub(self._channel)
        self._projects = project_pb2_grpc.ProjectServiceStub(self._channel)

    @classmethod
    def from_folder(
        cls, folder: str | Path = "musubi-data", *, role: str = "pipeline", address: str = "localhost:7443"
    ) -> Client:
        """With the certificates that `musubi init --dir FOLDER` made."""
        return cls(address, **calls.files_of_role(folder, role))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise translate(error) from None

    def _stream(self, method: Callable[..., Any], request: Any) -> Iterator[Any]:
        try:
            yield from method(request)
        except grpc.RpcError as error:
            raise translate(error) from None

    def sources(self) -> list[Source]:
        """The sources, by name."""
        answer = self._call(self._entities.ListSources, entity_pb2.ListSourcesRequest())
        return [read_source(one) for one in answer.sources]

    def runs(self) -> Iterator[Run]:
        """All runs, newest first."""
        token = ""
        while True:
            answer = self._call(self._jobs.ListRuns, link_records_job_pb2.ListRunsRequest(page_token=token))
            yield from map(Run.read, answer.runs)
            token = answer.next_page_token
            if not token:
                return

    def run(self, run: str) -> Run:
        """A run as it stands."""
        answer = self._call(self._jobs.GetRun, link_records_job_pb2.GetRunRequest(name=f"runs/{bare(run)}"))
        return Run.read(answer.run)

    def start(
        self,
        *,
        upper: float | None = None,
        lower: float | None = None,
        target_false_links_per_1000_people: float | None = None,
        as_before: bool = False,
    ) -> Run:
        """Starts a run over all records, or joins the one under way, and does not wait. Without thresholds (bits) the
        server chooses them."""
        request = calls.start_request(upper, lower, target_false_links_per_1000_people, as_before)
        return Run.read(self._call(self._jobs.RunLinkRecordsJob, request).run)

    def watch(self, run: str) -> Iterator[Run]:
        """A run at each change, until it has ended."""
        request = link_records_job_pb2.WatchRunRequest(name=f"runs/{bare(run)}")
        for answer in self._stream(self._jobs.WatchRun, request):
            yield Run.read(answer.run)

    def link(self, *, progress: bool = False, **how: Any) -> Run:
        """Starts a run as `start` does, and waits for its end. Raises MusubiError if it failed."""
        run = self.start(**how)
        for run in self.watch(run.id):
            if progress:
                _show(run)
        if run.state == "failed":
            raise MusubiError(f"run {run.id} failed: {run.failure}", grpc.StatusCode.ABORTED, None)
        return run

    def resolve(self, source: str, record_ref: str) -> str:
        """The entity of a record."""
        request = entity_pb2.ResolveRecordRequest(source=f"sources/{bare(source)}", record_ref=record_ref)
        return bare(self._call(self._entities.ResolveRecord, request).entity)

    def records(self, entity: str) -> Iterator[tuple[str, str]]:
        """The records of an entity: source and record ref."""
        token = ""
        while True:
            request = entity_pb2.ListEntityRecordsRequest(entity=f"entities/{bare(entity)}", page_token=token)
            answer = self._call(self._entities.ListEntityRecords, request)
            yield from ((bare(one.source), one.record_ref) for one in answer.records)
            token = answer.next_page_token
            if not token:
                return

    def entities(self) -> Rows:
        """All records of the published run and their entities."""

        def batches() -> Iterator[Batch]:
            for message in self._stream(self._entities.ExportEntities, entity_pb2.ExportEntitiesRequest()):
                yield calls.entity_batch(message)

        return Rows(batches(), calls.ENTITY_COLUMNS, {})

    def projects(self) -> Iterator[Project]:
        """All projects, by name."""
        token = ""
        while True:
            answer = self._call(self._projects.ListProjects, project_pb2.ListProjectsRequest(page_token=token))
            yield from map(Project.read, answer.projects)
            token = answer.next_page_token
            if not token:
                return

    def pseudonyms(self, project: str) -> Rows:
        """All records of the published run with the pseudonyms of a project; checked against the server's hash."""
        request = project_pb2.ExportPseudonymsRequest(name=f"projects/{bare(project)}")
        reader = calls.PseudonymReader()
        messages = self._stream(self._projects.ExportPseudonyms, request)
        return Rows(calls.pseudonym_batches(messages, reader), calls.PSEUDONYM_COLUMNS, reader.about)


def _show(run: Run) -> None:
    """One line on standard error, written over itself."""
    if run.planned:
        text = f"{run.step}: {run.done:,} of {run.planned:,} ({run.done / run.planned:.0%})"
    else:
        text = run.step or run.state
    print(f"\r{text:<60}", end="\n" if run.ended else "", file=sys.stderr, flush=True)
