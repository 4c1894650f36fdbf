"""All outputs of a station."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sdk.closing import Closing
from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import OutputSettings
from sdk.station.outputs.command import CommandSettings
from sdk.station.outputs.gpio import GpioSettings
from sdk.station.outputs.modbus import ModbusSettings
from sdk.station.outputs.mqtt import MqttSettings
from sdk.station.outputs.webhook import WebhookSettings
from sdk.station.outputs.worker import Worker
from sdk.station.tables import build
from sdk.station.verdict import Verdict

__all__ = ["KINDS", "Outputs", "read_settings"]

KINDS: dict[str, type[OutputSettings]] = {
    kind.kind: kind
    for kind in (MqttSettings, ModbusSettings, GpioSettings, WebhookSettings, CommandSettings)
}


def read_settings(table: object, where: str) -> OutputSettings:
    """Return the settings in a table whose ``kind`` is a key of `KINDS`.

    Args:
        table: A TOML table.
        where: Name of the table in messages.

    Raises:
        JobError: The kind or a key is unknown, or a value is not legal.
    """
    kind = table.get("kind") if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping) or not isinstance(kind, str) or kind not in KINDS:
        raise JobError(f"{where}, kind is {kind!r}. Give one of {', '.join(KINDS)}.")
    values = {key: value for key, value in table.items() if key != "kind"}
    return build(KINDS[kind], values, f"{where} ({kind})")


class Outputs(Closing):
    """Sends every verdict to all outputs, each with its own queue and thread."""

    def __init__(self, settings: Sequence[OutputSettings] = ()) -> None:
        """Open the outputs. They connect with the first verdict.

        Args:
            settings: Settings of the outputs, with different names.

        Raises:
            JobError: Two outputs have the same name.
            OutputError: A package is missing, or the hardware cannot be used.
        """
        names = [one.name for one in settings]
        for name in names:
            if names.count(name) > 1:
                raise JobError(f"Two outputs are called {name!r}. Rename one output.")
        self._workers: dict[str, Worker] = {}
        try:
            for one in settings:
                self._workers[one.name] = Worker(one, one.open())
        except OutputError as error:
            self.close()
            raise OutputError(f"The output {one.name!r} cannot be used. {error}") from error

    def publish(self, verdict: Verdict) -> None:
        """Queue a verdict for every output. The call returns at once and never fails."""
        for worker in self._workers.values():
            worker.put(verdict)

    def counts(self) -> dict[str, dict[str, Any]]:
        """Return, for each output, the numbers sent, failed, dropped, waiting, and "last_error"."""
        return {name: worker.counts() for name, worker in self._workers.items()}

    def close(self, timeout_s: float = 5.0) -> None:
        """Send waiting verdicts, with one attempt each, and close the outputs.

        Verdicts that are not sent in time count as dropped.

        Args:
            timeout_s: Longest wait for all outputs together, in seconds.
        """
        deadline = time.monotonic() + timeout_s
        for worker in self._workers.values():
            worker.stop()
        for worker in self._workers.values():
            worker.join(deadline)
