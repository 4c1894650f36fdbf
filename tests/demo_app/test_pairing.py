"""No screen ever shows a product beside the verdict on another, however slow it is."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_app.models.live import LiveModel, LiveView
from demo_app.models.settings import SAMPLES, Settings
from demo_app.models.shift import Shift
from demo_app.models.workplace import Workplace
from sdk import load_image
from sdk.live.camera import CameraBase, CameraEnd, Frame
from sdk.results import Reading
from sdk.station import History, Job, Station, TextRule
from tests.demo_app.driver import Robot
from tests.sdk.station.readings import make_reading

PRODUCTS = 400
SAMPLE_PRODUCTS = 24
JOB = Job("numbered", rules=(TextRule("GOOD"),))


class Numbered(CameraBase):
    """Shows so many products as fast as it is asked; the color of a picture is its number."""

    live = False
    stills = True

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def read(self, timeout_s: float = 1.0) -> Frame | None:
        if self._frames == PRODUCTS:
            raise CameraEnd("All products are shown.")
        image = np.zeros((60, 200, 3), np.uint8)
        image[:] = *divmod(self._frames, 256), 0
        return self._frame(image)


def number_of(picture: np.ndarray) -> int:
    high, low, _ = picture[0, 0]
    return 256 * int(high) + int(low)


class ByNumber:
    """Reads the number of a product in no time: what is tested is what comes behind a reader."""

    def read(self, image: np.ndarray, **options: Any) -> Reading:
        number = number_of(image)
        return make_reading(f"NO {number}", "BAD" if number % 3 else "GOOD")


def told_of(view: LiveView, history: History) -> dict[str, Any]:
    """Returns what each part of a view says of its product."""
    assert view.picture is not None and view.record is not None
    return {
        "picture": number_of(view.picture),
        "cut-outs": {number_of(row.crop) for row in view.rows if row.crop is not None},
        "lines": {row.text for row in view.rows if row.text},
        "boxes": {box.text for box in view.boxes},
        "status": view.status,
        "counted": view.shift.ok + view.shift.ng,
        "reasons": [result.reason for row in view.rows for result in row.broken],
        "record": history.get(view.record).verdict.reading.texts[0],
    }


def right_for(number: int) -> dict[str, Any]:
    good = number % 3 == 0
    texts = {f"NO {number}", "GOOD" if good else "BAD"}
    return {
        "picture": number,
        "cut-outs": {number},
        "lines": texts,
        "boxes": texts,
        "status": "ok" if good else "ng",
        "counted": number + 1,
        "reasons": [] if good else [f"'GOOD' is missing; read: 'NO {number}', 'BAD'"],
        "record": f"NO {number}",
    }


@pytest.mark.parametrize("slowest_ms", [0, 40])
def test_every_view_is_of_one_product(tmp_path: Path, slowest_ms: int) -> None:
    live = LiveModel(Shift(0.0))
    chance = random.Random(0)
    seen = {}
    with History(tmp_path / "line.db") as history:
        station = Station(
            ByNumber(),  # type: ignore[arg-type]
            Numbered("the numbered products"),
            JOB,
            history=history,
            on_frame=live.on_frame,
            on_state=live.on_state,
        )
        with station:
            while station.alive:
                view = live.view
                if view.picture is not None:
                    told = told_of(view, history)
                    assert told == right_for(told["picture"])
                    seen[told["picture"]] = view
                time.sleep(chance.uniform(0, slowest_ms) / 1000)
        assert station.counters["frames"] == PRODUCTS
    assert len(seen) > 10
    # what was given out before is still what it was
    assert all(number_of(view.picture) == number for number, view in seen.items())


def test_the_screen_shows_each_sample_with_its_verdict(
    run_app: Callable[[Settings], Robot], belt: Path
) -> None:
    robot = run_app(Settings().changed(camera=f"{belt}?loop", threads=1, job="Steripad"))
    samples = {path.stem: coarse(load_image(path)) for path in sorted(SAMPLES.glob("*.jpg"))}
    wanted = {"good": "ok", "smeared": "unreadable"}
    live, work = robot.app.page, robot.app.work
    shown: set[str] = set()

    def look() -> bool:
        texture = live.photo.texture
        if texture is not None and live.band.status != "waiting":
            flat = np.frombuffer(texture.pixels, np.uint8)
            picture = coarse(flat.reshape(texture.height, texture.width, 4)[..., :3])
            name = min(samples, key=lambda name: np.abs(samples[name] - picture).mean())
            assert live.band.status == wanted.get(name[3:], "ng"), name
            shown.add(name)
        return shown == set(samples) and products(work) >= SAMPLE_PRODUCTS

    work.start()
    robot.wait(look)
    work.pause()


def coarse(picture: np.ndarray) -> np.ndarray:
    """Returns a sixteenth of a picture's pixels, to be compared."""
    return picture[::4, ::4].astype(np.int16)


def products(work: Workplace) -> int:
    return work.counters["ok"] + work.counters["ng"] + work.counters["unreadable"]
