"""Runs the service: a socket, uvicorn, and a stop that loses nothing it took."""

from __future__ import annotations

import asyncio
import socket
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sdk.errors import OptionError, SdkError
from sdk.serve.app import Service
from sdk.serve.log import logger
from sdk.serve.settings import ServeSettings
from sdk.serve.worker import OpenReader

__all__ = ["serve"]

# How long the head of a request may take to arrive on an open connection, in seconds.
HEAD_S = 20
# How long what was taken may take after a stop: as long as it may take at all, and some more.
_MORE_S = 3
_BACKLOG = 128
_CONNECTIONS = 512


def serve(open_reader: OpenReader, settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        open_reader: Opens the reader of a worker; it can be pickled.
        settings: Where to listen, and limits.

    Raises:
        SdkError: A reader cannot be opened.
        OptionError: The address cannot be listened on.
    """
    # Before the models are opened: a port that is taken should not cost their time.
    listener = _bind(settings.host, settings.port)
    service = Service(open_reader, settings)
    config = uvicorn.Config(
        service.app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=HEAD_S,
        timeout_graceful_shutdown=int(settings.body_timeout_s + 2 * settings.timeout_s + _MORE_S),
    )
    server = _Server(config, service, settings)
    with listener:
        server.run(sockets=[listener])
    if server.failure is not None:
        raise server.failure


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, number)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(
            f"Cannot listen on {host} port {port}: {reason}. Choose another --host or --port."
        ) from error
    return listener


class _Server(uvicorn.Server):
    """Opens the models before it listens, and drains before it stops.

    Between the signal and the closing of the socket, requests are still answered, with
    "Connection: close": whoever has connected by then loses nothing.

    Attributes:
        failure: Why it could not start; None if it could.
    """

    def __init__(self, config: uvicorn.Config, service: Service, settings: ServeSettings) -> None:
        super().__init__(config)
        self._service = service
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: SdkError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        opening = asyncio.ensure_future(self._service.start())
        while not opening.done() and not self.should_exit:
            await asyncio.wait((opening,), timeout=0.1)
        if opening.done() and opening.exception() is None:
            await super().startup(sockets)
            host, port = (sockets or self.servers[0].sockets)[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            logger.info("listening", extra={"values": {"url": f"http://{shown}:{port}"}})
            return
        if opening.done():
            error = opening.exception()
            self.failure = error if isinstance(error, SdkError) else SdkError(repr(error))
        opening.cancel()
        self.should_exit = True
        await self._service.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        await self._service.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._service.draining or not self.started or self._loop is None:
            super().handle_exit(sig, frame)  # at once; a second SIGINT does not wait
            return
        self._service.drain()
        logger.info("Stopping: what was taken is finished.")
        self._captured_signals.append(sig)
        self._loop.call_soon_threadsafe(self._loop.call_later, self._settings.drain_s, self._stop)

    def _stop(self) -> None:
        self.should_exit = True


class _Protocol(H11Protocol):
    """Closes connections on which no complete head of a request arrives.

    Uvicorn waits for ever for the first one, and for the rest of a body that was answered early.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._late is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._late = self.loop.call_later(HEAD_S, self._close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
