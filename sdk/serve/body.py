"""Request bodies, with bounds on their size, their time, and the memory of all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.requests import ClientDisconnect, Request

from sdk.serve.problem import Problem

__all__ = ["Bodies", "ClientDisconnect"]

# Bodies of the largest size that may be in memory at a time.
_MOST = 8


class Bodies:
    """Takes bodies from clients.

    Attributes:
        held: Bytes of bodies that are in memory.
    """

    def __init__(self, max_bytes: int, timeout_s: float) -> None:
        """Take the bounds: bytes of a body, and seconds until it must have arrived."""
        self.held = 0
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    def check_length(self, request: Request) -> None:
        """Raise a Problem with status 413 if a request says that its body is too large."""
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self._max_bytes:
            raise self._too_large()

    async def take(self, request: Request) -> bytes:
        """Return the body of a request. `keep` counts it for as long as it is needed.

        Raises:
            Problem: It is too large (413) or too slow (408), or there are too many of them (503).
            ClientDisconnect: The client went away before its end.
        """
        try:
            return await asyncio.wait_for(self._take(request), self._timeout_s)
        except asyncio.TimeoutError as error:
            raise Problem(
                408,
                "too_slow_body",
                f"The body did not arrive within {self._timeout_s:g} s. Send a smaller picture, "
                "or over a faster connection.",
                {"Connection": "close"},
            ) from error

    @contextlib.contextmanager
    def keep(self, body: bytes) -> Iterator[None]:
        """Count a body as being in memory while the block runs."""
        self.held += len(body)
        try:
            yield
        finally:
            self.held -= len(body)

    async def _take(self, request: Request) -> bytes:
        parts = bytearray()
        try:
            async for part in request.stream():
                parts += part
                self.held += len(part)
                if len(parts) > self._max_bytes:
                    raise self._too_large()
                if self.held > _MOST * self._max_bytes:
                    raise Problem(
                        503,
                        "busy",
                        "The service is busy: too many bodies arrive at a time. "
                        "Send the request again in 5 s.",
                        {"Retry-After": "5"},
                    )
            return bytes(parts)
        finally:
            self.held -= len(parts)

    def _too_large(self) -> Problem:
        return Problem(
            413,
            "too_large",
            f"The body is larger than {self._max_bytes:,} bytes. Scale the picture down, or "
            "compress it more.",
        )
