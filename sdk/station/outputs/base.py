"""The base of all outputs: settings, interface, and the message that they send."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

from sdk.errors import JobError, OutputError
from sdk.station.verdict import STATUSES, Verdict

__all__ = ["Output", "OutputSettings", "check_address", "encode", "import_package"]


@dataclass(frozen=True, kw_only=True)
class OutputSettings(ABC):
    """Settings that every output has.

    Attributes:
        name: Name of the output in counts and messages.
        on: Kinds of verdicts to send: "ok", "ng", "unreadable".
        retries: Number of further attempts after a failed attempt, with growing waits.
        queue: Largest number of waiting verdicts. Beyond it the oldest is dropped and counted.
        timeout_s: Longest time of one attempt, in seconds.
    """

    kind: ClassVar[str]

    name: str
    on: tuple[str, ...] = STATUSES
    retries: int = 3
    queue: int = 100
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        unknown = [status for status in self.on if status not in STATUSES]
        if unknown or not self.on:
            raise JobError(f"on is {list(self.on)}. List one or more of {', '.join(STATUSES)}.")
        if not 0 <= self.retries <= 100:
            raise JobError(f"retries is {self.retries}. Give a number from 0 to 100.")
        if not 1 <= self.queue <= 100_000:
            raise JobError(f"queue is {self.queue}. Give a number from 1 to 100000.")
        if not 0 < self.timeout_s <= 600:
            raise JobError(f"timeout_s is {self.timeout_s}. Give seconds above 0, up to 600.")

    @abstractmethod
    def open(self) -> Output:
        """Return the output. It connects when it has a verdict to send.

        Raises:
            OutputError: A package is missing, or the hardware cannot be used.
        """


class Output(ABC):
    """A receiver of verdicts, used by one thread."""

    @abstractmethod
    def send(self, verdict: Verdict) -> None:
        """Send a verdict, with a new connection if needed.

        Raises:
            OutputError: The verdict did not arrive, or its arrival is not certain.
        """

    def close(self) -> None:  # noqa: B027 - most outputs have no resources
        """Free all resources."""


def check_address(host: str, port: int) -> None:
    """Check the address of a server.

    Raises:
        JobError: The host or the port is not legal.
    """
    if not host or not host.isprintable() or " " in host:
        raise JobError(f"host is {host!r}. Give the name or the address of the server.")
    if not 1 <= port <= 65_535:
        raise JobError(f"port is {port}. Give a number from 1 to 65535.")


def encode(verdict: Verdict) -> bytes:
    """Return a verdict as the JSON message of an output, without characters and timings."""
    full = verdict.to_dict()
    message: dict[str, Any] = {
        key: full[key] for key in ("status", "job", "time", "text", "reasons", "results")
    }
    message["lines"] = [
        {"text": line.text, "confidence": line.confidence, "quad": [list(p) for p in line.quad]}
        for line in verdict.reading
    ]
    return json.dumps(message, ensure_ascii=False, allow_nan=False).encode()


def import_package(module: str, package: str) -> Any:
    """Return an optional module.

    Raises:
        OutputError: The package is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise OutputError(
            f"{package} is not installed ({error}). Install it: pip install 'fots-lite[station]'.",
            permanent=True,
        ) from error
