"""Verdicts as HTTP POST requests with a JSON body."""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import SplitResult, unquote, urlsplit

from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import Output, OutputSettings, encode
from sdk.station.verdict import Verdict

__all__ = ["WebhookSettings"]

# Refusals that another attempt may overcome: too slow, too early, too many requests.
_PASSING = (408, 425, 429)
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, kw_only=True)
class WebhookSettings(OutputSettings):
    """The address of a webhook.

    The address and the headers may hold passwords and tokens. Messages therefore show the server
    only. Only the station's user should be able to read a file with passwords or tokens.

    Attributes:
        url: Address of the requests, http or https. A user and password
            ("https://user:password@host") are sent as basic authentication.
        headers: Additional headers, such as Authorization.
    """

    kind: ClassVar[str] = "webhook"

    url: str = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        super().__post_init__()
        parts = _split(self.url)
        names = {name.lower() for name in self.headers}
        if parts.username is not None and "authorization" in names:
            raise JobError("url has a user, and headers has Authorization. Remove one of them.")
        for name, value in self.headers.items():
            legal = value.isprintable() and value.isascii()
            if not (legal and _HEADER.fullmatch(name)):
                raise JobError(
                    f"headers has {name!r}, which is not an HTTP header. Use letters, digits and - "
                    "in its name, and printable ASCII characters in its value."
                )

    def open(self) -> Output:
        """See `OutputSettings.open`."""
        return _WebhookOutput(self)


def _split(url: str) -> SplitResult:
    """Return the parts of an address.

    Raises:
        JobError: The address is not legal. The message does not show the address.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise JobError('url is not an HTTP address. Give one such as "http://host:8080/path".')
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise JobError(
            "url holds a space or a character beyond ASCII. Percent-encode it, a space as %20."
        )
    return parts


class _WebhookOutput(Output):
    def __init__(self, settings: WebhookSettings) -> None:
        parts = _split(settings.url)
        host = parts.netloc.rpartition("@")[2]
        self._timeout_s = settings.timeout_s
        self._server = f"{parts.scheme}://{host}"
        self._url = parts._replace(netloc=host).geturl()
        self._headers = {"Content-Type": "application/json", **settings.headers}
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    def send(self, verdict: Verdict) -> None:
        request = urllib.request.Request(self._url, encode(verdict), self._headers)
        post = _Post(request, self._timeout_s)
        post.start()
        post.join(self._timeout_s)
        if post.is_alive():
            post.cut()
            raise self._failed(f"it timed out after {self._timeout_s:g} s")
        error = post.error
        if isinstance(error, urllib.error.HTTPError):
            with error:
                final = error.code < 500 and error.code not in _PASSING
                raise OutputError(
                    f"{self._server} answered {error.code} {error.reason}. "
                    "Check the address and the headers.",
                    permanent=final,
                ) from error
        if error is not None:
            raise self._failed(getattr(error, "reason", error)) from error

    def _failed(self, reason: object) -> OutputError:
        return OutputError(f"Cannot post to {self._server}: {reason}. Check that the server runs.")


class _Post(threading.Thread):
    """One attempt, in a thread that can be abandoned.

    The timeout of a socket applies to a single read. A server that sends a byte now and then, or a
    name lookup, may take any time.

    Attributes:
        error: Reason of the failure. None after success.
    """

    def __init__(self, request: urllib.request.Request, timeout_s: float) -> None:
        super().__init__(name="webhook", daemon=True)
        self.error: Exception | None = None
        self._request, self._timeout_s = request, timeout_s
        self._sockets: list[socket.socket] = []
        self._late = False

    def run(self) -> None:
        opener = urllib.request.build_opener(_NoRedirect, _Handler(self._keep))
        try:
            with opener.open(self._request, timeout=self._timeout_s):
                pass
        except Exception as error:  # `send` must not treat any exception as success
            self.error = error
        finally:
            for connected in self._sockets:
                connected.close()

    def cut(self) -> None:
        """End the connection, and with it the thread."""
        self._late = True
        with contextlib.suppress(OSError):  # the connection may just have ended by itself
            for connected in self._sockets:
                connected.shutdown(socket.SHUT_RDWR)

    def _keep(self, connected: socket.socket) -> None:
        self._sockets.append(connected)
        if self._late:
            raise TimeoutError("this attempt was abandoned")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects, because a redirected POST would arrive as a GET without its body."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _HttpConnection(http.client.HTTPConnection):
    """Gives a second handle of its socket to a callback. TLS does not close this handle."""

    on_socket: Callable[[socket.socket], None]

    def connect(self) -> None:
        super().connect()
        self.on_socket(self.sock.dup())


class _HttpsConnection(http.client.HTTPSConnection, _HttpConnection):
    """`_HttpConnection` with TLS, which is set up after `_HttpConnection.connect`."""


class _Handler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def __init__(self, on_socket: Callable[[socket.socket], None]) -> None:
        super().__init__()
        self._on_socket = on_socket

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(_HttpConnection, request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self._open(_HttpsConnection, request)

    def _open(
        self, kind: type[_HttpConnection], request: urllib.request.Request
    ) -> http.client.HTTPResponse:
        def connect(*args: Any, **more: Any) -> _HttpConnection:
            connection = kind(*args, **more)
            connection.on_socket = self._on_socket
            return connection

        return self.do_open(connect, request)
