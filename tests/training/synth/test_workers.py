"""Kills in the middle of ``training synth``: no process is left, and whole shards only."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.training.started import start
from training.data.shards import list_shards, read_shard

PER_SHARD = 40


def spawned_by(parent: int) -> list[int]:
    """Return the workers of a process: its children that multiprocessing has spawned."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # the name of the program, in parentheses, may hold spaces
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent and b"spawn_main" in command:
            found.append(int(entry.name))
    return found


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def synth(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """The command in the middle of its second shard, and its workers."""
    command = ["synth", "--out", str(tmp_path), "--kind", "line", "--count", "100000"]
    running = start(*command, "--per-shard", str(PER_SHARD), "--workers", "2")
    try:
        wait_for(lambda: any(tmp_path.glob("shard-*.tar")) and any(tmp_path.glob(".*.tmp")))
        yield running, spawned_by(running.pid)
    finally:
        running.kill()
        running.communicate()


def check_folder(folder: Path) -> None:
    for path in list_shards(folder):
        assert len(list(read_shard(path))) == PER_SHARD


def check_end(said: str, workers: list[int], folder: Path) -> None:
    """Check that a command that was stopped said so in a line and left nothing."""
    assert "Traceback" not in said
    assert not any(map(alive, workers))
    assert not any(folder.glob(".*.tmp"))
    check_folder(folder)


def test_a_killed_worker_ends_the_command(
    synth: tuple[subprocess.Popen[str], list[int]], tmp_path: Path
) -> None:
    running, workers = synth
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 1
    assert "synth: A process that writes shards was killed" in said
    check_end(said, workers, tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_command_stops_its_workers(
    synth: tuple[subprocess.Popen[str], list[int]], tmp_path: Path, number: signal.Signals
) -> None:
    running, workers = synth
    running.send_signal(number)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert "synth: interrupted" in said
    check_end(said, workers, tmp_path)


def test_workers_end_with_a_killed_command(
    synth: tuple[subprocess.Popen[str], list[int]], tmp_path: Path
) -> None:
    running, workers = synth
    assert len(workers) == 2
    running.kill()
    wait_for(lambda: not any(map(alive, workers)))
    check_folder(tmp_path)
