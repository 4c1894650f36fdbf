"""A thread that sends verdicts, so that a slow or dead receiver never stops reading."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any

from sdk.errors import OutputError
from sdk.station.outputs.base import Output, OutputSettings
from sdk.station.verdict import Verdict
from sdk.terminal import printable

logger = logging.getLogger("sdk")

__all__ = ["Worker"]

FIRST_WAIT_S = 0.5
MAX_WAIT_S = 30.0
# Largest number of characters kept of an error, because a receiver's answer may have any length.
LONGEST_ERROR = 500


class Worker:
    """One output with its queue and its thread.

    Every queued verdict is counted once: as sent, failed (all attempts failed) or dropped (the
    queue was full, or closing did not wait for the verdict).
    """

    def __init__(self, settings: OutputSettings, output: Output) -> None:
        """Start the thread.

        Args:
            settings: Settings of the output.
            output: The open output. The worker closes it.
        """
        self._settings = settings
        self._output = output
        self._waiting: deque[Verdict] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._abandoned = False
        self._in_flight = False
        self._sent = self._failed = self._dropped = 0
        self._last_error = ""
        # a daemon, because a hanging receiver must not prevent the end of the program
        self._thread = threading.Thread(
            target=self._run, name=f"output {settings.name}", daemon=True
        )
        self._thread.start()

    def put(self, verdict: Verdict) -> None:
        """Queue a verdict and return at once."""
        if verdict.status not in self._settings.on:
            return
        with self._changed:
            if self._closing:
                self._dropped += 1
                return
            self._waiting.append(verdict)
            if len(self._waiting) > self._settings.queue:
                self._waiting.popleft()
                self._dropped += 1
            self._changed.notify_all()

    def counts(self) -> dict[str, Any]:
        """Return the numbers sent, failed, dropped and waiting, and "last_error".

        "last_error" is the reason why the last attempt failed, empty if it succeeded.
        """
        with self._changed:
            return {
                "sent": self._sent,
                "failed": self._failed,
                "dropped": self._dropped,
                "waiting": len(self._waiting) + self._in_flight,
                "last_error": self._last_error,
            }

    def stop(self) -> None:
        """Accept no new verdicts. Waiting verdicts get one attempt each."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, deadline: float) -> None:
        """Wait for the thread until a time of `time.monotonic`, and count the rest as dropped."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            self._abandoned = True
            self._dropped += len(self._waiting) + self._in_flight
            self._waiting.clear()
            self._in_flight = False

    def _run(self) -> None:
        while (verdict := self._next()) is not None:
            error = self._deliver(verdict)
            with self._changed:
                if self._abandoned:
                    break
                self._in_flight = False
                if error is None:
                    self._sent += 1
                    self._last_error = ""
                else:
                    self._failed += 1
        try:
            self._output.close()
        except Exception:  # a driver may raise any exception, and no verdict is lost any more
            logger.exception("Cannot close the output %s", self._settings.name)

    def _next(self) -> Verdict | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            self._in_flight = True
            return self._waiting.popleft()

    def _deliver(self, verdict: Verdict) -> Exception | None:
        """Send with all attempts, and return the last error, None after success."""
        wait_s = FIRST_WAIT_S
        tries = 0
        while True:
            error = self._try(verdict)
            if error is None:
                return None
            told = printable(" ".join(str(error).split()) or repr(error))[:LONGEST_ERROR]
            if not self._last_error:
                logger.warning("Output %s: %s", self._settings.name, told)
            with self._changed:
                self._last_error = told
                permanent = isinstance(error, OutputError) and error.permanent
                if permanent or tries >= self._settings.retries or self._closing:
                    return error
                self._changed.wait_for(lambda: self._closing, wait_s)
            tries += 1
            wait_s = min(2 * wait_s, MAX_WAIT_S)

    def _try(self, verdict: Verdict) -> Exception | None:
        try:
            self._output.send(verdict)
        except OutputError as error:
            return error
        except Exception as error:  # a driver may raise any exception, and the thread must go on
            logger.exception("Output %s failed unexpectedly", self._settings.name)
            return error
        return None
