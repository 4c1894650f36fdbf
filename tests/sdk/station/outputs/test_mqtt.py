from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.errors import JobError
from sdk.station import Job, judge
from sdk.station.outputs import MqttSettings, Outputs
from tests.cameras import wait_until
from tests.sdk.station.outputs.broker import SEARCH, Broker, Listener
from tests.sdk.station.outputs.certificates import make_certificates, strict_listener
from tests.sdk.station.ports import free_port
from tests.sdk.station.readings import make_reading


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    started = Broker(tmp_path)
    yield started
    started.stop()


def settings(port: int, **more: object) -> MqttSettings:
    values = {"name": "line", "host": "127.0.0.1", "port": port, "topic": "plant/line 3", **more}
    return MqttSettings(**values)  # type: ignore[arg-type]


def test_a_broker_hears_every_verdict(broker: Broker) -> None:
    listener = Listener(broker.port, "plant/#")
    with Outputs([settings(broker.port)]) as outputs:
        for i in range(20):
            outputs.publish(judge(Job("milk"), make_reading(f"L{i}", ("ü", 0.4)), taken=5.0))
        wait_until(lambda: len(listener.messages) == 20)
        wait_until(lambda: outputs.counts()["line"]["sent"] == 20)
    assert outputs.counts()["line"] == {
        "sent": 20, "failed": 0, "dropped": 0, "waiting": 0, "last_error": "",
    }  # fmt: skip
    assert [m["text"] for m in listener.messages] == [f"L{i}\nü" for i in range(20)]
    first = listener.messages[0]
    assert (first["status"], first["job"], first["time"]) == ("ok", "milk", 5.0)
    assert first["lines"][1]["confidence"] == 0.4
    assert first["results"][0]["rule"] == "lines"
    listener.close()


def test_a_restarted_broker_loses_nothing(broker: Broker) -> None:
    with Outputs([settings(broker.port, retain=True, retries=10)]) as outputs:
        outputs.publish(judge(Job("milk"), make_reading("L0")))
        wait_until(lambda: outputs.counts()["line"]["sent"] == 1)
        broker.stop()
        for i in range(1, 4):
            outputs.publish(judge(Job("milk"), make_reading(f"L{i}")))
        wait_until(lambda: "Cannot publish" in outputs.counts()["line"]["last_error"])
        broker.start()
        wait_until(lambda: outputs.counts()["line"]["sent"] == 4)
        assert outputs.counts()["line"]["failed"] == 0
    # the broker keeps the last retained message for those who come later
    listener = Listener(broker.port, "plant/#")
    wait_until(lambda: [m["text"] for m in listener.messages] == ["L3"])
    listener.close()


def test_password(tmp_path: Path) -> None:
    program = shutil.which("mosquitto_passwd", path=SEARCH)
    assert program is not None
    secret = tmp_path / "users"
    subprocess.run([program, "-b", "-c", str(secret), "line", "right"], check=True)
    secret.chmod(0o644)
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {secret}")
    try:
        for password, sent in (("right", 1), ("wrong", 0)):
            chosen = settings(broker.port, user="line", password=password, retries=0)
            with Outputs([chosen]) as outputs:
                outputs.publish(judge(Job("milk"), make_reading("L1")))
                wait_until(lambda o=outputs: o.counts()["line"]["waiting"] == 0)
            counts = outputs.counts()["line"]
            assert (counts["sent"], counts["failed"]) == (sent, 1 - sent)
            assert ("ot authorized" in counts["last_error"]) == (not sent)
    finally:
        broker.stop()


def test_certificates_of_both_sides(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    port = free_port()
    broker = Broker(tmp_path, strict_listener(tmp_path, port))
    listener = Listener(broker.port, "plant/#")
    own = {"cert_file": str(tmp_path / "client.crt"), "key_file": str(tmp_path / "client.key")}
    try:
        for certificate in (own, {}):
            more = {"tls": True, "ca_file": str(tmp_path / "ca.crt"), "client_id": "line-3"}
            with Outputs([settings(port, retries=0, **more, **certificate)]) as outputs:
                outputs.publish(judge(Job("milk"), make_reading("L1")))
                wait_until(lambda o=outputs: o.counts()["line"]["waiting"] == 0)
            counts = outputs.counts()["line"]
            assert (counts["sent"], counts["failed"]) == ((1, 0) if certificate else (0, 1))
        wait_until(lambda: [m["text"] for m in listener.messages] == ["L1"])
    finally:
        listener.close()
        broker.stop()


def test_a_certificate_needs_its_key_and_tls() -> None:
    with pytest.raises(JobError, match="only one of cert_file and key_file"):
        settings(8883, tls=True, cert_file="a.crt")
    with pytest.raises(JobError, match="tls = true"):
        settings(8883, cert_file="a.crt", key_file="a.key")


def test_no_broker_is_told(tmp_path: Path) -> None:
    port = free_port()
    with Outputs([settings(port, retries=0)]) as outputs:
        outputs.publish(judge(Job("milk"), make_reading("L1")))
        wait_until(lambda: outputs.counts()["line"]["failed"] == 1)
    assert (
        f"Cannot publish to the MQTT broker 127.0.0.1:{port}"
        in (outputs.counts()["line"]["last_error"])
    )


@pytest.mark.parametrize("topic", ["", "plant/#", "+/line"])
def test_wildcards_are_no_topic(topic: str) -> None:
    with pytest.raises(JobError, match="topic"):
        settings(1883, topic=topic)
