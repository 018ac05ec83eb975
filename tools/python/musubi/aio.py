"""The client for programs that wait for many things at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from . import calls
from .errors import MusubiError, translate
from .models import Run, Source, bare, read_source
from .rows import Batch
from .v1 import (
    entity_pb2,
    entity_pb2_grpc,
    link_records_job_pb2,
    link_records_job_pb2_grpc,
    project_pb2,
    project_pb2_grpc,
)


class AsyncClient:
    """As `Client`, for asyncio. Use it in `async with`, or close it."""

    def __init__(
        self, address: str, *, ca: str | Path, certificate: str | Path, key: str | Path, timeout: float = 60.0
    ) -> None:
        """`address`: host:port. `timeout`: seconds for one answer; streams have none."""
        self._channel = grpc.aio.secure_channel(address, calls.credentials(ca, certificate, key), calls.OPTIONS)
        self._timeout = timeout
        self._jobs = link_records_job_pb2_grpc.LinkRecordsJobServiceStub(self._channel)
        self._entities = entity_pb2_grpc.EntityServiceStub(self._channel)
        self._projects = project_pb2_grpc.ProjectServiceStub(self._channel)

    @classmethod
    def from_folder(
        cls, folder: str | Path = "musubi-data", *, role: str = "pipeline", address: str = "localhost:7443"
    ) -> AsyncClient:
        """With the certificates that `musubi init --dir FOLDER` made."""
        return cls(address, **calls.files_of_role(folder, role))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._channel.close()

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Any) -> Any:
        try:
            return await method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise translate(error) from None

    async def _stream(self, method: Callable[..., Any], request: Any) -> AsyncIterator[Any]:
        try:
            async for message in method(request):
                yield message
        except grpc.RpcError as error:
            raise translate(error) from None

    async def sources(self) -> list[Source]:
        """The sources, by name."""
        answer = await self._call(self._entities.ListSources, entity_pb2.ListSourcesRequest())
        return [read_source(one) for one in answer.sources]

    async def run(self, run: str) -> Run:
        """A run as it stands."""
        request = link_records_job_pb2.GetRunRequest(name=f"runs/{bare(run)}")
        return Run.read((await self._call(self._jobs.GetRun, request)).run)

    async def start(
        self,
        *,
        upper: float | None = None,
        lower: float | None = None,
        target_false_links_per_1000_people: float | None = None,
        as_before: bool = False,
    ) -> Run:
        """Starts a run over all records, or joins the one under way, and does not wait."""
        request = calls.start_request(upper, lower, target_false_links_per_1000_people, as_before)
        return Run.read((await self._call(self._jobs.RunLinkRecordsJob, request)).run)

    async def watch(self, run: str) -> AsyncIterator[Run]:
        """A run at each change, until it has ended."""
        request = link_records_job_pb2.WatchRunRequest(name=f"runs/{bare(run)}")
        async for answer in self._stream(self._jobs.WatchRun, request):
            yield Run.read(answer.run)

    async def link(self, **how: Any) -> Run:
        """Starts a run as `start` does, and waits for its end. Raises MusubiError if it failed."""
        run = await self.start(**how)
        async for run in self.watch(run.id):
            pass
        if run.state == "failed":
            raise MusubiError(f"run {run.id} failed: {run.failure}", grpc.StatusCode.ABORTED, None)
        return run

    async def resolve(self, source: str, record_ref: str) -> str:
        """The entity of a record."""
        request = entity_pb2.ResolveRecordRequest(source=f"sources/{bare(source)}", record_ref=record_ref)
        return bare((await self._call(self._entities.ResolveRecord, request)).entity)

    async def entities(self) -> AsyncIterator[Batch]:
        """All records of the published run: source, record ref and entity, a few thousand at a time."""
        async for message in self._stream(self._entities.ExportEntities, entity_pb2.ExportEntitiesRequest()):
            yield calls.entity_batch(message)

    async def pseudonyms(self, project: str) -> AsyncIterator[Batch]:
        """As `entities`, with the pseudonyms of a project; checked against the server's hash at the end."""
        request = project_pb2.ExportPseudonymsRequest(name=f"projects/{bare(project)}")
        reader = calls.PseudonymReader()
        async for message in self._stream(self._projects.ExportPseudonyms, request):
            if batch := reader.read(message):
                yield batch
        reader.end()
