"""Lines divided at wide gaps."""

from __future__ import annotations

import numpy as np
import pytest

from sdk.charset import Charset
from sdk.geometry import box_quads
from sdk.model.settings import CellSettings
from sdk.recognize.ctc import CtcText
from sdk.recognize.decoder import LineText
from sdk.results import TextLine
from sdk.retry.candidate import Candidate, to_result
from sdk.retry.cells import cells

CHARSET = Charset("ABCDEFGH0123456789. ")
WIDE = CellSettings(pitches=2.5, heights=1.0)


def candidate(places: dict[int, str], columns: int, angle: float = 0.0) -> Candidate:
    """A line of 8 columns a height with characters at columns of the network's output."""
    text = "".join(places.values())
    ids = tuple(CHARSET.encode(text).tolist())
    said = CtcText(text, (0.9,) * len(text), tuple((x, x + 1) for x in places), columns, ids)
    log_probs = np.log(np.full((columns, CHARSET.classes), 1 / CHARSET.classes, np.float32))
    box = box_quads((300, 200), 4.0 * columns, 32, angle)
    crop = np.arange(columns * 4, dtype=np.uint8)[None, :, None].repeat(32, 0).repeat(3, 2)
    return Candidate(0.8, box, box, LineText(said, log_probs), crop)


def spaced(text: str, pitch: int = 4) -> dict[int, str]:
    """Characters at equal distances; of several spaces in a row the network reads one."""
    return {2 + i * pitch: c for i, c in enumerate(text) if c != " " or text[i - 1] != " "}


def results(line: Candidate, settings: CellSettings = WIDE) -> list[TextLine]:
    return [to_result(x, None, 0.5) for x in cells(line, settings)]


def texts(line: Candidate, settings: CellSettings = WIDE) -> list[str]:
    return [x.text for x in results(line, settings)]


def test_article_and_price_are_two_texts() -> None:
    assert texts(candidate(spaced("ABBA     3.50"), 56)) == ["ABBA", "3.50"]


def test_three_columns_are_three_texts() -> None:
    assert texts(candidate(spaced("ABC     12     7.50"), 80)) == ["ABC", "12", "7.50"]


@pytest.mark.parametrize("text", ["ABC DEF 12", "A B C D E", "AB", "A", "", "12.30"])
def test_single_spaces_divide_nothing(text: str) -> None:
    line = candidate(spaced(text), 64)
    assert cells(line, WIDE) == [line]


def test_a_gap_without_a_space_divides_nothing() -> None:
    """A wide gap may be a character that the network did not see."""
    places = spaced("ABBA") | {x + 40: c for x, c in spaced("3.50").items()}
    assert texts(candidate(places, 64)) == ["ABBA3.50"]


def test_small_letters_of_a_tall_line_need_a_gap_of_a_height() -> None:
    """Narrow characters: three pitches are less than a height of eight columns."""
    line = candidate(spaced("1111  1111", pitch=2), 28)
    assert len(texts(line)) == 1
    assert len(texts(line, CellSettings(pitches=2.5, heights=0.5))) == 2


def test_no_pitches_switch_it_off() -> None:
    assert len(texts(candidate(spaced("ABBA     3.50"), 56), CellSettings(pitches=0.0))) == 1


@pytest.mark.parametrize("angle", [0.0, 0.4, 3.1])
def test_parts_lie_along_the_line_and_keep_its_ends(angle: float) -> None:
    line = candidate(spaced("ABBA     3.50"), 56, angle)
    one, two = results(line)
    whole = to_result(line, None, 0.5)
    ends = [one.quad[0], two.quad[1], two.quad[2], one.quad[3]]
    assert np.allclose(ends, whole.quad, atol=1e-3)
    along = np.array([np.cos(angle), np.sin(angle)])
    assert (np.array(one.quad) @ along).max() < (np.array(two.quad) @ along).min()
    for part in (one, two):
        assert part.angle_rad == pytest.approx(whole.angle_rad, abs=1e-5)
        assert part.detection_confidence == 0.8


def test_boxes_of_characters_lie_around_their_columns() -> None:
    """Beside a wide gap, too: the box does not reach into the gap."""
    line = candidate(spaced("ABBA     3.50"), 56)
    places = [x for x, c in spaced("ABBA     3.50").items() if c != " "]
    chars = [c for part in results(line) for c in part.chars]
    for place, char in zip(places, chars, strict=True):
        assert char.quad is not None
        assert np.mean(char.quad, 0)[0] == pytest.approx(300 - 4 * 28 + 4 * (place + 0.5), abs=1e-3)


def test_confidence_is_that_of_the_part() -> None:
    line = candidate(spaced("AB     35"), 40)
    sure = CtcText(
        line.text.free.text,
        (0.9, 0.9, 0.9, 0.5, 0.5),
        line.text.free.spans,
        40,
        line.text.free.ids,
        (False, False, False, True, True),
    )
    changed = Candidate(0.8, line.box, line.area, LineText(sure, line.text.log_probs))
    one, two = results(changed)
    assert (one.confidence, two.confidence) == (pytest.approx(0.9), pytest.approx(0.5))
    assert (one.unknown, two.unknown) == (False, True)


def test_lattice_holds_the_columns_of_the_part() -> None:
    line = candidate(spaced("ABBA     3.50"), 56)
    parts = cells(line, WIDE)
    sizes = [len(x.text.log_probs) for x in parts]
    assert sizes == [x.text.free.columns for x in parts]
    for part in parts:
        assert part.crop is not None
        assert part.crop.shape[1] == 4 * part.text.free.columns
    last = to_result(parts[1], None, 0.5, charset=CHARSET)
    assert last.lattice().probabilities.shape == (sizes[1], CHARSET.classes)
