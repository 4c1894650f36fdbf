"""`fots-lite station`, as a process of its own: that is how a service runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from sdk.cli import main
from sdk.station import History, Job, TextRule, save_job
from sdk.station.config import StationConfig, save_config
from tests.sdk.station.belt import photo

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tiny_bundle: Path, tmp_path: Path) -> Path:
    """A station's folder: its settings, a job, and two pictures."""
    for name in ("jobs", "pictures"):
        (tmp_path / name).mkdir()
    for i, text in enumerate(("ABCD", "HAG")):
        cv2.imwrite(str(tmp_path / "pictures" / f"{i}.png"), photo(text)[..., ::-1])
    save_job(Job("good", rules=(TextRule("ABCD"),)), tmp_path / "jobs" / "good.toml")
    config = StationConfig(camera=str(tmp_path / "pictures"), model=str(tiny_bundle), threads=1)
    save_config(config, tmp_path / "station.toml")
    return tmp_path


def test_a_folder_is_inspected_to_its_end(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert main(["station", str(folder / "station.toml")]) == 0
    assert signal.getsignal(signal.SIGTERM) is before
    rows = capsys.readouterr().out.splitlines()
    assert rows == ["OK\tABCD\t", "NG\tHAG\t'ABCD' is missing; read: 'HAG'"]
    with History(folder / "history.db") as history:
        assert [r.verdict.status for r in history.search()] == ["ng", "ok"]


def test_sigterm_ends_it_cleanly(folder: Path) -> None:
    text = (folder / "station.toml").read_text()
    (folder / "station.toml").write_text(text.replace('pictures"', 'pictures?loop"'))
    process = subprocess.Popen(
        [sys.executable, "-m", "sdk", "station", str(folder / "station.toml"), "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert (first["id"], first["status"], first["job"]) == (1, "ok", "good")
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    last = json.loads(out.splitlines()[-1])["id"] if out else 1
    with History(folder / "history.db") as history:
        assert len(history.ids()) == last


HANGING = """
import re, signal
from sdk.cli import signals
signals.END_S = 0.5
with signals.end_in_time(), signals.stopped_by_signals():
    signal.raise_signal(signal.SIGTERM)
    re.fullmatch("([A-Z]+)*[0-9]", 60 * "A")  # goes back for ever, and no other thread runs
"""


def test_what_hangs_is_ended_after_sigterm() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "fullmatch" in done.stderr  # where it hung


def test_what_ends_in_time_is_left_alone() -> None:
    code = """
import signal, time
from sdk.cli import signals
signals.END_S = 0.2
with signals.end_in_time(), signals.stopped_by_signals() as stop:
    signal.raise_signal(signal.SIGTERM)
    assert stop.is_set()
time.sleep(0.5)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_reader_of_the_output_may_go_away(folder: Path) -> None:
    text = (folder / "station.toml").read_text()
    (folder / "station.toml").write_text(text.replace('pictures"', 'pictures?loop"'))
    process = subprocess.Popen(
        [sys.executable, "-m", "sdk", "station", str(folder / "station.toml")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "OK\tABCD\t\n"
    process.stdout.close()
    try:
        assert process.wait(120) == 141
    finally:
        process.kill()
    with process.stderr as errors:
        assert "Traceback" not in errors.read()


def test_damaged_picture_counts_as_failure(folder: Path) -> None:
    (folder / "pictures" / "0.png").write_bytes(b"no picture")
    assert main(["station", str(folder / "station.toml")]) == 1


def test_output_that_fails_counts_as_failure(folder: Path) -> None:
    with (folder / "station.toml").open("a") as config:
        config.write('[[outputs]]\nkind = "command"\nname = "lamp"\ncommand = ["false"]\n')
        config.write("retries = 0\n")
    assert main(["station", str(folder / "station.toml")]) == 1


def test_mistakes_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["station", str(folder / "none.toml")]) == 1
    assert "none.toml" in capsys.readouterr().err
    (folder / "station.toml").write_text('job = "Tea"')
    assert main(["station", str(folder / "station.toml")]) == 1
    assert "there are: good" in capsys.readouterr().err
