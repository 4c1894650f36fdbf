"""Verdicts given to a program, as JSON on its standard input."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import ClassVar

from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import Output, OutputSettings, encode
from sdk.station.verdict import Verdict

__all__ = ["CommandSettings"]

# Of what a program says on standard error; a message holds the last 300 characters.
KEPT_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class CommandSettings(OutputSettings):
    """A program, started anew for every verdict.

    Attributes:
        command: The program and its arguments, one text each; no shell takes them apart.
        retries: How often a failed verdict is tried again; never unless asked for, for a program
            that has failed may have done half its work.
    """

    kind: ClassVar[str] = "command"

    command: tuple[str, ...]
    retries: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: One is not legal.
        """
        super().__post_init__()
        if not self.command or not self.command[0]:
            raise JobError("command is empty. Give the program and its arguments.")

    def open(self) -> Output:
        """See `OutputSettings.open`."""
        return _CommandOutput(self)


class _CommandOutput(Output):
    def __init__(self, settings: CommandSettings) -> None:
        self._settings = settings

    def send(self, verdict: Verdict) -> None:
        name = self._settings.command[0]
        try:
            process = subprocess.Popen(
                self._settings.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # a group of its own, so that its children can be ended with it
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise OutputError(
                f"Cannot run {name}: {error}. Check its path and that it may be executed.",
                permanent=True,
            ) from error
        tail = _Tail(process)
        tail.start()
        deadline = time.monotonic() + self._settings.timeout_s
        with process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(encode(verdict), self._settings.timeout_s)
                tail.join(max(0.0, deadline - time.monotonic()))
            if tail.is_alive() or process.returncode is None:
                _end(process)
                raise OutputError(
                    f"{name} took longer than {self._settings.timeout_s:g} s and was ended. "
                    "Make it faster or raise timeout_s."
                )
        if process.returncode:
            said = tail.kept.decode(errors="replace").strip()[-300:] or "it said nothing"
            raise OutputError(f"{name} failed with exit code {process.returncode}: {said}")


class _Tail(threading.Thread):
    """Reads what a program writes to standard error, and keeps the end of it.

    Attributes:
        kept: The last bytes.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(name="standard error", daemon=True)
        self.kept = b""
        assert process.stderr is not None
        # taken from `communicate`, which would keep all of it
        self._pipe, process.stderr = process.stderr, None

    def run(self) -> None:
        with self._pipe:
            while part := os.read(self._pipe.fileno(), 65_536):
                self.kept = (self.kept + part)[-KEPT_BYTES:]


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
