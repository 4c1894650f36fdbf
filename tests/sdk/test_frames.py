"""The detector's frame follows the photo's ratio, and gives what the full frame gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from sdk.cli.sample import draw_sample
from sdk.engine import Engine, open_engine
from sdk.engine.cpu import MAX_SIZES
from sdk.errors import ModelError, OptionError
from sdk.image.letterbox import FILL
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle, BundleGraph
from sdk.stages.find import Finder

GRAPH = Bundle.open(DEFAULT_BUNDLE).graph("detector")


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


def test_a_size_between_cells_is_refused(engine: Engine) -> None:
    with pytest.raises(OptionError, match=r"cannot take 640x490 pixels: a map of .* no whole"):
        engine.run({"image": frame(490, 640)})


def test_wrong_places_of_sizes_are_told() -> None:
    graph = BundleGraph(GRAPH.path, replace(GRAPH.spec, sizes=(GRAPH.spec.bytes - 4,)))
    with pytest.raises(ModelError, match=r"no size at byte \d+, where model.json says"):
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
    finder = Finder(engine, GRAPH.spec, Bundle.open(DEFAULT_BUNDLE).manifest.decode)
    seen = []
    run = engine.run
    engine.run = (
        lambda inputs, raw=(): (  # type: ignore[method-assign]
            seen.append(inputs["image"].shape[1:3]) or run(inputs, raw)
        )
    )
    finder.warm_up(photo[1], photo[0])
    assert seen == [wanted]


def test_a_graph_of_one_size_gets_the_full_frame(engine: Engine) -> None:
    spec = replace(GRAPH.spec, sizes=())
    with_one = open_engine(BundleGraph(GRAPH.path, spec))
    finder = Finder(with_one, spec, Bundle.open(DEFAULT_BUNDLE).manifest.decode)
    lines = finder.find(draw_sample())
    assert lines
    assert all(line.view is None or line.view.features.shape[0] == 160 for line in lines)
