"""The packaged model reads at least what it read when it was released.

A bound leaves one label to interpreters that round otherwise. No earlier bundle passes the bound of
the photos (docs/evaluation.md). Raise the bounds with each model that reads more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.accuracy import measure, print_wrong
from benchmarks.peers import OURS, Worker
from tests.accuracy.draw import CHOSEN, HERE
from training.data.labels import read_labeled

SAMPLES = Path(__file__).resolve().parents[2] / "demo_app" / "samples"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    reader = Worker(OURS, sys.executable)
    yield reader
    reader.end()


@pytest.mark.parametrize(
    ("folder", "labels", "text", "whole"),
    [
        (HERE / "drawn", 86, 68, 12),
        (HERE / "drawn-lines", 24, 22, 0),
        (SAMPLES, 27, 27, 7),
    ],
    ids=["photos", "lines", "samples"],
)
def test_reads_no_less_than_before(
    worker: Worker, folder: Path, labels: int, text: int, whole: int
) -> None:
    [score] = measure(folder, [worker], show=print_wrong).values()
    assert score.lines + score.labels == labels
    assert score.text >= text, "labels read exactly; the printed ones were not"
    assert score.whole >= whole, "photos without a line missing, wrong or too much"


def test_every_picture_has_a_label_and_stays_small() -> None:
    size = 0
    for name, kinds in CHOSEN.items():
        files = {path.name for path in (HERE / name).glob("*.jpg")}
        rows = [row for _, row in read_labeled(HERE / name)]
        assert {row["image"] for row in rows} == files
        assert files == {f"{kind}-{seed:02}.jpg" for kind, seeds in kinds.items() for seed in seeds}
        assert all(row.get("complete") for row in rows if "texts" in row)
        size += sum(path.stat().st_size for path in (HERE / name).iterdir())
    assert size < 1.5e6


def test_samples_are_labeled_as_they_are_drawn() -> None:
    from demo_app.samples.draw import LABELS, row

    rows = [json.loads(json.dumps(row(label))) for label in LABELS]
    assert [labeled for _, labeled in read_labeled(SAMPLES)] == rows
