"""Reading by a pattern, end to end, with the bundle of `tests.tiny`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sdk import OptionError, Reader, Reading, Template, TextLine
from sdk.model.bundle import Bundle, write_manifest
from tests import tiny

PHOTO = tiny.draw_photo([("ABCD", 8, 8), ("HAG", 13, 78)], (128, 128))


@pytest.fixture(scope="module")
def reader(tiny_bundle: Path) -> Iterator[Reader]:
    with Reader(tiny_bundle, variant="fp32") as opened:
        yield opened


def doubtful(share: float) -> Any:
    """A strip that says ABCD, but its second character is so much of the way to a C."""
    strip = tiny.draw_line("ABCD")
    b, c = tiny.colors()[tiny.CHARSET.encode("BC")]
    strip[:, 32:48, 1:] = np.round(127.5 * (b + share * (c - b) + 1))
    return strip


def test_without_a_pattern_nothing_is_said_about_it(reader: Reader) -> None:
    line = reader.read_line(doubtful(0))
    assert (line.text, line.raw_text, line.pattern_ok) == ("ABCD", None, None)
    assert [(x.raw_text, x.pattern_ok) for x in reader.read(PHOTO)] == [(None, None)] * 2


def test_a_doubtful_character_is_read_as_the_pattern_says(reader: Reader) -> None:
    strip = doubtful(0.48)
    assert reader.read_line(strip).text == "ABCD"
    line = reader.read_line(strip, pattern="A[C-H]CD")
    assert (line.text, line.raw_text, line.pattern_ok) == ("ACCD", "ABCD", True)
    assert "".join(char.text for char in line.chars) == "ACCD"
    # B is not allowed there and takes no share
    assert line.chars[1].confidence > 0.9
    assert line.confidence == pytest.approx(math.prod(c.confidence for c in line.chars) ** 0.25)


def test_a_clear_line_is_not_bent_to_the_pattern(reader: Reader) -> None:
    free = reader.read_line(doubtful(0))
    for pattern in ("A[C-H]CD", Template("AAA"), ["H+", "DDDD"]):
        line = reader.read_line(doubtful(0), pattern=pattern)
        assert line == replace(free, raw_text="ABCD", pattern_ok=False)


def test_the_bound_is_the_models(own_bundle: Path) -> None:
    manifest = Bundle.open(own_bundle).manifest
    for ratio, text in ((0.0, "ACCD"), (1.0, "ABCD")):
        decode = manifest.decode.changed({"recognize.pattern_ratio": ratio})
        write_manifest(own_bundle, replace(manifest, decode=decode))
        with Reader(own_bundle) as opened:
            assert opened.read_line(doubtful(0.3), pattern="ACCD").text == text


def test_each_line_of_a_photo_fits_or_not(reader: Reader) -> None:
    free = reader.read(PHOTO)
    for beam in (0, 3):
        lines = reader.read(PHOTO, pattern=Template(r"\AAA\D"), beam=beam).lines
        assert [line.text for line in lines] == ["ABCD", "HAG"]
        assert [line.raw_text for line in lines] == ["ABCD", "HAG"]
        assert [line.pattern_ok for line in lines] == [True, False]
        assert [line.quad for line in lines] == [line.quad for line in free]
    both = reader.read(PHOTO, pattern=["A[BC]{2}D", "H.G"])
    assert [line.pattern_ok for line in both] == [True, True]
    assert Reading.from_json(both.to_json()) == both


def test_a_batch_is_read_by_the_pattern(reader: Reader) -> None:
    readings = reader.read_batch([PHOTO, PHOTO[:64]], pattern="[A-D]+", charset="ABCDG")
    assert [[line.pattern_ok for line in reading] for reading in readings] == [
        [True, False],
        [True],
    ]


def test_of_several_looks_the_one_that_fits_best_wins(own_bundle: Path) -> None:
    line = tiny.draw_line("AC")
    height, width = line.shape[:2]
    # black rows above and below spoil the colors of a reading of the whole height
    crop = np.pad(line, ((4, 4), (0, 0), (0, 0)))
    manifest = Bundle.open(own_bundle).manifest
    decode = manifest.decode.changed({"retry.crop.confidence": 0.999, "retry.vote.lead": 0.0})
    write_manifest(own_bundle, replace(manifest, decode=decode))
    with Reader(own_bundle) as opened:
        free, fitted = opened.read_line(crop), opened.read_line(crop, pattern="AC")
    assert free.quad[0] == (0, 0)  # no part is so much surer
    assert (fitted.text, fitted.pattern_ok) == ("AC", True)
    assert fitted.confidence > free.confidence
    assert np.allclose(fitted.quad, [[0, 4], [width, 4], [width, height + 4], [0, height + 4]])


@pytest.mark.parametrize("text", ["ABCH", "HCBA"])
def test_of_two_turns_the_one_that_fits_wins(reader: Reader, text: str) -> None:
    # the script reads as well backwards
    down: TextLine = reader.read_line(np.rot90(tiny.draw_line("ABCH"), -1), pattern=text)
    assert (down.text, down.pattern_ok) == (text, True)
    assert down.angle_rad == pytest.approx(math.pi / 2 if text == "ABCH" else -math.pi / 2)


def test_nothing_to_read_stays_nothing(reader: Reader) -> None:
    black = np.zeros((32, 200, 3), np.uint8)
    line = reader.read_line(black, pattern=Template("AAAA"))
    assert line.text == reader.read_line(black).text
    assert line.pattern_ok is False
    assert len(reader.read(np.zeros((128, 128, 3), np.uint8), pattern=".*")) == 0


@pytest.mark.parametrize("pattern", ["(?i)a", "[0-9]", "AÄ", "", [], 7, Template("99")])
def test_bad_patterns_are_named(reader: Reader, pattern: Any) -> None:
    for read in (reader.read, reader.read_line):
        with pytest.raises(OptionError, match="pattern is "):
            read(PHOTO, pattern=pattern)
    with pytest.raises(OptionError, match="no text of the allowed characters"):
        reader.read(PHOTO, pattern="A", charset="BC")
