"""Lines read again from other views of them, with the line graph of `tests.tiny`."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk.detect.detector import DetectedLine
from sdk.engine import EnginePool, open_engine
from sdk.engine.worker_pool import WorkerPool
from sdk.geometry import box_quads
from sdk.image.load import ImageArray
from sdk.model.bundle import Bundle
from sdk.model.retry_policy import PhotoRetries
from sdk.model.views import BandView, PartView
from sdk.recognize.crops import CropRecognizer
from sdk.recognize.decoder import LineText, TextDecoder
from sdk.recognize.options import ReadOptions
from sdk.results import TextLine
from sdk.retry.candidate import Candidate, to_result
from sdk.retry.engine import RetryEngine
from sdk.retry.sources import CropLine, PhotoLine
from tests import tiny
from tests.claims import claim, read_columns

# on the ground of the script's gaps, so that views wider than the line read no more
PHOTO = np.full((64, 128, 3), (255, 128, 128), np.uint8)
PHOTO[8:40, 8:112] = tiny.draw_line("ABCD")
QUAD = box_quads((60, 24), 104, 32, 0)
# no second readings unless a test asks for them
SETTINGS = tiny.SETTINGS.changed({"retry.photo.confidence": 0.0, "retry.flip.confidence": 0.0})
SQUEEZE = PhotoRetries().squeeze
VIEWS = PhotoRetries().views
# votes of every view, whatever they say
ALL = {"retry.photo.confidence": 1.0, "retry.vote.lead": 100.0, "retry.photo.hopeless": 0.0}


class CountingRecognizer(CropRecognizer):
    """A recognizer that remembers how wide the line crops were."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.widths: list[int] = []

    def read(self, crop: ImageArray, options: ReadOptions) -> LineText:
        self.widths.append(crop.shape[1])
        return super().read(crop, options)


def recognizer(engine: Any, kind: type[CropRecognizer] = CountingRecognizer) -> Any:
    return kind(engine, TextDecoder(tiny.CHARSET), SETTINGS.recognize.line_widths)


@pytest.fixture
def crops(tiny_bundle: Path) -> Iterator[CountingRecognizer]:
    engine = open_engine(Bundle.open(tiny_bundle, "fp32").graph("line"), "cpu", 1)
    yield recognizer(engine)
    engine.close()


def first(text: str, confidence: float) -> Candidate | None:
    """What the features of the photo claim of its line; nothing for an empty text."""
    said = claim(tiny.CHARSET, text, confidence)
    return Candidate(0.8, QUAD, QUAD, said) if text else None


def part_widths() -> list[int]:
    """Widths of the crops of the parts of the line, for a graph of 64, 128 and 256."""
    parts = [view for view in VIEWS if isinstance(view, PartView)]
    own = [p.stretch * (104 / 32 + 2 * p.side) / (p.bottom - p.top) * 32 for p in parts]
    return [128 if 128 < width < 128 * SQUEEZE else round(width) for width in own]


def read_all(
    crops: CropRecognizer,
    said: Sequence[Candidate | None],
    workers: WorkerPool | None = None,
    *,
    pattern: str | None = None,
    charset: str | None = None,
    words: bool = True,
    photo: ImageArray = PHOTO,
    quad: np.ndarray = QUAD,
    **changes: Any,
) -> list[TextLine]:
    settings = SETTINGS.changed(changes)
    options = ReadOptions.of(tiny.CHARSET, charset, 0, pattern, words=words)
    sources = [PhotoLine(photo, DetectedLine(quad, 0.8, 32.0, None), settings) for _ in said]
    policy = settings.retry
    engine = RetryEngine(crops, policy, policy.photo, options, workers or WorkerPool())
    ratio = settings.recognize.pattern_ratio
    return [to_result(x.free, x.fitted, ratio) for x in engine.read_page(sources, said)]


def read(crops: CropRecognizer, said: Candidate | None, **changes: Any) -> TextLine:
    [line] = read_all(crops, [said], **changes)
    return line


def test_sure_lines_are_not_read_again(crops: CountingRecognizer) -> None:
    line = read(crops, first("HHH", 0.9), **{"retry.photo.confidence": 0.9})
    assert (line.text, line.detection_confidence) == ("HHH", 0.8)
    assert line.confidence == pytest.approx(0.9)
    assert not crops.widths
    assert read_all(crops, []) == []


def test_unsure_lines_are_read_from_pixels(crops: CountingRecognizer) -> None:
    line = read(crops, first("HHH", 0.5), **{"retry.photo.confidence": 0.9})
    assert line.text == "ABCD"
    assert np.allclose(line.quad, QUAD)
    assert crops.widths == [104]


@pytest.mark.parametrize(
    ("text", "known_confidence", "read_again"),
    [("HEAD", 0.8, False), ("HEAD", 0.86, True), ("HEAD", 1.0, True), ("HHHD", 0.8, True)],
)
def test_a_line_of_known_words_needs_less_confidence(
    crops: CountingRecognizer, text: str, known_confidence: float, read_again: bool
) -> None:
    bounds = {"retry.photo.confidence": 0.9, "retry.photo.known_confidence": known_confidence}
    line = read(crops, first(text, 0.85), **bounds)
    assert bool(crops.widths) == read_again
    assert line.text == ("ABCD" if read_again else text)


@pytest.mark.parametrize(
    "option", [{"pattern": "[A-H]{4}"}, {"charset": "ABCDEFGH"}, {"words": False}]
)
def test_with_a_pattern_a_known_word_is_no_reason(
    crops: CountingRecognizer, option: dict[str, Any]
) -> None:
    bounds = {"retry.photo.confidence": 0.9, "retry.photo.known_confidence": 0.8}
    read(crops, first("HEAD", 0.85), **option, **bounds)
    assert crops.widths


@pytest.mark.parametrize(
    ("words", "text"), [({}, "HEAD"), ({"words": False}, "HEGD"), ({"charset": "ADEGH"}, "HEGD")]
)
def test_a_sure_line_is_weighed_too(
    crops: CountingRecognizer, words: dict[str, Any], text: str
) -> None:
    columns = [{"H": 1.0}, {}, {"E": 1.0}, {}, {"G": 0.6, "A": 0.4}, {}, {"D": 1.0}, {}]
    said = Candidate(0.8, QUAD, QUAD, read_columns(tiny.CHARSET, *columns))
    bounds = {"retry.photo.confidence": 0.5, "retry.vote.word_bonus": 0.6}
    assert read(crops, said, **words, **bounds).text == text
    assert not crops.widths


def test_the_frequency_of_words_says_nothing_against_a_sure_line(
    crops: CountingRecognizer,
) -> None:
    columns = [{"H": 1.0}, {}, {"E": 1.0}, {}, {"G": 0.996, "A": 0.003}, {}, {"D": 1.0}, {}]
    said = Candidate(0.8, QUAD, QUAD, read_columns(tiny.CHARSET, *columns))
    for frequency in (0.0, 5.0):
        bonus = {"retry.vote.word_bonus": 0.6, "retry.vote.frequency_bonus": frequency}
        assert read(crops, said, **{"retry.photo.confidence": 0.5}, **bonus).text == "HEGD"


def test_a_known_word_says_nothing_of_the_direction(crops: CountingRecognizer) -> None:
    """The confidence of what was read tells whether a line stands on its head."""
    columns = [{"H": 1.0}, {}, {"E": 1.0}, {}, {"G": 0.996, "A": 0.003}, {}, {"D": 1.0}, {}]
    said = Candidate(0.8, QUAD, QUAD, read_columns(tiny.CHARSET, *columns))
    bounds = {"retry.photo.confidence": 0.5, "retry.vote.word_bonus": 1.5}
    line = read(crops, said, **bounds, **{"retry.flip.confidence": 0.95, "retry.flip.gain": 0.0})
    assert line.text == "HEAD"
    assert line.confidence < 0.95
    assert not crops.widths


def test_lines_without_text_are_read_from_pixels(crops: CountingRecognizer) -> None:
    assert read(crops, None).text == "ABCD"
    assert crops.widths == [104]


def test_views_of_the_line_vote(crops: CountingRecognizer) -> None:
    line = read(crops, first("HHHH", 0.9), **ALL)
    assert line.text == "ABCD"
    assert 128 in part_widths()
    *widths, along_band = crops.widths
    assert widths == [104, *part_widths()]
    # the script fills its box and more is searched around it
    assert along_band > 104


@pytest.mark.parametrize("views", [(), (PartView(side=0.1),), VIEWS[1:3]])
def test_the_policy_lists_the_views(crops: CountingRecognizer, views: tuple[PartView, ...]) -> None:
    read(crops, first("HHHH", 0.9), **ALL, **{"retry.photo.views": views})
    assert len(crops.widths) == 1 + len(views)


def test_long_lines_skip_views_of_shorter_ones(crops: CountingRecognizer) -> None:
    for most, taken in ((3.2, 1), (3.3, 2), (0.0, 2)):
        crops.widths.clear()
        view = PartView(side=0.1, max_aspect=most)  # the line is 3.25 times as long as high
        read(crops, first("HHHH", 0.9), **ALL, **{"retry.photo.views": (view,)})
        assert len(crops.widths) == taken


@pytest.mark.parametrize(
    ("said", "view", "width"),
    [
        ("HHHH", PartView(pitch=16), 208),  # twice the distance of 8 px
        ("HHHH", PartView(pitch=6), 78),
        ("HHHH", PartView(pitch=4), 62),  # not narrower than .6
        ("HHHH", PartView(pitch=16, bottom=0.5), 208),  # half the height doubles the crop's scale
        ("HH", PartView(pitch=16), None),  # too few characters tell no distance
    ],
)
def test_a_view_may_bring_the_characters_to_a_pitch(
    crops: CountingRecognizer, said: str, view: PartView, width: int | None
) -> None:
    read(crops, first(said, 0.9), **ALL, **{"retry.photo.views": (view,)})
    assert crops.widths == ([104] if width is None else [104, width])


def test_a_box_that_is_off_is_read_along_the_band(tiny_bundle: Path) -> None:
    """Of a line that climbs through its box, the view along the band shows all at one level."""
    seen: list[ImageArray] = []

    class Watching(CountingRecognizer):
        def read(self, crop: ImageArray, options: ReadOptions) -> LineText:
            seen.append(crop)
            return super().read(crop, options)

    photo = np.full((120, 300, 3), 210, np.uint8)
    for i in range(30):  # strokes of 14 px, 20 px higher at the end than at the start
        x, y = 30 + 8 * i, 62 - 20 * i // 29
        photo[y - 7 : y + 7, x : x + 4] = 40
    quad = box_quads((150, 52), 240, 40, 0)
    engine = open_engine(Bundle.open(tiny_bundle, "fp32").graph("line"), "cpu", 1)
    with closing(engine):
        read(recognizer(engine, Watching), first("HHHH", 0.9), photo=photo, quad=quad, **ALL)
    dark = [(255.0 - crop[..., 0]).clip(60) - 60 for crop in seen]
    middles = [(d * np.arange(32)[:, None]).sum(0) / (d.sum(0) + 1e-6) for d in dark]
    climbs = [np.ptp(m[d.sum(0) > d.sum(0).max() / 2]) for m, d in zip(middles, dark, strict=True)]
    assert min(climbs[:-1]) > 8
    assert climbs[-1] < 4


@pytest.mark.parametrize(
    ("wanted", "widest"), [(64, 64), (65, 64), (73, 64), (74, 128), (147, 128), (148, 256)]
)
def test_views_a_little_too_wide_are_squeezed(
    crops: CountingRecognizer, wanted: int, widest: int
) -> None:
    assert crops.width_for(wanted, 1.15) == widest
    assert crops.width_for(wanted, 1.0) >= wanted
    assert crops.width_for(1000, 1.15) == 256


def test_what_is_read_does_not_depend_on_the_workers(tiny_bundle: Path) -> None:
    graph = Bundle.open(tiny_bundle, "fp32").graph("line")
    said = [first(text, 0.5) for text in ("HHH", "ABCD", "", "G", "ABCD", "AAAA")]
    changes = {"retry.photo.confidence": 1.0, "retry.flip.confidence": 1.0}
    changes |= {"retry.flip.most_lines": 2, "retry.photo.hopeless": 0.0}
    with closing(EnginePool([open_engine(graph, "cpu", 1) for _ in range(3)])) as engines:
        crops = recognizer(engines)
        for lines in (said, said[:1]):
            in_turn = read_all(crops, lines, pattern="ABCD", **changes)
            for count in (2, 3):
                with closing(WorkerPool(count)) as workers:
                    at_a_time = read_all(crops, lines, workers, pattern="ABCD", **changes)
                assert [x.to_dict() for x in at_a_time] == [x.to_dict() for x in in_turn]


def test_views_of_one_line_are_shared_out(tiny_bundle: Path) -> None:
    widths = part_widths()
    other_began = threading.Event()

    class Waiting(CropRecognizer):
        def read(self, crop: ImageArray, options: ReadOptions) -> LineText:
            if crop.shape[1] == widths[1]:
                other_began.set()
            if crop.shape[1] == widths[0]:
                assert other_began.wait(20)
            return super().read(crop, options)

    assert widths[0] != widths[1]
    graph = Bundle.open(tiny_bundle, "fp32").graph("line")
    with (
        closing(EnginePool([open_engine(graph, "cpu", 1) for _ in range(2)])) as engines,
        closing(WorkerPool(2)) as workers,
    ):
        read_all(recognizer(engines, Waiting), [first("HHHH", 0.9)], workers, **ALL)
    assert other_began.is_set()


def test_voting_ends_early(crops: CountingRecognizer) -> None:
    agreed = first("ABCD", 0.9)
    bounds = {"retry.photo.confidence": 1.0, "retry.vote.lead": 1.2}
    assert read(crops, agreed, **bounds).text == "ABCD"
    assert len(crops.widths) == 1
    # without voting the surer of the first two readings counts
    crops.widths.clear()
    line = read(crops, first("HHHH", 0.9), **{**bounds, "retry.vote.lead": 0.0})
    assert (line.text, crops.widths) == ("ABCD", [104])


def test_every_line_gets_a_view_before_any_gets_more(crops: CountingRecognizer) -> None:
    read_all(crops, [first("HHHH", 0.9), first("AAAA", 0.9)], **ALL)
    assert crops.widths[:6] == [104, 104, *np.repeat(part_widths()[:2], 2)]


def test_hopeless_lines_are_given_up(crops: CountingRecognizer) -> None:
    bounds = {**ALL, "retry.photo.hopeless": 1.0}
    line = read(crops, first("HHHH", 0.3), **bounds)
    assert (line.text, crops.widths) == ("ABCD", [104])
    # more views may show what a pattern asks for
    crops.widths.clear()
    read(crops, first("HHHH", 0.3), pattern="[A-Z]+", **bounds)
    assert len(crops.widths) == 1 + len(VIEWS)


def test_where_nothing_is_seen_nothing_is_read(crops: CountingRecognizer) -> None:
    bounds = {**ALL, "retry.photo.hopeless": 0.6}
    line = read(crops, None, quad=box_quads((60, 54), 60, 8, 0), **bounds)
    assert (line.text, line.confidence) == ("", 0.0)
    assert len(crops.widths) == 1


def test_unsure_lines_are_tried_turned(crops: CountingRecognizer) -> None:
    sure = {"retry.flip.confidence": 0.95, "retry.flip.gain": 0.05}
    line = read(crops, first("HHH", 0.9), **sure)
    assert line.text == "DCBA"  # the script reads as well backwards
    assert np.allclose(line.quad, np.roll(QUAD, 2, axis=0))
    crops.widths.clear()
    line = read(crops, first("HHH", 0.9), **{**sure, "retry.flip.gain": 0.2})
    assert (line.text, len(crops.widths)) == ("HHH", 1)  # turned it is surer, but not enough


def test_only_so_many_lines_are_turned(crops: CountingRecognizer) -> None:
    bounds = {"retry.flip.confidence": 0.95, "retry.flip.gain": 0.05, "retry.flip.most_lines": 2}
    found = read_all(crops, [first("HHH", 0.9)] * 3, **bounds)
    assert [line.text for line in found] == ["DCBA", "DCBA", "HHH"]
    assert len(crops.widths) == 2


def test_the_candidate_that_fits_the_pattern_best_gives_the_text(
    crops: CountingRecognizer,
) -> None:
    bounds = {"retry.photo.confidence": 0.9}
    line = read(crops, first("HHHH", 0.5), pattern="AB.D", **bounds)
    assert (line.text, line.raw_text, line.pattern_ok) == ("ABCD", "ABCD", True)
    line = read(crops, first("HHHH", 0.5), pattern="H+", **bounds)
    assert (line.text, line.raw_text, line.pattern_ok) == ("ABCD", "ABCD", False)


def test_the_photo_is_cut_with_a_margin(crops: CountingRecognizer) -> None:
    read(crops, None, **{"recognize.crop_margin": 0.25})
    assert crops.widths[0] == round(32 * (104 + 16) / (32 + 16))
    crops.widths.clear()
    read(crops, None, **{"recognize.crop_side": 0.5})
    assert crops.widths[0] == 104 + 32


def read_crop(crops: CropRecognizer, picture: ImageArray, **changes: Any) -> TextLine:
    policy = SETTINGS.changed(changes).retry
    engine = RetryEngine(crops, policy, policy.crop, ReadOptions(), WorkerPool())
    choice = engine.read_crop(CropLine(picture))
    return to_result(choice.free, choice.fitted, 0.5)


def test_equal_views_of_a_crop_are_read_once_and_vote_twice(crops: CountingRecognizer) -> None:
    picture = tiny.draw_line("ABCD")
    views = (BandView(side=0.1), BandView(side=0.1, bent=True))  # of a straight line the same
    bounds = {"retry.crop.confidence": 1.0, "retry.crop.views": views}
    line = read_crop(crops, picture, **bounds, **{"retry.vote.lead": 100.0})
    assert (line.text, len(crops.widths)) == ("ABCD", 2)


@pytest.mark.parametrize(("quarters", "taken"), [(0, 1), (1, 2), (3, 2)])
def test_tall_crops_are_read_both_ways(
    crops: CountingRecognizer, quarters: int, taken: int
) -> None:
    picture = np.ascontiguousarray(np.rot90(tiny.draw_line("ABCD"), quarters))
    line = read_crop(crops, picture, **{"retry.crop.confidence": 0.0})
    assert line.text in ("ABCD", "DCBA")
    assert len(crops.widths) == taken
