from __future__ import annotations

import io

import pytest

from training import progress
from training.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, in a list that tests change."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_row_now_and_then(clock: list[float]) -> None:
    said = io.StringIO()
    bar = Progress("synth", "samples", 1000, said)
    for _ in range(50):
        clock[0] += 1
        bar.advance(10)
    bar.finish()
    assert said.getvalue().splitlines() == [
        "synth: 200 of 1,000 samples, 20 %, 10/s, 80 s left",
        "synth: 400 of 1,000 samples, 40 %, 10/s, 60 s left",
        "synth: 500 of 1,000 samples, 50 %, 10/s, 50 s left",
    ]


def test_a_terminal_has_one_line(clock: list[float]) -> None:
    said = Terminal()
    bar = Progress("synth", "samples", 100, said)
    for _ in range(4):
        clock[0] += 1
        bar.advance(25)
    bar.finish()
    assert said.getvalue().count("\r") == 4 and said.getvalue().count("\n") == 1


def test_what_was_done_before_is_not_in_the_rate(clock: list[float]) -> None:
    said = io.StringIO()
    bar = Progress("prepare", "lines", 100_000, said)
    bar.start_at(50_000)
    clock[0] += 20
    bar.reach(50_100)
    assert said.getvalue() == "prepare: 50,100 of 100,000 lines, 50 %, 5/s, 2.8 h left\n"
