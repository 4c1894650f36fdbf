"""Verdicts as holding registers of a Modbus TCP server, such as a PLC.

Two registers are written together: the code of the verdict (1 OK, 2 NG, 3 unreadable), and a
counter. The counter grows by one with every verdict, from 1 to 65535 and then from 1 again. The
PLC's program detects a new verdict of the same kind by the counter. After a restart the counter
continues from the value in the register.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sdk.errors import JobError, OutputError
from sdk.station.outputs.base import Output, OutputSettings, check_address, import_package
from sdk.station.verdict import Verdict

__all__ = ["CODES", "ModbusSettings"]

CODES = {"ok": 1, "ng": 2, "unreadable": 3}


@dataclass(frozen=True, kw_only=True)
class ModbusSettings(OutputSettings):
    """A Modbus server and its registers for verdicts.

    Attributes:
        host: Name or address of the server.
        port: Port of the server.
        unit: Unit identifier, 0 to 255.
        register: Address of the first of the two holding registers, counted from 0.
    """

    kind: ClassVar[str] = "modbus"

    host: str
    port: int = 502
    unit: int = 1
    register: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            JobError: A value is not legal.
        """
        super().__post_init__()
        check_address(self.host, self.port)
        if not 0 <= self.unit <= 255:
            raise JobError(f"unit is {self.unit}. Give a number from 0 to 255.")
        if not 0 <= self.register <= 65534:
            raise JobError(f"register is {self.register}. Give a number from 0 to 65534.")

    def open(self) -> Output:
        """See `OutputSettings.open`."""
        return _ModbusOutput(self, import_package("pymodbus.client", "pymodbus"))


class _ModbusOutput(Output):
    def __init__(self, settings: ModbusSettings, pymodbus: Any) -> None:
        self._settings = settings
        self._errors: Any = import_package("pymodbus.exceptions", "pymodbus").ModbusException
        self._client = pymodbus.ModbusTcpClient(
            settings.host, port=settings.port, timeout=settings.timeout_s, retries=0
        )
        self._number: int | None = None  # the last counter, None before the first connection

    def send(self, verdict: Verdict) -> None:
        settings = self._settings
        try:
            if not self._client.connected and not self._client.connect():
                raise self._failed("no connection")
            if self._number is None:
                self._number = self._last_number()
            number = self._number % 65535 + 1
            answer = self._client.write_registers(
                settings.register, [CODES[verdict.status], number], device_id=settings.unit
            )
        except (self._errors, OSError) as error:
            self.close()
            raise self._failed(str(error)) from error
        if answer.isError():
            raise self._failed(f"it refused register {settings.register}: {answer}")
        self._number = number

    def _last_number(self) -> int:
        settings = self._settings
        answer = self._client.read_holding_registers(
            settings.register + 1, count=1, device_id=settings.unit
        )
        # a server may accept writes to registers that it refuses to read
        return 0 if answer.isError() else int(answer.registers[0])

    def close(self) -> None:
        self._client.close()

    def _failed(self, reason: str) -> OutputError:
        return OutputError(
            f"Cannot write to the Modbus server {self._settings.host}:{self._settings.port}: "
            f"{reason}. Check its address, unit and registers."
        )
