"""Settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

from sdk.image.picture import MAX_PIXELS

__all__ = ["ServeSettings"]


@dataclass(frozen=True)
class ServeSettings:
    """Where the service listens, and its limits.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        workers: Processes that read.
        queue: Most requests that wait for one of them.
        tokens: What clients must send one of; empty lets everybody in.
        max_bytes: Most bytes of a request's body.
        max_pixels: Most pixels of a picture.
        body_timeout_s: How long a body may take to arrive, in seconds.
        timeout_s: How long a request may wait for a worker, and then be read, in seconds.
        drain_s: How long new requests are still taken after SIGTERM, in seconds.
        log_texts: Whether the log holds what was read.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    queue: int = 16
    tokens: tuple[str, ...] = ()
    max_bytes: int = 20_000_000
    max_pixels: int = MAX_PIXELS
    body_timeout_s: float = 30.0
    timeout_s: float = 30.0
    drain_s: float = 1.0
    log_texts: bool = False
