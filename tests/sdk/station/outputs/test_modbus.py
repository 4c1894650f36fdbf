from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from sdk.errors import JobError
from sdk.station import Job, TextRule, judge
from sdk.station.outputs import ModbusSettings, Outputs
from tests.cameras import wait_until
from tests.sdk.station.ports import free_port
from tests.sdk.station.readings import make_reading

JOB = Job("milk", rules=(TextRule("MILK"),))


class Plc:
    """A Modbus TCP server with ten holding registers from address 40, unit 3."""

    def __init__(self) -> None:
        self.port = free_port()
        self.seen: list[list[int]] = []
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),))
        self.thread.start()
        assert self.ready.wait(60)

    async def serve(self) -> None:
        async def note(
            code: int, address: int, start: int, count: int, now: list[int], new: object
        ) -> None:
            if isinstance(new, list):
                self.seen.append([start, *new])

        data = SimData(40, count=10, values=0, datatype=DataType.REGISTERS)
        device = SimDevice(3, simdata=data, action=note)
        self.server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self.server.serve_forever(background=True)
        self.ready.set()
        self.stopped = asyncio.Event()
        await self.stopped.wait()
        await self.server.shutdown()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.stopped.set)
        self.thread.join(60)
        self.loop.close()


@pytest.fixture
def plc() -> Iterator[Plc]:
    started = Plc()
    yield started
    started.close()


def settings(port: int, **more: int) -> ModbusSettings:
    return ModbusSettings(
        name="plc", host="127.0.0.1", port=port, **{"unit": 3, "register": 42, **more}
    )


def test_a_server_gets_code_and_number(plc: Plc) -> None:
    with Outputs([settings(plc.port)]) as outputs:
        for lines in (["MILK"], ["SILK"], [], ["MILK"]):
            outputs.publish(judge(JOB, make_reading(*lines)))
        wait_until(lambda: outputs.counts()["plc"]["sent"] == 4)
    assert plc.seen == [[42, 1, 1], [42, 2, 2], [42, 3, 3], [42, 1, 4]]


def test_the_number_goes_on_after_a_restart(plc: Plc) -> None:
    for _ in range(2):
        with Outputs([settings(plc.port)]) as outputs:
            outputs.publish(judge(JOB, make_reading("MILK")))
            wait_until(lambda: outputs.counts()["plc"]["sent"] == 1)
    assert plc.seen == [[42, 1, 1], [42, 1, 2]]


def test_a_wrong_register_is_told(plc: Plc) -> None:
    with Outputs([settings(plc.port, register=100, retries=0)]) as outputs:
        outputs.publish(judge(JOB, make_reading("MILK")))
        wait_until(lambda: outputs.counts()["plc"]["failed"] == 1)
    assert "refused register 100" in outputs.counts()["plc"]["last_error"]


def test_no_server_is_told() -> None:
    with Outputs([settings(free_port(), retries=0)]) as outputs:
        outputs.publish(judge(JOB, make_reading("MILK")))
        wait_until(lambda: outputs.counts()["plc"]["failed"] == 1)
    assert "no connection" in outputs.counts()["plc"]["last_error"]


@pytest.mark.parametrize("wrong", [{"unit": 256}, {"register": -1}, {"register": 65535}])
def test_bad_settings(wrong: dict[str, int]) -> None:
    with pytest.raises(JobError, match=next(iter(wrong))):
        settings(502, **wrong)
