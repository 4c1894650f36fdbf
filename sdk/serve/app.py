"""The routes of the service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from importlib import resources
from typing import Any

from prometheus_client.core import Metric
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sdk import __version__
from sdk.serve.body import Bodies, ClientDisconnect
from sdk.serve.form import choose_form
from sdk.serve.inference import model_metadata
from sdk.serve.job import Answer, Job, Task
from sdk.serve.metrics import CONTENT_TYPE_LATEST, Metrics, gauge, memory
from sdk.serve.observe import GONE, Observed, on_http_error, on_problem, trace_of
from sdk.serve.pool import Pool
from sdk.serve.problem import Problem
from sdk.serve.settings import ServeSettings
from sdk.serve.tokens import check_token
from sdk.serve.upload import check_content_type
from sdk.serve.worker import OpenReader

__all__ = ["Service"]

Endpoint = Callable[[Request], Awaitable[Response]]

# The page at /, and what the browser may load for it: nothing from elsewhere.
_PAGE_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
}
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Service:
    """The service as an ASGI application.

    Attributes:
        app: The application; `start` comes before its first request, `close` after its last.
    """

    def __init__(self, open_reader: OpenReader, settings: ServeSettings) -> None:
        """Make the routes.

        Args:
            open_reader: Opens the reader of a worker.
            settings: Limits and tokens.
        """
        self._settings = settings
        self._bodies = Bodies(settings.max_bytes, settings.body_timeout_s)
        self._pool = Pool(
            open_reader,
            workers=settings.workers,
            queue=settings.queue,
            timeout_s=settings.timeout_s,
        )
        self._metrics = Metrics(self._gauges)
        inner = Starlette(
            routes=self._routes(),
            exception_handlers={
                Problem: on_problem,
                404: on_http_error,
                405: on_http_error,
                400: on_http_error,
                Exception: on_http_error,
            },
        )
        inner.router.redirect_slashes = False
        self.app = Observed(inner, self._metrics)

    @property
    def draining(self) -> bool:
        """Whether the service is about to stop."""
        return self.app.draining

    def drain(self) -> None:
        """Tell clients and load balancers that the service is about to stop."""
        self.app.draining = True

    async def start(self) -> None:
        """Start the workers, and wait for the first of them.

        Raises:
            SdkError: A reader cannot be opened.
        """
        await self._pool.start()

    async def close(self) -> None:
        """End the workers."""
        await self._pool.close()

    def _routes(self) -> list[Route]:
        guarded: list[tuple[str, str, Endpoint]] = [
            ("POST", "/v1/read", self._reads("read")),
            ("POST", "/v1/read-line", self._reads("read-line")),
            ("GET", "/v1/info", self._info),
            ("GET", "/metrics", self._metrics_text),
            ("GET", "/v2", self._server_metadata),
            ("GET", "/v2/models/{model}", self._model_metadata),
            ("GET", "/v2/models/{model}/ready", self._model_ready),
            ("POST", "/v2/models/{model}/infer", self._infer),
        ]
        open_to_all: list[tuple[str, str, Endpoint]] = [
            ("GET", "/healthz", self._alive),
            ("GET", "/readyz", self._ready),
            ("GET", "/v2/health/live", self._alive),
            ("GET", "/v2/health/ready", self._ready),
            ("GET", "/openapi.json", _file("openapi.json", "application/json", {})),
            *(
                ("GET", path, _file(f"page/{name}", kind, _PAGE_HEADERS))
                for path, (name, kind) in _PAGE_FILES.items()
            ),
        ]
        return [
            *(
                Route(path, self._routed(path, end, guarded=True), methods=[verb])
                for verb, path, end in guarded
            ),
            *(
                Route(path, self._routed(path, end, guarded=False), methods=[verb])
                for verb, path, end in open_to_all
            ),
        ]

    def _routed(self, path: str, endpoint: Endpoint, *, guarded: bool) -> Endpoint:
        """Return an endpoint that tells its route.

        Args:
            path: The route.
            endpoint: What answers.
            guarded: Whether only those who have a token are answered, if there are any.
        """
        tokens = self._settings.tokens if guarded else ()

        async def routed(request: Request) -> Response:
            trace_of(request).route = path
            if tokens:
                check_token(request.headers.get("authorization", ""), tokens)
            return await endpoint(request)

        return routed

    def _reads(self, task: Task) -> Endpoint:
        async def read(request: Request) -> Response:
            check_content_type(request.headers.get("content-type", ""))
            # a format in the address or in the body wins, and is looked at there
            named = "format" in request.query_params
            form = "json" if named else choose_form(request.headers.get("accept", ""))
            return await self._answer(request, task, form)

        return read

    async def _infer(self, request: Request) -> Response:
        self._check_model(request)
        check_content_type(request.headers.get("content-type", "application/json"), only_json=True)
        return await self._answer(request, "infer", "json")

    async def _answer(self, request: Request, task: Task, form: str) -> Response:
        """Return what a worker makes of a request."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        self._bodies.check_length(request)
        self._pool.check_room()
        trace = trace_of(request)
        try:
            body = await self._bodies.take(request)
            received = loop.time()
            trace.values["bytes"] = len(body)
            job = Job(
                trace.id,
                task,
                body,
                request.headers.get("content-type", ""),
                tuple(request.query_params.multi_items()),
                form,
                self._settings.max_pixels,
            )
            with self._bodies.keep(body):
                answer, queue_s, read_s = await self._unless_gone(request, self._pool.ask(job))
        except ClientDisconnect:
            trace.code = "client_gone"
            return Response(status_code=GONE)
        trace.code = answer.code
        trace.values.update(queue_ms=round(1e3 * queue_s, 1), read_ms=round(1e3 * read_s, 1))
        if answer.status == 200:
            stages = {
                stage.removesuffix("_ms"): ms / 1e3
                for stage, ms in answer.stages.items()
                if stage != "total_ms"
            }
            stages |= {
                "receive": received - started,
                "queue": queue_s,
                "request": loop.time() - started,
            }
            self._metrics.count_reading(stages, len(answer.texts))
            trace.values["lines"] = len(answer.texts)
            if self._settings.log_texts:
                trace.values["texts"] = list(answer.texts)
        return Response(answer.body, answer.status, media_type=answer.media_type)

    async def _unless_gone(
        self, request: Request, asking: Awaitable[tuple[Answer, float, float]]
    ) -> tuple[Answer, float, float]:
        """Return what is asked for, or raise ClientDisconnect as soon as nobody waits for it."""
        answer = asyncio.ensure_future(asking)
        gone = asyncio.ensure_future(_disconnected(request))
        try:
            await asyncio.wait((answer, gone), return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ClientDisconnect
            return answer.result()
        finally:
            answer.cancel()
            gone.cancel()

    async def _alive(self, _request: Request) -> Response:
        return JSONResponse({"live": True})

    async def _ready(self, _request: Request) -> Response:
        if self._pool.ready and not self.draining:
            return JSONResponse({"ready": True})
        reason = "The service stops" if self.draining else "No worker has an open model"
        raise Problem(503, "not_ready", f"{reason}. Try again in 2 s.", {"Retry-After": "2"})

    async def _info(self, _request: Request) -> Response:
        about = self._pool.about
        settings = self._settings
        return JSONResponse(
            {
                "fots_lite": __version__,
                "model": {
                    key: about[key]
                    for key in ("model", "version", "created", "variant", "charset", "frame")
                },
                "device": about["device"],
                "interpreter": about["interpreter"],
                "threads": about["threads"],
                "workers": settings.workers,
                "limits": {
                    "queue": settings.queue,
                    "max_bytes": settings.max_bytes,
                    "max_pixels": settings.max_pixels,
                    "body_timeout_s": settings.body_timeout_s,
                    "timeout_s": settings.timeout_s,
                },
            }
        )

    async def _metrics_text(self, _request: Request) -> Response:
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _server_metadata(self, _request: Request) -> Response:
        return JSONResponse({"name": "fots-lite", "version": __version__, "extensions": []})

    async def _model_metadata(self, request: Request) -> Response:
        self._check_model(request)
        about = self._pool.about
        return JSONResponse(model_metadata(about["model"], about["version"]))

    async def _model_ready(self, request: Request) -> Response:
        self._check_model(request)
        await self._ready(request)
        return JSONResponse({"name": self._pool.about["model"], "ready": True})

    def _check_model(self, request: Request) -> None:
        name = self._pool.about["model"]
        if request.path_params["model"] != name:
            raise Problem(404, "not_found", f"There is no such model. The model is {name}.")

    def _gauges(self) -> Iterator[Metric]:
        pool = self._pool
        yield gauge("active_requests", "Requests being answered.", self.app.active)
        yield gauge("queue_length", "Requests that wait for a worker.", pool.waiting)
        yield gauge("queue_limit", "Most requests that may wait.", pool.queue_limit)
        yield gauge("body_bytes", "Bytes of bodies in memory.", self._bodies.held)
        ready = [seat for seat in pool.seats if seat.worker is not None]
        yield gauge("workers_ready", "Workers with an open model.", len(ready))
        yield gauge("workers_busy", "Workers that read.", sum(seat.busy for seat in pool.seats))
        starts = sum(seat.starts for seat in pool.seats)
        yield gauge("worker_starts", "Worker processes started so far.", starts)
        pids: dict[str, int | str] = {"service": os.getpid()}
        pids |= {f"worker-{x.number}": x.worker.pid for x in ready if x.worker is not None}
        yield memory(pids)


async def _disconnected(request: Request) -> None:
    """Return when the client goes away; its body has been received."""
    while True:
        message: dict[str, Any] = dict(await request.receive())
        if message["type"] == "http.disconnect":
            return


def _file(name: str, media_type: str, headers: dict[str, str]) -> Endpoint:
    """Return an endpoint that answers with a file of this package."""
    content = resources.files("sdk.serve").joinpath(name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=headers)

    return answer
