"""Verdicts for a program, as JSON on its standard input."""

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

# Number of bytes kept of a program's standard error. A message has the last 300 characters.
KEPT_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class CommandSettings(OutputSettings):
    """A program that is started for every verdict.

    Attributes:
        command: The program and its arguments, one text each, without a shell.
        retries: Number of further attempts after a failed attempt. The default is 0, because a
            failed program may have done half of its work.
    """

    kind: ClassVar[str] = "command"

    command: tuple[str, ...]
    retries: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
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
                # a new process group, so that the program's children can be ended too
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise OutputError(
                f"Cannot run {name}: {error}. Check its path and its permission to execute.",
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
                    "Make the program faster, or raise timeout_s."
                )
        if process.returncode:
            said = tail.kept.decode(errors="replace").strip()[-300:] or "it gave no reason"
            raise OutputError(f"{name} failed with exit code {process.returncode}: {said}")


class _Tail(threading.Thread):
    """Reads the standard error of a program and keeps the end.

    Attributes:
        kept: The last bytes.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(name="standard error", daemon=True)
        self.kept = b""
        assert process.stderr is not None
        # hidden from `communicate`, which would keep all bytes
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
