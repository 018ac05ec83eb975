"""What the server answers, as plain values."""

from __future__ import annotations

import datetime
import html
from dataclasses import dataclass

from .v1 import entity_pb2, link_records_job_pb2, project_pb2


def _time(unix_s: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc)


def bare(name: str) -> str:
    """What follows the last slash of a resource name."""
    return name.rsplit("/", 1)[-1]


def _card(title: str, lines: dict[str, object]) -> str:
    rows = "".join(
        f"<tr><th style='text-align:left'>{html.escape(key)}</th><td>{html.escape(str(value))}</td></tr>"
        for key, value in lines.items()
    )
    return f"<table><caption>{html.escape(title)}</caption>{rows}</table>"


@dataclass(frozen=True)
class Source:
    """A source, its live records and its submissions."""

    name: str
    records: int
    submissions: int


@dataclass(frozen=True)
class Run:
    """One execution of the linkage."""

    id: str
    state: str
    """queued, running, succeeded or failed"""
    created: datetime.datetime
    step: str | None
    """the step under way"""
    done: int
    planned: int
    """items of that step; 0 if it is not known how many there are"""
    failure: str | None
    message: link_records_job_pb2.Run
    """all that the server says, report included"""

    @classmethod
    def read(cls, message: link_records_job_pb2.Run) -> Run:
        state = link_records_job_pb2.RunState.Name(message.state)
        going = message.progress if message.HasField("progress") else None
        return cls(
            id=bare(message.name),
            state=state.removeprefix("RUN_STATE_").lower(),
            created=_time(message.create_time_unix_s),
            step=going.step if going else None,
            done=going.done_count if going else 0,
            planned=going.planned_count if going else 0,
            failure=message.failure or None,
            message=message,
        )

    @property
    def ended(self) -> bool:
        return self.state in ("succeeded", "failed")

    @property
    def report(self) -> link_records_job_pb2.RunReport | None:
        """What a finished run says: counts, thresholds, methods sheet."""
        return self.message.report if self.message.HasField("report") else None

    def _lines(self) -> dict[str, object]:
        lines: dict[str, object] = {"state": self.state, "created": f"{self.created:%Y-%m-%d %H:%M} UTC"}
        if self.step:
            lines["step"] = self.step
        if self.failure:
            lines["failure"] = self.failure
        if self.report:
            lines["records"] = f"{self.report.record_count:,}"
            lines["people"] = f"{self.report.entity_count:,}"
            lines["links"] = f"{self.report.link_count:,}"
            lines["expected precision"] = f"{self.report.expected_precision:.4f}"
        return lines

    def __repr__(self) -> str:
        return f"Run({self.id}, " + ", ".join(f"{key}={value}" for key, value in self._lines().items()) + ")"

    def _repr_html_(self) -> str:
        return _card(f"run {self.id}", self._lines())


@dataclass(frozen=True)
class Project:
    """A use of linked data, and under which rule its pseudonyms are made."""

    name: str
    domain: str
    """anonymised, pseudonymised or certified_operator"""
    recipient: str
    purpose: str
    created: datetime.datetime
    expires: datetime.datetime
    version: int
    key_destroyed: bool

    @classmethod
    def read(cls, message: project_pb2.Project) -> Project:
        domain = project_pb2.OutputDomain.Name(message.domain)
        return cls(
            name=bare(message.name),
            domain=domain.removeprefix("OUTPUT_DOMAIN_").lower(),
            recipient=message.recipient,
            purpose=message.purpose,
            created=_time(message.create_time_unix_s),
            expires=_time(message.expire_time_unix_s),
            version=message.version,
            key_destroyed=message.key_destroyed,
        )


def read_source(message: entity_pb2.SourceSummary) -> Source:
    return Source(bare(message.source), message.record_count, message.submission_count)
