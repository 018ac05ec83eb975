"""Why a call has no answer."""

from __future__ import annotations

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

DOMAIN = "musubi"


class MusubiError(Exception):
    """The server refused a call, or could not be reached.

    `reason` is one word of the server's error_reason.proto, as in "RUN_NOT_FOUND"; None if no server answered.
    """

    def __init__(self, message: str, code: grpc.StatusCode, reason: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class NotFound(MusubiError):
    """There is no such run, record, entity or project."""


class NotAllowed(MusubiError):
    """The certificate is not accepted, or its role may not do this."""


class TryAgain(MusubiError):
    """The server is busy or out of reach; the same call may go through later."""


_KINDS = {
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: NotAllowed,
    grpc.StatusCode.PERMISSION_DENIED: NotAllowed,
    grpc.StatusCode.UNAVAILABLE: TryAgain,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TryAgain,
    grpc.StatusCode.DEADLINE_EXCEEDED: TryAgain,
}


def translate(error: grpc.RpcError) -> MusubiError:
    """The error of a call as one of ours."""
    code, message = error.code(), error.details() or str(error.code())
    reason = None
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Is(info.DESCRIPTOR) and detail.Unpack(info) and info.domain == DOMAIN:
            reason = info.reason
    if reason is None and code is grpc.StatusCode.UNAVAILABLE:
        message = f"no answer from the server: {message}; is `musubi serve` running, and is the certificate still valid?"
    return _KINDS.get(code, MusubiError)(message, code, reason)
