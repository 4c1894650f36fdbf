"""`Reader.stream`: from a camera to events, with a real reader."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from sdk import Reader, StreamEvent
from sdk.errors import ImageError, OptionError, SdkError
from sdk.live.camera import CameraError
from tests import tiny
from tests.cameras import Conveyor, wait_until, write_video

EMPTY = np.zeros((128, 128, 3), np.uint8)


def product(*texts: str) -> npt.NDArray[np.uint8]:
    """A picture in the tiny bundle's script."""
    lines = [(text, 8, 8 + 64 * i) for i, text in enumerate(texts)]
    return np.asarray(tiny.draw_photo(lines, (128, 128)))


FIRST, SECOND = product("HEAD", "CAFE"), product("DEAF", "CAGE")


@pytest.fixture(scope="module")
def reader(tiny_bundle: Path) -> Iterator[Reader]:
    with Reader(tiny_bundle, variant="fp32", threads=1) as opened:
        yield opened


def told(events: Iterator[StreamEvent]) -> list[tuple[str, list[str]]]:
    return [(event.kind, event.reading.texts) for event in events]


def test_products_pass_by(reader: Reader) -> None:
    film = [FIRST] * 4 + [EMPTY] * 3 + [SECOND] * 4
    camera = Conveyor(film, live=False)
    events = list(reader.stream(camera, vote=3))
    assert told(iter(events)) == [
        ("settled", ["HEAD", "CAFE"]),
        ("cleared", ["HEAD", "CAFE"]),
        ("settled", ["DEAF", "CAGE"]),
    ]
    frames = [event.frame for event in events]
    assert [frame.index for frame in frames if frame] == [2, 5, 9]
    assert events[0].time == frames[0].time if frames[0] else None
    assert camera.closed == camera.opened == 1
    row = events[0].to_dict()
    assert (row["event"], row["frame"], row["name"]) == ("settled", 2, "")
    assert row["reading"]["lines"][0]["text"] == "HEAD"


def test_options_reach_the_reader(reader: Reader) -> None:
    events = reader.stream(
        Conveyor([FIRST] * 3, live=False), vote=1, region=(0, 0.5, 1, 0.5), charset="ACEF"
    )
    assert told(events) == [("settled", ["CAFE"])]


def test_a_slow_reader_reads_the_newest_frame(reader: Reader) -> None:
    pictures = [product(text) for text in ("AAAA", "BBBB", "CCCC", "DDDD", "EEEE", "FFFF")]
    camera = Conveyor(pictures, free=False)
    events = reader.stream(camera, vote=1)
    camera.step()
    assert next(events).reading.texts == ["AAAA"]
    camera.step(5)  # four of these pass while the first is being dealt with
    camera.wait_for(6)
    event = next(events)
    assert event.reading.texts == ["FFFF"]
    assert event.frame is not None
    assert event.frame.index == 5
    events.close()
    assert camera.closed == 1


def test_lost_and_back(reader: Reader) -> None:
    camera = Conveyor([FIRST, SECOND], free=False)
    events = reader.stream(camera, vote=1)
    camera.step()
    assert next(events).kind == "settled"
    camera.unplug()
    lost = next(events)
    assert (lost.kind, lost.frame, lost.reading.texts) == ("lost", None, [])
    assert lost.message == "Lost the conveyor: it was unplugged."
    assert lost.time == pytest.approx(time.time(), abs=60)
    camera.plugged.set()
    assert next(events).kind == "back"
    camera.step()
    assert told(iter([next(events)])) == [("changed", ["DEAF", "CAGE"])]
    events.close()


def test_camera_that_is_not_there_at_the_start(reader: Reader) -> None:
    camera = Conveyor([])
    camera.unplug()
    with pytest.raises(CameraError, match="not plugged in"):
        next(reader.stream(camera))


def test_stop_ends_it_from_another_thread(reader: Reader) -> None:
    stop = threading.Event()
    camera = Conveyor([FIRST], free=False)
    seen: list[StreamEvent] = []
    watching = threading.Thread(target=lambda: seen.extend(reader.stream(camera, stop=stop)))
    watching.start()
    wait_until(lambda: camera.asked > 2)
    stop.set()
    watching.join(30)
    assert not watching.is_alive()
    assert seen == []
    assert camera.closed == 1


def test_every_spaces_the_readings(reader: Reader) -> None:
    pictures = [product(text) for text in ("AAAA", "BBBB", "CCCC")]
    started = time.monotonic()
    events = reader.stream(Conveyor(pictures, live=False), vote=1, every=0.15)
    assert [texts for _, texts in told(events)] == [["AAAA"], ["BBBB"], ["CCCC"]]
    assert time.monotonic() - started >= 0.3


def test_folder_is_read_completely_each_picture_once(reader: Reader, tmp_path: Path) -> None:
    for i, picture in enumerate((FIRST, FIRST, EMPTY, SECOND)):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    (tmp_path / "1b.png").write_bytes(b"no picture")
    events = list(reader.stream(tmp_path, vote=3))
    assert [(e.kind, e.frame.name if e.frame else "", e.reading.texts) for e in events] == [
        ("settled", "0.png", ["HEAD", "CAFE"]),
        ("settled", "1.png", ["HEAD", "CAFE"]),
        ("skipped", "", []),
        ("settled", "2.png", []),
        ("settled", "3.png", ["DEAF", "CAGE"]),
    ]
    assert "1b.png" in events[2].message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": -1}, "every is -1"),
        ({"every": math.inf}, "every is inf"),
        ({"vote": 0}, "vote is 0"),
        ({"vote": 10**9}, "vote is 1000000000. Give a whole number from 1 to 100"),
        ({"region": (0, 0, 2, 2)}, "region is"),
    ],
)
def test_wrong_options_are_told_at_once(
    reader: Reader, options: dict[str, object], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        reader.stream(Conveyor([]), **options)


def test_wrong_read_options_are_told_with_the_first_frame(reader: Reader) -> None:
    camera = Conveyor([FIRST], live=False)
    with pytest.raises(OptionError, match="min_confidence"):
        next(reader.stream(camera, min_confidence=7))
    assert camera.closed == 1


def test_closed_reader(tiny_bundle: Path) -> None:
    closed = Reader(tiny_bundle, threads=1)
    closed.close()
    with pytest.raises(SdkError, match="closed"):
        closed.stream(0)


def test_picture_that_cannot_be_used_ends_it(reader: Reader) -> None:
    with pytest.raises(ImageError):
        next(reader.stream(Conveyor([np.zeros((0, 5, 3), np.uint8)], live=False)))


def test_drawn_labels_in_a_video_with_the_packaged_model(tmp_path: Path) -> None:
    """Two products drift through a film; each is told once, with all its lines."""
    font = ImageFont.load_default(size=40)
    labels = [("LOT 26A417", "EXP 2027-08-31"), ("LOT 26A418", "EXP 2027-09-30")]
    film = []
    for lines in labels:
        for step in range(4):
            picture = Image.new("RGB", (640, 320), (225, 224, 220))
            for row, text in enumerate(lines):
                ImageDraw.Draw(picture).text(
                    (80 + 12 * step, 70 + 110 * row), text, (25, 25, 30), font
                )
            film.append(np.asarray(picture))
        film += [np.full((320, 640, 3), 225, np.uint8)] * 2
    video = write_video(tmp_path / "film.avi", film)
    with Reader(threads=1) as packaged:
        events = list(packaged.stream(video, vote=3))
        assert events[0].frame is not None
        third = packaged.read(events[0].frame.image)
    assert [(event.kind, event.reading.texts) for event in events] == [
        (kind, list(lines)) for lines in labels for kind in ("settled", "cleared")
    ]
    for voted, seen in zip(events[0].reading, third, strict=True):
        assert voted.quad == seen.quad
        assert voted.confidence > 0.8
