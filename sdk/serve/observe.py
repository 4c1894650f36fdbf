"""What surrounds every request: its id, its place in log and metrics, and problems as JSON."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from sdk.serve.log import log_request, logger
from sdk.serve.metrics import Metrics
from sdk.serve.problem import Problem, problem_body

__all__ = ["GONE", "Observed", "Trace", "on_http_error", "on_problem", "trace_of"]

# What a client may call its request: what can stand in a log and in a header.
_ID = re.compile(r"[A-Za-z0-9._:\-]{1,64}")
# The client went away: no answer of HTTP, but nginx's word for it.
GONE = 499


@dataclass
class Trace:
    """What is found out about a request while it is answered.

    Attributes:
        id: Its id, the client's or a new one.
        route: Path of the route that answers.
        code: Kind of the problem; empty if there is none.
        values: What the log tells of it.
    """

    id: str
    route: str = "other"
    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def trace_of(request: Request) -> Trace:
    """Return the trace of a request."""
    trace: Trace = request.scope["fots_lite.trace"]
    return trace


class Observed:
    """An application whose requests are counted and logged.

    Attributes:
        inner: The application itself.
        active: How many requests are being answered.
        draining: Whether clients are told to close their connections.
    """

    def __init__(self, app: Starlette, metrics: Metrics) -> None:
        """Wrap an application.

        Args:
            app: What answers.
            metrics: Counts the answers.
        """
        self.inner = app
        self._metrics = metrics
        self.active = 0
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        trace = scope["fots_lite.trace"] = Trace(_request_id(scope))
        status = GONE
        started = time.perf_counter()

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *self._headers(trace)]
            await send(message)

        self.active += 1
        try:
            await self.inner(scope, receive, sent)
        except Exception:
            if status == GONE:  # else Starlette has answered, and raises once more
                raise
        finally:
            self.active -= 1
            self._record(scope, trace, status, 1e3 * (time.perf_counter() - started))

    def _headers(self, trace: Trace) -> list[tuple[bytes, bytes]]:
        found = [(b"x-request-id", trace.id.encode()), (b"x-content-type-options", b"nosniff")]
        if self.draining:
            found.append((b"connection", b"close"))
        return found

    def _record(self, scope: Scope, trace: Trace, status: int, ms: float) -> None:
        self._metrics.count_request(trace.route, _method(scope["method"]), status, trace.code)
        values = {
            "id": trace.id,
            "client": scope["client"][0] if scope.get("client") else None,
            "method": scope["method"],
            "path": scope["path"],
            "status": status,
            "ms": round(ms, 1),
            **trace.values,
        }
        if trace.code:
            values["code"] = trace.code
        log_request("request", **values)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _ID.fullmatch(text):
                return str(text)
    return secrets.token_hex(8)


def _method(name: str) -> str:
    """Return a method as a label: whatever clients invent is one."""
    return name if name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH") else "other"


def on_problem(request: Request, error: Exception) -> Response:
    """Return the answer to a request that has a problem."""
    assert isinstance(error, Problem)
    return _answer(request, error.status, error.code, error.message, error.headers)


def on_http_error(request: Request, error: Exception) -> Response:
    """Return the answer to what routing refuses, and to what nobody has foreseen."""
    if not isinstance(error, HTTPException):
        logger.error("Request %s failed.", trace_of(request).id, exc_info=error)
        message = "The service failed in a way that is not foreseen. Its log says more."
        return _answer(request, 500, "internal", message, {})
    path = request.url.path
    if error.status_code == 404:
        message = f"There is nothing at {path}. GET /openapi.json lists what there is."
        return _answer(request, 404, "not_found", message, {})
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        message = f"{path} does not take {request.method}. Send {allowed}."
        return _answer(request, 405, "method_not_allowed", message, {"Allow": allowed})
    return _answer(request, error.status_code, "bad_request", f"{error.detail}.", {})


def _answer(
    request: Request, status: int, code: str, message: str, headers: Mapping[str, str]
) -> Response:
    trace_of(request).code = code
    body = problem_body(code, message, inference=request.url.path.startswith("/v2"))
    return Response(body, status, dict(headers), "application/json")
