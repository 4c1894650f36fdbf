from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sdk.errors import CameraError, OptionError
from sdk.reader import Reader
from sdk.station import History, Inspection, Job, Outputs, Station, TextRule, Verdict
from sdk.station.outputs import CommandSettings
from tests.cameras import wait_until
from tests.sdk.station.belt import EMPTY, Belt, TriggeredCamera, photo

JOB = Job("good", rules=(TextRule("ABCD"),))


@pytest.fixture(scope="module")
def reader(tiny_bundle: Path) -> Iterator[Reader]:
    with Reader(tiny_bundle, variant="fp32", threads=1) as opened:
        yield opened


class Log:
    """Notes what a station tells."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self.records: list[int | None] = []
        self.frames: list[list[str]] = []
        # what each frame and the verdict beside it are about
        self.seen: list[tuple[str, str | None]] = []
        self.ms: list[float] = []
        self.states: list[tuple[str, str]] = []

    def watch(self, station: Station) -> Station:
        station.on_verdict = self._on_verdict
        station.on_frame = self._on_frame
        station.on_state = lambda *told: self.states.append(told)
        return station

    def _on_verdict(self, verdict: Verdict, record: int | None) -> None:
        self.verdicts.append(verdict)
        self.records.append(record)

    def _on_frame(self, seen: Inspection) -> None:
        self.frames.append(seen.reading.texts)
        self.seen.append((seen.reading.text, seen.verdict and seen.verdict.reading.text))
        self.ms.append(seen.ms)

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(v.status, v.reading.text) for v in self.verdicts]


@pytest.fixture
def log() -> Log:
    return Log()


def folder_of(path: Path, *images: np.ndarray) -> Path:
    for i, image in enumerate(images):
        cv2.imwrite(str(path / f"{i}.png"), image[..., ::-1])
    return path


def test_every_picture_of_a_folder_gets_a_verdict(reader: Reader, log: Log, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    folder_of(pictures, photo("ABCD"), photo("ABCD"), photo("HAG"), EMPTY)
    with History(tmp_path / "line.db") as history:
        station = log.watch(Station(reader, str(pictures), JOB, history=history))
        with station:
            assert station.wait(60)
        assert log.said == [("ok", "ABCD"), ("ok", "ABCD"), ("ng", "HAG"), ("unreadable", "")]
        assert log.records == [1, 2, 3, 4]
        kept = [(r.verdict.status, r.verdict.reading.text) for r in history.records([1, 2, 3, 4])]
        assert kept == log.said
        assert [r.has_picture for r in history.records([1, 2, 3, 4])] == [False, False, True, True]
    expected = {"ok": 2, "ng": 1, "unreadable": 1, "frames": 4}
    assert station.counters == {**expected, "dropped": 0, "lost_history": 0, "errors": 0}
    assert [kind for kind, _ in log.states] == ["open", "ended"]
    assert all(ms > 0 for ms in log.ms)


def test_a_picture_comes_with_its_own_verdict(reader: Reader, log: Log, tmp_path: Path) -> None:
    folder_of(tmp_path, photo("ABCD"), photo("HAG"))
    station = log.watch(Station(reader, str(tmp_path), JOB))
    inspections: list[Inspection] = []
    station.on_frame = inspections.append
    with station:
        assert station.wait(60)
    assert [seen.frame.name for seen in inspections] == ["0.png", "1.png"]
    assert [seen.verdict for seen in inspections] == log.verdicts
    assert [seen.reading for seen in inspections] == [v.reading for v in log.verdicts]
    assert [seen.record for seen in inspections] == log.records
    assert all(seen.is_new for seen in inspections)


def test_a_verdict_stands_while_its_product_is_in_view(reader: Reader, log: Log) -> None:
    belt = Belt(photo("ABCD"))
    with log.watch(Station(reader, belt, JOB)):
        for image, text in ((photo("ABCD"), "ABCD"), (photo("HAG"), "HAG"), (EMPTY, None)):
            belt.image = image
            wait_until(lambda t=text: log.seen and log.seen[-1] == (t or "", t))  # type: ignore[misc]
            count = len(log.seen)
            wait_until(lambda n=count: len(log.seen) > n + 5)  # type: ignore[misc]
            assert set(log.seen[count:]) == {(text or "", text)}
        # the same text once more is another product, without a verdict until it is settled
        count = len(log.seen)
        belt.image = photo("HAG")
        wait_until(lambda: log.seen[-1] == ("HAG", "HAG"))
    assert ("HAG", None) in log.seen[count:]
    assert {text for text, verdict in log.seen if verdict not in (None, text)} == set()


def test_a_live_camera_gives_one_verdict_a_product(reader: Reader, log: Log) -> None:
    belt = Belt(photo("ABCD"))
    with log.watch(Station(reader, belt, JOB)) as station:
        wait_until(lambda: log.said == [("ok", "ABCD")])
        seen = station.counters["frames"]
        wait_until(lambda: station.counters["frames"] > seen + 10)
        belt.image = photo("HAG")
        wait_until(lambda: log.said[1:] == [("ng", "HAG")])
        belt.image = EMPTY
        seen = station.counters["frames"]
        wait_until(lambda: station.counters["frames"] > seen + 10)
    assert len(log.said) == 2
    assert not belt.is_open
    assert not [t for t in threading.enumerate() if t.name in ("station", "grabber")]


def test_a_callback_can_start_the_station_anew(reader: Reader, log: Log) -> None:
    belt = Belt(photo("ABCD"))
    station = log.watch(Station(reader, belt, JOB))

    def start_anew(_: Inspection) -> None:
        station.on_frame = None
        station.stop()
        station.start()

    station.on_frame = start_anew
    with station:
        wait_until(lambda: log.verdicts and belt.opened == 2)
        wait_until(lambda: sum(t.name == "station" for t in threading.enumerate()) == 1, 5)
    assert not [t for t in threading.enumerate() if t.name in ("station", "grabber")]


def test_a_new_job_inspects_the_product_in_view_again(reader: Reader, log: Log) -> None:
    with log.watch(Station(reader, Belt(photo("HAG")), JOB)) as station:
        wait_until(lambda: log.said == [("ng", "HAG")])
        station.job = Job("other", rules=(TextRule("HAG"),))
        wait_until(lambda: log.said[1:] == [("ok", "HAG")])
    assert [v.job for v in log.verdicts] == ["good", "other"]


def test_pause_and_single_shot(reader: Reader, log: Log) -> None:
    belt = Belt(photo("HAG"))
    station = log.watch(Station(reader, belt, JOB))
    station.pause()
    with station:
        wait_until(lambda: ("open", "") in log.states)
        belt.image = photo("ABCD")
        station.single_shot()
        wait_until(lambda: log.said == [("ok", "ABCD")])
        station.single_shot()
        wait_until(lambda: len(log.said) == 2)
        assert station.counters["frames"] == 2
        station.resume()
        # settled by a vote, once more
        wait_until(lambda: len(log.said) == 3)
        station.pause()
        wait_until(lambda: log.frames[-1] == ["ABCD"])
        belt.image = photo("HAG")
        station.single_shot()
        wait_until(lambda: log.said[-1] == ("ng", "HAG"))


def test_a_pause_swallows_no_product(reader: Reader, log: Log) -> None:
    camera = TriggeredCamera(photo("ABCD"))
    with log.watch(Station(reader, camera, JOB)) as station:
        for _ in range(20):
            station.resume()
            time.sleep(0.01)
            station.pause()
            camera.trigger()
            time.sleep(0.01)
        station.resume()
        wait_until(lambda: len(log.said) == 20)


def test_a_product_that_cannot_be_judged_is_told(reader: Reader, log: Log) -> None:
    class BrokenRule(TextRule):
        def examine(self, text: str, today: date) -> Any:
            raise ValueError("no such day")

    camera = TriggeredCamera(photo("ABCD"))
    with log.watch(Station(reader, camera, Job("bad", rules=(BrokenRule("ABCD"),)))) as station:
        camera.trigger()
        wait_until(lambda: ("error", "Cannot judge a product: no such day") in log.states)
        assert station.counters["errors"] == 1
        assert log.seen == []  # no picture without its verdict
        station.job = JOB
        camera.trigger()
        wait_until(lambda: log.said == [("ok", "ABCD")])


def test_a_history_that_fails_unexpectedly_is_told(
    reader: Reader, log: Log, tmp_path: Path
) -> None:
    class BrokenHistory(History):
        def add(self, verdict: Verdict, image: Any = None) -> int:
            raise ValueError("out of reach")

    camera = TriggeredCamera(photo("ABCD"))
    with (
        BrokenHistory(tmp_path / "line.db") as history,
        log.watch(Station(reader, camera, JOB, history=history)) as station,
    ):
        camera.trigger()
        wait_until(lambda: log.records == [None])
        assert station.counters["lost_history"] == 1
    assert ("history", "out of reach") in log.states


def test_software_trigger(reader: Reader, log: Log) -> None:
    camera = TriggeredCamera(photo("ABCD"))
    with log.watch(Station(reader, camera, JOB)) as station:
        for count in (1, 2, 3):
            station.single_shot()
            wait_until(lambda n=count: len(log.said) == n)  # type: ignore[misc]
        camera.works = False
        with pytest.raises(CameraError, match="stuck"):
            station.single_shot()
        camera.works = True
        station.single_shot()
        wait_until(lambda: len(log.said) == 4)
    assert station.counters["frames"] == 4
    with pytest.raises(CameraError, match="not running"):
        station.single_shot()


def test_a_lost_camera_is_told_and_comes_back(reader: Reader, log: Log) -> None:
    belt = Belt(photo("ABCD"))
    with log.watch(Station(reader, belt, JOB)) as station:
        wait_until(lambda: len(log.said) == 1)
        belt.broken.set()
        wait_until(lambda: ("lost", "The cable is out.") in log.states)
        belt.broken.clear()
        wait_until(lambda: [k for k, _ in log.states][-1] == "open" and belt.opened == 2)
        seen = station.counters["frames"]
        belt.image = photo("HAG")
        wait_until(lambda: station.counters["frames"] > seen and len(log.said) == 2)


def test_a_failing_history_is_counted_and_reading_goes_on(
    reader: Reader, log: Log, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    folder_of(pictures, *[photo("ABCD")] * 3)
    history = History(tmp_path / "line.db")
    history.close()
    outputs = Outputs([CommandSettings(name="tool", command=("true",))])
    with log.watch(Station(reader, pictures, JOB, history=history, outputs=outputs)) as station:
        assert station.wait(60)
    outputs.close(60)
    assert (station.counters["ok"], station.counters["lost_history"]) == (3, 3)
    assert log.records == [None] * 3
    assert outputs.counts()["tool"]["sent"] == 3
    # told once, not for every verdict
    (message,) = [m for kind, m in log.states if kind == "history"]
    assert "Cannot record the verdict" in message


def test_a_lost_picture_is_told(reader: Reader, log: Log, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    folder_of(pictures, photo("ABCD"))
    # a file where the folder of pictures should be
    (tmp_path / "line-pictures").write_text("")
    with (
        History(tmp_path / "line.db", pictures="all") as history,
        log.watch(Station(reader, pictures, JOB, history=history)) as station,
    ):
        assert station.wait(60)
        assert (log.records, station.counters["lost_history"]) == ([1], 0)
    assert [kind for kind, _ in log.states] == ["open", "history", "ended"]


def test_failing_callbacks_and_readings_do_not_stop_it(
    reader: Reader, log: Log, tmp_path: Path
) -> None:
    class Stumbling:
        """Fails once, then reads."""

        failures = 1

        def read(self, *args: Any, **options: Any) -> Any:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("out of memory")
            return reader.read(*args, **options)

    folder_of(tmp_path, photo("ABCD"), photo("HAG"))
    station = log.watch(Station(Stumbling(), tmp_path, JOB))  # type: ignore[arg-type]

    def stumble(*_: object) -> None:
        raise KeyError("a bug on a screen")

    station.on_frame = stumble
    with station:
        assert station.wait(60)
    assert log.said == [("ng", "HAG")]
    assert station.counters["errors"] == 1
    assert ("error", "Cannot read a frame: out of memory") in log.states


def test_lines_of_a_region_lie_in_the_picture(reader: Reader, log: Log, tmp_path: Path) -> None:
    folder_of(tmp_path, photo("HAG", "ABCD"))
    job = Job("lower", region=(0, 0.5, 1, 0.5), lines=1, rules=(TextRule("ABCD"),))
    with log.watch(Station(reader, tmp_path, job)) as station:
        assert station.wait(60)
    (verdict,) = log.verdicts
    assert (verdict.status, verdict.region) == ("ok", job.region)
    assert verdict.reading[0].quad[0] == pytest.approx((8, 78), abs=4)
    assert (verdict.reading.width, verdict.reading.height) == (128, 128)


def test_it_starts_again(reader: Reader, log: Log, tmp_path: Path) -> None:
    folder_of(tmp_path, photo("ABCD"))
    station = log.watch(Station(reader, tmp_path, JOB))
    for count in (1, 2):
        station.start()
        assert station.wait(60)
        assert len(log.said) == count
    station.start()
    station.start()
    station.stop()
    station.stop()
    assert not station.alive


def test_every_is_a_least_time_between_readings(reader: Reader, log: Log) -> None:
    with log.watch(Station(reader, Belt(EMPTY), JOB, every=30)) as station:
        wait_until(lambda: station.counters["dropped"] > 20)
        assert station.counters["frames"] == 1


@pytest.mark.parametrize("wrong", [{"every": -1}, {"vote": 0}, {"every": float("nan")}])
def test_bad_options(reader: Reader, wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Station(reader, Belt(), JOB, **wrong)
    with pytest.raises(CameraError, match="no camera, file or folder"):
        Station(reader, "/none", JOB)
