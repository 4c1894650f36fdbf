from __future__ import annotations

from pathlib import Path

import pytest

from sdk.errors import JobError
from sdk.station import Job, save_job
from sdk.station.config import StationConfig, choose_job, load_config, save_config
from sdk.station.outputs import (
    CommandSettings,
    GpioSettings,
    ModbusSettings,
    MqttSettings,
    WebhookSettings,
)

FULL = StationConfig(
    camera="rtsp://10.0.0.2/live",
    jobs="products",
    job="Milk",
    every=0.5,
    vote=5,
    threads=2,
    pictures="all",
    quota_mb=2000.0,
    outputs=(
        MqttSettings(name="mqtt", host="broker", topic="line/3", retain=True),
        ModbusSettings(name="plc", host="10.0.0.9", register=40),
        GpioSettings(name="lamp", ok_pin=17, ng_pin="GPIO27", on=("ok", "ng")),
        WebhookSettings(name="mes", url="https://mes/v1", headers={"Authorization": "Bearer x"}),
        CommandSettings(name="print", command=("lp", "-d", "label"), timeout_s=20.0),
    ),
)


def test_a_configuration_survives_its_file(tmp_path: Path) -> None:
    save_config(FULL, tmp_path / "station.toml")
    assert load_config(tmp_path / "station.toml") == FULL
    assert StationConfig.from_toml("") == StationConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("camera = 0", "camera is 0. It must be a text"),
        ("speed = 1", 'unknown key "speed"'),
        ("every = -1", "every is -1"),
        ("every = inf", "every is inf. Give seconds from 0 to 86400"),
        ("every = nan", "every is nan"),
        (f"every = {400 * '9'}", "every is a number beyond 64 bits"),
        ("vote = 0", "vote is 0"),
        ("vote = 1000000000", "vote is 1000000000. Give a whole number from 1 to 100"),
        ("threads = -1", "threads is -1"),
        ("threads = 1000000000", "threads is 1000000000. Give .* to 256"),
        ("quota_mb = inf", "quota_mb is inf. Give megabytes above 0, up to 1e9"),
        ('history = "a\\u0000b"', "history holds the character 0"),
        ('[[outputs]]\nkind = "mqtt"\nname = "a"\nhost = "b"\nport = 99999', "port is 99999. Give"),
        ('[[outputs]]\nkind = "modbus"\nname = "a"\nhost = "b"\nport = 0', "port is 0. Give"),
        ('[[outputs]]\nkind = "modbus"\nname = "a"\nhost = ""', "host is ''. Give"),
        ('pictures = "some"', "pictures is 'some'. Give one of none, ng, all"),
        ("quota_mb = 0", "quota_mb is 0"),
        ("outputs = 3", r"under \[\[outputs\]\]"),
        ('[[outputs]]\nkind = "fax"', "output 1, kind is 'fax'"),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(JobError, match=message) as caught:
        StationConfig.from_toml(text, "station.toml")
    assert "station.toml" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        'kind = "webhook"\nurl = 4711',
        'kind = "webhook"\nurl = "http://host"\nheaders = {Authorization = 4711}',
        'kind = "mqtt"\nhost = "host"\npassword = 4711',
    ],
)
def test_passwords_are_not_told(text: str) -> None:
    with pytest.raises(JobError, match="must be") as caught:
        StationConfig.from_toml(f'[[outputs]]\nname = "a"\n{text}')
    assert "4711" not in str(caught.value)


def test_the_job_to_begin_with(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    save_job(Job("Milk"), tmp_path / "jobs" / "milk.toml")
    assert choose_job(StationConfig(), tmp_path) == Job("Milk")
    save_job(Job("Butter"), tmp_path / "jobs" / "butter.toml")
    assert choose_job(StationConfig(job="Milk"), tmp_path) == Job("Milk")
    for name in ("", "Tea"):
        with pytest.raises(JobError, match=f"The job '{name}' .* there are: Butter, Milk"):
            choose_job(StationConfig(job=name), tmp_path)
