from __future__ import annotations

from collections.abc import Iterator

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from sdk.errors import JobError, OutputError
from sdk.station import Job, TextRule, judge
from sdk.station.outputs import GpioSettings, Outputs
from tests.cameras import wait_until
from tests.sdk.station.readings import make_reading

JOB = Job("milk", rules=(TextRule("MILK"),))
OK, NG, UNREADABLE = (judge(JOB, make_reading(*lines)) for lines in (["MILK"], ["SILK"], []))


@pytest.fixture
def board() -> Iterator[MockFactory]:
    """A Raspberry Pi whose pins exist in memory only."""
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


def levels(board: MockFactory, *pins: int) -> list[bool]:
    return [bool(board.pin(pin).state) for pin in pins]


def publish(outputs: Outputs, *verdicts: object) -> None:
    sent = outputs.counts()["lamp"]["sent"] + len(verdicts)
    for verdict in verdicts:
        outputs.publish(verdict)  # type: ignore[arg-type]
    wait_until(lambda: outputs.counts()["lamp"]["sent"] == sent)


def test_lamps_stay_until_the_next_verdict(board: MockFactory) -> None:
    with Outputs([GpioSettings(name="lamp", ok_pin=17, ng_pin="GPIO27", pulse_s=0)]) as outputs:
        assert levels(board, 17, 27) == [False, False]
        publish(outputs, OK)
        assert levels(board, 17, 27) == [True, False]
        publish(outputs, NG)
        assert levels(board, 17, 27) == [False, True]
        publish(outputs, OK)
        # what cannot be read is rejected too
        publish(outputs, UNREADABLE)
        assert levels(board, 17, 27) == [False, True]
    assert levels(board, 17, 27) == [False, False]


def test_pulse(board: MockFactory) -> None:
    with Outputs([GpioSettings(name="lamp", ng_pin=27, pulse_s=0.05)]) as outputs:
        publish(outputs, OK)
        publish(outputs, NG)
        wait_until(lambda: [s.state for s in board.pin(27).states] == [False, True, False])
        times = [s.timestamp for s in board.pin(27).states]
        assert times[2] > 0.04


def test_low_active_pin_of_its_own_for_unreadable(board: MockFactory) -> None:
    lamp = GpioSettings(name="lamp", ng_pin=27, unreadable_pin=22, pulse_s=0, active_high=False)
    with Outputs([lamp]) as outputs:
        publish(outputs, UNREADABLE)
        assert levels(board, 27, 22) == [True, False]


def test_closing_frees_every_pin_without_trouble(
    board: MockFactory, caplog: pytest.LogCaptureFixture
) -> None:
    lamp = GpioSettings(name="lamp", ok_pin=17, ng_pin=27, pulse_s=0)
    with Outputs([lamp]) as outputs:
        publish(outputs, UNREADABLE)
    assert levels(board, 17, 27) == [False, False]
    assert not caplog.records


def test_pins_that_cannot_be_used_are_told(board: MockFactory) -> None:
    with pytest.raises(OutputError, match="'lamp' cannot be used") as caught:
        Outputs([GpioSettings(name="lamp", ok_pin=17, ng_pin=99)])
    assert "Check their numbers" in str(caught.value)
    # the good pin is free again
    Outputs([GpioSettings(name="lamp", ok_pin=17)]).close()


@pytest.mark.parametrize(
    "wrong", [{}, {"ok_pin": 17, "ng_pin": 17}, {"ok_pin": 17, "pulse_s": -1.0}]
)
def test_bad_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(JobError, match=r"pin|pulse_s"):
        GpioSettings(name="lamp", **wrong)  # type: ignore[arg-type]
