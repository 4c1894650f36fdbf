from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from sdk.errors import JobError, OutputError
from sdk.station import Job, TextRule, Verdict, judge
from sdk.station.outputs import CommandSettings, Outputs, OutputSettings
from sdk.station.outputs.base import Output, import_package
from sdk.station.outputs.outputs import KINDS, read_settings
from tests.cameras import wait_until
from tests.sdk.station.readings import make_reading

JOB = Job("milk", rules=(TextRule("MILK"),))
OK, NG = (judge(JOB, make_reading(text)) for text in ("MILK", "SILK"))


class Receiver(Output):
    """Takes what it is let take: a receiver whose failures a test decides."""

    def __init__(self) -> None:
        self.got: list[Verdict] = []
        self.failures = 0
        self.failure: Exception = OutputError("it is away")
        self.tries = 0
        self.gate = threading.Event()
        self.gate.set()
        self.closed = False

    def send(self, verdict: Verdict) -> None:
        self.gate.wait()
        self.tries += 1
        if self.failures:
            self.failures -= 1
            raise self.failure
        self.got.append(verdict)

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True, kw_only=True)
class ReceiverSettings(OutputSettings):
    kind: ClassVar[str] = "receiver"
    receiver: Receiver = field(default_factory=Receiver)

    def open(self) -> Output:
        return self.receiver


def settled(outputs: Outputs, name: str = "a") -> dict[str, Any]:
    wait_until(lambda: outputs.counts()[name]["waiting"] == 0)
    return outputs.counts()[name]


def test_every_output_gets_every_verdict_in_order() -> None:
    a, b = ReceiverSettings(name="a"), ReceiverSettings(name="b", on=("ng", "unreadable"))
    with Outputs([a, b]) as outputs:
        for verdict in (OK, NG, OK):
            outputs.publish(verdict)
        assert settled(outputs, "a")["sent"] == 3
        assert settled(outputs, "b")["sent"] == 1
    assert (a.receiver.got, b.receiver.got) == ([OK, NG, OK], [NG])
    assert a.receiver.closed and b.receiver.closed


def test_a_hanging_receiver_holds_nobody_up_and_losses_are_counted() -> None:
    stuck, well = (
        ReceiverSettings(name="stuck", queue=10),
        ReceiverSettings(name="well", queue=1000),
    )
    stuck.receiver.gate.clear()
    outputs = Outputs([stuck, well])
    outputs.publish(OK)
    wait_until(lambda: outputs._workers["stuck"]._in_flight)
    for _ in range(99):
        outputs.publish(OK)
    assert settled(outputs, "well")["sent"] == 100
    assert outputs.counts()["stuck"]["waiting"] == 11
    assert outputs.counts()["stuck"]["dropped"] == 89
    started = time.monotonic()
    outputs.close(timeout_s=0.2)
    assert time.monotonic() - started < 30
    assert outputs.counts()["stuck"] == {
        "sent": 0, "failed": 0, "dropped": 100, "waiting": 0, "last_error": "",
    }  # fmt: skip
    stuck.receiver.gate.set()
    wait_until(lambda: not any(t.name == "output stuck" for t in threading.enumerate()))
    assert outputs.counts()["stuck"]["dropped"] == 100


def test_the_oldest_goes_first_when_the_queue_is_full() -> None:
    one = ReceiverSettings(name="a", queue=2)
    one.receiver.gate.clear()
    verdicts = [judge(JOB, make_reading("MILK"), taken=float(i)) for i in range(6)]
    with Outputs([one]) as outputs:
        outputs.publish(verdicts[0])
        wait_until(lambda: outputs._workers["a"]._in_flight)
        for verdict in verdicts[1:]:
            outputs.publish(verdict)
        one.receiver.gate.set()
        assert settled(outputs)["dropped"] == 3
    assert [v.time for v in one.receiver.got] == [0.0, 4.0, 5.0]


def test_failures_are_tried_again_then_counted() -> None:
    one = ReceiverSettings(name="a", retries=2)
    one.receiver.failures = 2
    with Outputs([one]) as outputs:
        outputs.publish(OK)
        assert settled(outputs)["sent"] == 1
        assert outputs.counts()["a"]["last_error"] == ""
        one.receiver.failures = 3
        outputs.publish(OK)
        outputs.publish(NG)
        counts = settled(outputs)
        assert (counts["sent"], counts["failed"]) == (2, 1)
    assert one.receiver.got == [OK, NG]


def test_permanent_and_unexpected_failures() -> None:
    one = ReceiverSettings(name="a", retries=1)
    with Outputs([one]) as outputs:
        one.receiver.failures, one.receiver.failure = 1, OutputError("gone", permanent=True)
        outputs.publish(OK)
        assert settled(outputs)["failed"] == 1
        assert (one.receiver.tries, outputs.counts()["a"]["last_error"]) == (1, "gone")
        one.receiver.failures, one.receiver.failure = 5, KeyError("a bug in a driver")
        outputs.publish(OK)
        assert settled(outputs)["failed"] == 2
        assert one.receiver.tries == 3


def test_closing_sends_what_waits_and_cuts_waits_short() -> None:
    one = ReceiverSettings(name="a", retries=100)
    one.receiver.gate.clear()
    outputs = Outputs([one])
    for _ in range(5):
        outputs.publish(OK)
    one.receiver.failures = 1
    one.receiver.gate.set()
    outputs.close(timeout_s=60)
    outputs.publish(OK)
    counts = outputs.counts()["a"]
    assert counts["dropped"] == 1
    assert counts["sent"] + counts["failed"] == 5
    assert one.receiver.closed


def test_names_differ() -> None:
    with pytest.raises(JobError, match="Two outputs are called 'a'"):
        Outputs([ReceiverSettings(name="a"), ReceiverSettings(name="a")])


def test_a_missing_package_is_named() -> None:
    with pytest.raises(OutputError, match=r"pip install 'fots-lite\[station\]'"):
        import_package("no_such_module", "paho-mqtt")


def test_settings_from_toml() -> None:
    table = {"kind": "command", "name": "a", "command": ["true", "x"], "on": ["ng"]}
    made = read_settings(table, "outputs 1")
    assert made == CommandSettings(name="a", command=("true", "x"), on=("ng",))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, f"kind is None. Give one of {', '.join(KINDS)}"),
        ({"kind": "fax"}, "kind is 'fax'"),
        (3, "kind is None"),
        ({"kind": "command", "command": ["a"]}, 'has no "name"'),
        ({"kind": "mqtt", "name": "a", "host": 3}, "host is 3. It must be a text"),
        ({"kind": "mqtt", "name": "a", "host": "b", "color": 1}, 'unknown key "color"'),
        ({"kind": "mqtt", "name": "a", "host": "b", "on": []}, "on is"),
        ({"kind": "mqtt", "name": "a", "host": "b", "on": ["bad"]}, "on is"),
        ({"kind": "mqtt", "name": "a", "host": "b", "retries": -1}, "retries is -1"),
        ({"kind": "mqtt", "name": "a", "host": "b", "queue": 0}, "queue is 0"),
        ({"kind": "mqtt", "name": "a", "host": "b", "timeout_s": 0}, "timeout_s is 0"),
        ({"kind": "webhook", "name": "a", "url": "http://a", "headers": 1}, "headers is of"),
        ({"kind": "webhook", "name": "a", "url": "http://a", "headers": {"b": 1}}, r"headers\.b"),
    ],
)
def test_mistakes_in_settings_are_named(table: Any, message: str) -> None:
    with pytest.raises(JobError, match=message) as caught:
        read_settings(table, "station.toml, output 1")
    assert "station.toml, output 1" in str(caught.value)
