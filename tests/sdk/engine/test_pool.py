"""Several engines of one graph for several threads."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk import Reader
from sdk.engine import EnginePool, open_engine
from sdk.errors import SdkError
from sdk.model.bundle import Bundle
from tests import tiny


class Meeting:
    """An engine that runs only when others run, too."""

    def __init__(self, barrier: threading.Barrier) -> None:
        self._barrier = barrier
        self.runs = 0

    def run(
        self, inputs: Mapping[str, np.ndarray], raw: Collection[str] = ()
    ) -> dict[str, np.ndarray]:
        self.runs += 1
        self._barrier.wait(20)
        return {}

    def describe(self) -> dict[str, Any]:
        return {"runs": self.runs}

    def close(self) -> None:
        self.runs = 0


def test_engines_run_at_the_same_time() -> None:
    engines = [Meeting(threading.Barrier(2)) for _ in range(2)]
    engines[1]._barrier = engines[0]._barrier
    team = EnginePool(engines)
    with ThreadPoolExecutor(2) as helpers:
        assert list(helpers.map(lambda _: team.run({}), range(6))) == 6 * [{}]
    assert sum(engine.runs for engine in engines) == 6
    assert len(team) == 2


def test_one_thread_uses_one_engine() -> None:
    engines = [Meeting(threading.Barrier(1)) for _ in range(3)]
    team = EnginePool(engines)
    for _ in range(4):
        team.run({})
    assert sorted(engine.runs for engine in engines) == [0, 0, 4]


def test_an_engine_that_fails_comes_back(tiny_bundle: Path) -> None:
    team = EnginePool([open_engine(Bundle.open(tiny_bundle).graph("line"), "cpu", 1)])
    for _ in range(3):
        with pytest.raises(SdkError):
            team.run({"wrong": np.zeros(1)})
    assert "logits" in team.run({"strip": np.zeros((1, 32, 64, 3), np.uint8)})
    team.close()
    with pytest.raises(SdkError, match="closed"):
        team.run({"strip": np.zeros((1, 32, 64, 3), np.uint8)})


def test_reader_reads_the_same_with_one_and_two_threads(tiny_bundle: Path) -> None:
    photo = tiny.draw_photo([("ABCD", 8, 10), ("HAG", 8, 60), ("FACE", 8, 90)], (128, 128))
    readings = []
    for threads in (1, 2):
        with Reader(tiny_bundle, threads=threads) as reader:
            readings.append([line.to_dict() for line in reader.read(photo)])
    assert readings[0] == readings[1]


@pytest.mark.parametrize("size", [(24, 60), (40, 40), (60, 24)])
def test_reader_reads_crops_the_same_with_one_and_two_threads(
    tiny_bundle: Path, size: tuple[int, int]
) -> None:
    # noise reads badly: all cuts are taken, and which count must not depend on the threads
    crop = np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8)
    for pattern in (None, "[A-H]{3}"):
        lines = []
        for threads in (1, 2):
            with Reader(tiny_bundle, threads=threads) as reader:
                lines.append(reader.read_line(crop, pattern=pattern).to_dict())
        assert lines[0] == lines[1]
