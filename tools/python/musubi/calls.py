"""What both clients share: connections, requests, and how answers are read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import blake3
import grpc

from .errors import MusubiError
from .models import Project, bare
from .rows import Batch
from .v1 import entity_pb2, link_records_job_pb2, project_pb2

ENTITY_COLUMNS = ("source", "record_ref", "entity")
PSEUDONYM_COLUMNS = ("source", "record_ref", "pseudonym")

# Starting a run carries a request ID and all else only reads, so every call may be tried again.
_RETRY = {
    "methodConfig": [
        {
            "name": [{"service": f"musubi.v1.{name}Service"} for name in ("LinkRecordsJob", "Entity", "Project")],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
OPTIONS = [("grpc.service_config", json.dumps(_RETRY)), ("grpc.keepalive_time_ms", 60_000)]


def files_of_role(folder: str | Path, role: str) -> dict[str, Path]:
    """Where `musubi init` puts the authority's certificate, and a role's certificate and key."""
    certs = Path(folder) / "certs"
    return {"ca": certs / "ca.crt", "certificate": certs / f"{role}.crt", "key": certs / f"{role}.key"}


def credentials(ca: str | Path, certificate: str | Path, key: str | Path) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        root_certificates=Path(ca).read_bytes(),
        private_key=Path(key).read_bytes(),
        certificate_chain=Path(certificate).read_bytes(),
    )


def start_request(
    upper: float | None, lower: float | None, target: float | None, as_before: bool
) -> link_records_job_pb2.RunLinkRecordsJobRequest:
    request = link_records_job_pb2.RunLinkRecordsJobRequest(request_id=str(uuid.uuid4()), as_before=as_before)
    if (upper is None) != (lower is None):
        raise ValueError("give both upper and lower, or neither")
    if upper is not None and lower is not None:
        request.thresholds.upper_bits, request.thresholds.lower_bits = upper, lower
    if target is not None:
        request.target_false_links_per_1000_people = target
    return request


def entity_batch(message: entity_pb2.ExportEntitiesResponse) -> Batch:
    return [(bare(row.source), row.record_ref, bare(row.entity)) for row in message.rows]


class PseudonymReader:
    """Takes the parts of an export in order, and checks them against the trailer."""

    def __init__(self) -> None:
        self.about: dict[str, Any] = {}
        self._hash = blake3.blake3()
        self._count = 0
        self._whole = False

    def read(self, message: project_pb2.ExportPseudonymsResponse) -> Batch:
        part = message.WhichOneof("part")
        if part == "header":
            header = message.header
            project = Project.read(header.project)
            self.about.update(
                project=project.name,
                domain=project.domain,
                recipient=project.recipient,
                purpose=project.purpose,
                version=project.version,
                run=header.run,
                export_time_unix_s=header.export_time_unix_s,
                exported_by=header.exported_by,
            )
        elif part == "rows":
            batch = [(bare(row.source), row.record_ref, row.pseudonym) for row in message.rows.rows]
            for row in batch:
                self._hash.update((",".join(row) + "\n").encode())
            self._count += len(batch)
            return batch
        elif part == "trailer":
            trailer = message.trailer
            self._whole = trailer.row_count == self._count and trailer.content_hash == self._hash.digest()
            self.about["content_blake3"] = trailer.content_hash.hex()
        return []

    def end(self) -> None:
        if not self._whole:
            raise MusubiError("the export is not whole; ask for it again", grpc.StatusCode.DATA_LOSS, None)


def pseudonym_batches(messages: Iterator[project_pb2.ExportPseudonymsResponse], reader: PseudonymReader) -> Iterator[Batch]:
    for message in messages:
        if batch := reader.read(message):
            yield batch
    reader.end()
