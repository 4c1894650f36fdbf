"""Lines of a photo read again from its pixels, with the line graph of `tests.tiny`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sdk.recognize.recognizer import LineReader, LineText, ReadOptions
from sdk.retry.look import Look
from sdk.retry.recheck import CUTS, PARTS, SQUEEZE, Recheck

from sdk.detect.detector import FoundLine
from sdk.engine import EnginePool, open_engine
from sdk.engine.worker_pool import WorkerPool
from sdk.geometry import box_quads
from sdk.image.load import ImageArray
from sdk.model.bundle import Bundle
from sdk.results import TextLine
from sdk.retry import recheck
from tests import tiny
from tests.claims import claim

# on the ground of the script's gaps, so that cuts wider than the line read no more
PHOTO = np.full((64, 128, 3), (255, 128, 128), np.uint8)
PHOTO[8:40, 8:112] = tiny.draw_line("ABCD")
QUAD = box_quads((60, 24), 104, 32, 0)
# no second looks unless a test asks for them
SETTINGS = replace(tiny.SETTINGS, recheck_confidence=0.0, flip_confidence=0.0)


class CountingReader(LineReader):
    """A line reader that remembers how wide the strips were."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.widths: list[int] = []

    def read_strip(self, strip: ImageArray, options: ReadOptions) -> LineText:
        self.widths.append(strip.shape[1])
        return super().read_strip(strip, options)


@pytest.fixture
def lines(tiny_bundle: Path) -> Iterator[CountingReader]:
    engine = open_engine(Bundle.open(tiny_bundle, "fp32").graph("line"), "cpu", 1)
    yield CountingReader(engine, None, tiny.CHARSET, SETTINGS.line_widths, {})
    engine.close()


def first(text: str, confidence: float, height_px: float = 32.0) -> Look:
    """A look at the line of the photo that claims something."""
    said = claim(tiny.CHARSET, text, confidence)
    return Look(FoundLine(QUAD, 0.8, height_px, None), QUAD, QUAD, said)


def part_widths() -> list[int]:
    """Widths of the strips that `PARTS` cut out of the line, for a graph of 64, 128 and 256."""
    own = [p.stretch * (104 / 32 + 2 * p.side) / (p.bottom - p.top) * 32 for p in PARTS]
    return [128 if 128 < width < 128 * SQUEEZE else round(width) for width in own]


def read(lines: LineReader, *looks: Look, pattern: str | None = None, **decode: Any) -> Any:
    options = ReadOptions.of(tiny.CHARSET, None, 0, pattern)
    settings = replace(SETTINGS, **decode)
    found: list[TextLine] = Recheck(lines, settings, PHOTO, options, WorkerPool()).read(list(looks))
    return found[0] if len(found) == 1 else found


def test_sure_lines_are_not_read_again(lines: CountingReader) -> None:
    line = read(lines, first("HHH", 0.9), recheck_confidence=0.9)
    assert (line.text, line.detection_confidence) == ("HHH", 0.8)
    assert line.confidence == pytest.approx(0.9)
    assert not lines.widths
    assert read(lines) == []


def test_unsure_lines_are_read_from_pixels(lines: CountingReader) -> None:
    line = read(lines, first("HHH", 0.5), recheck_confidence=0.9)
    assert line.text == "ABCD"
    assert np.allclose(line.quad, QUAD)
    assert lines.widths == [104]


def test_lines_without_text_are_read_from_pixels(lines: CountingReader) -> None:
    assert read(lines, first("", 0.0), recheck_confidence=0.9).text == "ABCD"


def test_small_lines_are_read_again_however_sure(lines: CountingReader) -> None:
    for height, text in ((9.9, "ABCD"), (10.0, "HHH")):
        line = read(lines, first("HHH", 0.9, height), recheck_height_px=10.0)
        assert line.text == text
    # the surer of the two looks counts
    assert read(lines, first("HHH", 1.0, 9.0), recheck_height_px=10.0).text == "HHH"


def test_cuts_of_the_line_vote(lines: CountingReader) -> None:
    claimed = first("HHHH", 0.9)
    line = read(lines, claimed, recheck_confidence=1.0, vote_lead=100.0)
    assert line.text == "ABCD"
    assert 128 in part_widths()
    *widths, along_band = lines.widths
    assert widths == [104, *part_widths()]
    # the script fills its box and more is searched around it
    assert along_band > 104


def test_a_box_that_is_off_is_read_along_the_band(tiny_bundle: Path) -> None:
    """Of a line that climbs through its box, the cut along the band sees all characters level."""
    seen: list[ImageArray] = []

    class Watching(CountingReader):
        def read_strip(self, strip: ImageArray, options: ReadOptions) -> LineText:
            seen.append(strip)
            return super().read_strip(strip, options)

    photo = np.full((120, 300, 3), 210, np.uint8)
    for i in range(30):  # strokes of 14 px, 20 px higher at the end than at the start
        x, y = 30 + 8 * i, 62 - 20 * i // 29
        photo[y - 7 : y + 7, x : x + 4] = 40
    quad = box_quads((150, 52), 240, 40, 0)
    look = Look(FoundLine(quad, 0.8, 40.0, None), quad, quad, claim(tiny.CHARSET, "HHHH", 0.9))
    engine = open_engine(Bundle.open(tiny_bundle, "fp32").graph("line"), "cpu", 1)
    lines = Watching(engine, None, tiny.CHARSET, SETTINGS.line_widths, {})
    settings = replace(SETTINGS, recheck_confidence=1.0, vote_lead=100.0)
    options = ReadOptions.of(tiny.CHARSET, None, 0)
    Recheck(lines, settings, photo, options, WorkerPool()).read([look])
    engine.close()
    dark = [(255.0 - strip[..., 0]).clip(60) - 60 for strip in seen]
    middles = [(d * np.arange(32)[:, None]).sum(0) / (d.sum(0) + 1e-6) for d in dark]
    climbs = [np.ptp(m[d.sum(0) > d.sum(0).max() / 2]) for m, d in zip(middles, dark, strict=True)]
    assert min(climbs[:-1]) > 8
    assert climbs[-1] < 4


@pytest.mark.parametrize(
    ("wanted", "widest"), [(64, 64), (65, 64), (73, 64), (74, 128), (147, 128), (148, 256)]
)
def test_cuts_a_little_too_wide_are_squeezed(
    lines: CountingReader, wanted: int, widest: int
) -> None:
    assert SQUEEZE == 1.15
    assert lines.width_for(wanted, SQUEEZE) == widest
    assert lines.width_for(wanted, 1.0) >= wanted
    assert lines.width_for(1000, SQUEEZE) == 256


def test_lines_at_a_time_read_as_in_turn(tiny_bundle: Path) -> None:
    graph = Bundle.open(tiny_bundle, "fp32").graph("line")
    team = EnginePool([open_engine(graph, "cpu", 1) for _ in range(2)])
    lines = CountingReader(team, None, tiny.CHARSET, SETTINGS.line_widths, {})
    settings = replace(SETTINGS, recheck_confidence=1.0, flip_confidence=1.0, max_flips=2)
    looks = [first(text, 0.5) for text in ("HHH", "ABCD", "", "G", "ABCD", "AAAA")]
    options = ReadOptions.of(tiny.CHARSET, None, 0, "ABCD")
    in_turn = Recheck(lines, settings, PHOTO, options, WorkerPool()).read(looks)
    taken = sorted(lines.widths)
    lines.widths.clear()
    with closing(WorkerPool(2)) as helpers:
        at_a_time = Recheck(lines, settings, PHOTO, options, helpers).read(looks)
    assert [line.to_dict() for line in at_a_time] == [line.to_dict() for line in in_turn]
    assert sorted(lines.widths) == taken
    team.close()


def test_looks_at_one_line_are_shared_out(tiny_bundle: Path) -> None:
    widths = part_widths()
    other_began = threading.Event()

    class Waiting(LineReader):
        def read_strip(self, strip: ImageArray, options: ReadOptions) -> LineText:
            if strip.shape[1] == widths[2]:
                other_began.set()
            if strip.shape[1] == widths[1]:
                assert other_began.wait(20)
            return super().read_strip(strip, options)

    assert widths[1] != widths[2]
    graph = Bundle.open(tiny_bundle, "fp32").graph("line")
    team = EnginePool([open_engine(graph, "cpu", 1) for _ in range(2)])
    lines = Waiting(team, None, tiny.CHARSET, SETTINGS.line_widths, {})
    settings = replace(SETTINGS, recheck_confidence=1.0, vote_lead=100.0)
    with closing(WorkerPool(2)) as helpers:
        options = ReadOptions.of(tiny.CHARSET, None, 0)
        Recheck(lines, settings, PHOTO, options, helpers).read([first("HHHH", 0.9)])
    assert other_began.is_set()
    team.close()


def test_voting_ends_early(lines: CountingReader) -> None:
    agreed = first("ABCD", 0.9)
    line = read(lines, agreed, recheck_confidence=1.0, vote_lead=1.2)
    assert line.text == "ABCD"
    assert len(lines.widths) == 1
    # without voting the surer of the first two looks counts
    lines.widths.clear()
    line = read(lines, first("HHHH", 0.9), recheck_confidence=1.0, vote_lead=0.0)
    assert (line.text, lines.widths) == ("ABCD", [104])


def test_hopeless_lines_are_given_up(
    lines: CountingReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recheck, "HOPELESS", 1.0)
    bounds = {"recheck_confidence": 1.0, "vote_lead": 100.0}
    line = read(lines, first("HHHH", 0.3), **bounds)
    assert (line.text, lines.widths) == ("ABCD", [104])
    # more looks may show what a pattern asks for
    lines.widths.clear()
    read(lines, first("HHHH", 0.3), pattern="[A-Z]+", **bounds)
    assert len(lines.widths) == 1 + len(CUTS)


def test_where_nothing_is_seen_nothing_is_read(lines: CountingReader) -> None:
    nothing = replace(first("", 0.0), found=FoundLine(box_quads((60, 54), 60, 8, 0), 0.8, 8, None))
    line = read(lines, nothing, recheck_confidence=1.0, vote_lead=100.0)
    assert (line.text, line.confidence) == ("", 0.0)
    assert len(lines.widths) == 1


def test_unsure_lines_are_tried_turned(lines: CountingReader) -> None:
    line = read(lines, first("", 0.0), flip_confidence=0.5)
    assert line.text == "DCBA"  # the script reads as well backwards
    assert np.allclose(line.quad, np.roll(QUAD, 2, axis=0))
    lines.widths.clear()
    line = read(lines, first("HHH", 0.9), flip_confidence=0.95, flip_gain=0.2)
    assert (line.text, len(lines.widths)) == ("HHH", 1)  # turned it is surer, but not enough


def test_only_so_many_lines_are_turned(lines: CountingReader) -> None:
    looks = [first("", 0.0)] * 3
    found = read(lines, *looks, flip_confidence=0.5, max_flips=2)
    assert [line.text for line in found] == ["DCBA", "DCBA", ""]
    assert len(lines.widths) == 2


def test_the_look_that_fits_the_pattern_best_gives_the_text(lines: CountingReader) -> None:
    line = read(lines, first("HHHH", 0.5), recheck_confidence=0.9, pattern="AB.D")
    assert (line.text, line.raw_text, line.pattern_ok) == ("ABCD", "ABCD", True)
    line = read(lines, first("HHHH", 0.5), recheck_confidence=0.9, pattern="H+")
    assert (line.text, line.raw_text, line.pattern_ok) == ("ABCD", "ABCD", False)


def test_the_photo_is_cut_with_a_margin(lines: CountingReader) -> None:
    read(lines, first("", 0.0), recheck_confidence=0.9, strip_margin=0.25)
    assert lines.widths[0] == round(32 * (104 + 16) / (32 + 16))
    lines.widths.clear()
    read(lines, first("", 0.0), recheck_confidence=0.9, strip_side=0.5)
    assert lines.widths[0] == 104 + 32
