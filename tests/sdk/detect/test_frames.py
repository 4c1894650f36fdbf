"""The detector's frame follows the photo's ratio, and gives what the full frame gives."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from sdk.detect.detector import Detector
from sdk.engine import Engine, open_engine
from sdk.engine.cpu import MAX_SIZES
from sdk.errors import ModelError, OptionError
from sdk.geometry import angle, iou
from sdk.image.letterbox import FILL, letterbox
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle, BundleGraph
from sdk.selftest import draw_sample

GRAPH = Bundle.open(DEFAULT_BUNDLE).graph("detector")
SETTINGS = Bundle.open(DEFAULT_BUNDLE).manifest.decode.detect


class Watched:
    """An engine that notes the sizes it runs, and says where it is."""

    def __init__(self, engine: Engine, device: str = "cpu") -> None:
        self.sizes: list[tuple[int, ...]] = []
        self._engine, self._device = engine, device

    def run(
        self, inputs: Mapping[str, np.ndarray], raw: Collection[str] = ()
    ) -> dict[str, np.ndarray]:
        self.sizes.append(inputs["image"].shape[1:3])
        return self._engine.run(inputs, raw)

    def describe(self) -> dict[str, Any]:
        return {"device": self._device}

    def close(self) -> None:
        self._engine.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    opened = open_engine(GRAPH)
    yield opened
    opened.close()


def frame(height: int, width: int) -> np.ndarray:
    full = np.full((1, height, width, 3), FILL, np.uint8)
    photo = draw_sample()[:480]
    full[0, : photo.shape[0], : photo.shape[1]] = photo[:height, :width]
    return full


def test_a_part_of_the_frame_gives_what_the_full_one_gives_there(engine: Engine) -> None:
    whole, part = (engine.run({"image": frame(h, 640)}) for h in (640, 480))
    assert part["score"].shape == (1, 120, 160, 1)
    for name in ("score", "vertical", "horizontal", "angle"):
        # at the lower edge the part ends where the other sees gray
        one, other = (maps[name][0, :100].ravel() for maps in (whole, part))
        assert np.corrcoef(one, other)[0, 1] > 0.99, name


def test_sizes_are_kept_up_to_a_bound(engine: Engine) -> None:
    for size in ((640, 640), (480, 640), (640, 480), (640, 640)):
        rows, columns = engine.run({"image": frame(*size)})["score"].shape[1:3]
        assert (4 * rows, 4 * columns) == size
    assert len(engine._interpreters) == MAX_SIZES  # type: ignore[attr-defined]


@pytest.mark.parametrize("height", [490, 496])
def test_a_size_between_cells_is_refused(engine: Engine, height: int) -> None:
    with pytest.raises(OptionError, match=rf"cannot take 640x{height} pixels. Give multiples of"):
        engine.run({"image": frame(height, 640)})


@pytest.mark.parametrize("offset", [GRAPH.spec.bytes - 4, GRAPH.spec.bytes // 2, 0])
def test_wrong_places_of_sizes_are_told(offset: int) -> None:
    graph = BundleGraph(GRAPH.path, replace(GRAPH.spec, sizes=(offset,)))
    with pytest.raises(
        ModelError, match=r"is not the graph that model\.json describes: there are no map sizes"
    ):
        open_engine(graph).run({"image": frame(480, 640)})


@pytest.mark.parametrize(
    ("photo", "wanted"),
    [
        ((480, 640), (480, 640)),
        ((3024, 4032), (480, 640)),
        ((1080, 1920), (480, 640)),
        ((20, 4000), (480, 640)),
        ((1600, 1200), (640, 480)),
        ((500, 640), (640, 640)),
        ((700, 700), (640, 640)),
        ((60, 60), (480, 640)),  # enlarged three times at most
    ],
)
def test_the_frame_follows_the_photo(
    engine: Engine, photo: tuple[int, int], wanted: tuple[int, int]
) -> None:
    watched = Watched(engine)
    Detector(watched, GRAPH.spec, SETTINGS).warm_up(photo[1], photo[0])
    assert watched.sizes == [wanted]


def test_elsewhere_than_on_the_cpu_and_with_one_size_the_frame_is_full(engine: Engine) -> None:
    elsewhere, one_size = Watched(engine, "gpu"), Watched(engine)
    Detector(elsewhere, GRAPH.spec, SETTINGS).warm_up(640, 480)
    Detector(one_size, replace(GRAPH.spec, sizes=()), SETTINGS).warm_up(640, 480)
    assert elsewhere.sizes == one_size.sizes == [(640, 640)]


@pytest.mark.parametrize(
    ("zoom", "size", "count"),
    [
        # of 640x640 it would be six, too, of 640x480 nine
        (2.0, (640, 480), 6),
        # parts of the frame would be more than allowed, or magnify less
        (3.0, (640, 640), 12),
    ],
)
def test_tiles_take_the_frame_that_shows_most_with_fewest_pixels(
    engine: Engine, zoom: float, size: tuple[int, int], count: int
) -> None:
    photo = np.full((3000, 4000, 3), FILL, np.uint8)
    _, box = letterbox(photo, 480, 640)
    tiles, chosen = Detector(engine, GRAPH.spec, SETTINGS)._plan(photo, box, zoom)
    assert chosen == size
    assert len(tiles) == count
    for tile in tiles:
        assert (tile.right - tile.left) * box.scale_x * zoom <= size[1] + 1
        assert (tile.bottom - tile.top) * box.scale_y * zoom <= size[0] + 1


def write(photo: np.ndarray, text: str, scale: float, x: int, y: int) -> None:
    ink, thickness = (20, 20, 20), round(2.5 * scale)
    cv2.putText(photo, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)


@pytest.mark.parametrize(
    ("text", "scale", "size"),
    [
        ("EXIT", 10, (640, 960)),
        ("EXP 04", 8, (260, 1000)),
        ("L 4471", 4.5, (300, 760)),  # the first run finds 4471 alone
    ],
)
def test_text_that_fills_the_frame_is_found_from_farther_away(
    engine: Engine, text: str, scale: float, size: tuple[int, int]
) -> None:
    photo = np.full((*size, 3), 240, np.uint8)
    write(photo, text, scale, 50, round(size[0] / 2 + 11 * scale))
    watched = Watched(engine)
    [line] = Detector(watched, GRAPH.spec, SETTINGS).detect(photo)
    assert len(watched.sizes) == 2
    dark = np.argwhere(photo[..., 0] < 128)
    (top, left), (bottom, right) = dark.min(0), dark.max(0) + 1
    assert iou(line.quad, [[left, top], [right, top], [right, bottom], [left, bottom]]) > 0.7


def test_photos_with_a_line_surely_found_are_looked_at_once(engine: Engine) -> None:
    photo = np.full((480, 640, 3), 240, np.uint8)
    write(photo, "LOT 4471", 1.2, 60, 200)
    watched = Watched(engine)
    assert len(Detector(watched, GRAPH.spec, SETTINGS).detect(photo)) == 1
    assert len(watched.sizes) == 1


def test_bundles_without_a_score_for_it_never_look_from_farther_away(engine: Engine) -> None:
    watched = Watched(engine)
    old = SETTINGS.changed({"coarse.below_score": 0.0, "tiles.most": 0})
    assert not Detector(watched, GRAPH.spec, old).detect(np.full((480, 640, 3), 240, np.uint8))
    assert len(watched.sizes) == 1
    large = np.full((300, 760, 3), 240, np.uint8)
    write(large, "L 4471", 4.5, 50, 200)
    assert Detector(watched, GRAPH.spec, old).detect(large)
    assert len(watched.sizes) == 2


def test_small_text_in_the_gap_of_a_large_line_is_found(engine: Engine) -> None:
    photo = np.full((400, 640, 3), 240, np.uint8)
    write(photo, "NO", 4, 20, 130)
    write(photo, "kg", 0.8, 222, 100)
    write(photo, "4471", 4, 275, 130)
    watched = Watched(engine)
    lines = Detector(watched, GRAPH.spec, SETTINGS).detect(photo)
    assert len(watched.sizes) == 2
    small = [[218, 80], [260, 80], [260, 108], [218, 108]]
    assert max(iou(line.quad, small) for line in lines) > 0.5


@pytest.mark.parametrize("sideways", [False, True])
def test_rows_across_a_strip_are_found_in_tiles(engine: Engine, sideways: bool) -> None:
    strip = np.full((4000, 300, 3), 250, np.uint8)
    for i in range(24):
        write(strip, f"LOT {37 * i % 100:02d} {731 * i % 1000:03d}", 1.2, 20, 60 + 160 * i)
    if sideways:
        strip = np.ascontiguousarray(np.rot90(strip))
    watched = Watched(engine)
    lines = Detector(watched, GRAPH.spec, SETTINGS).detect(strip)
    across = [x for x in lines if (abs(math.cos(float(angle(x.quad)))) > 0.7) != sideways]
    assert len(across) == 24
    assert len(watched.sizes) <= 2 + SETTINGS.tiles.most


def test_lines_are_found_in_tiles_of_a_part_of_the_frame(engine: Engine) -> None:
    photo = np.full((1440, 1920, 3), 235, np.uint8)
    for i in range(12):
        place = (60 + 480 * (i % 4), 200 + 400 * (i // 4))
        cv2.putText(photo, f"LOT {i:04d}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2)
    watched = Watched(engine)
    lines = Detector(watched, GRAPH.spec, SETTINGS).detect(photo)
    assert all(line.run is None or line.run.features is None for line in lines)
    assert watched.sizes[0] == (480, 640)
    assert len(watched.sizes) > 1
    assert len(lines) >= 12
