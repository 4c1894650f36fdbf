"""Pages read one by one, and what a reading tells of its picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sdk.errors import ImageError, OptionError
from sdk.reader import Reader
from tests import tiny

TEXTS = ["HEAD", "CAFE", "BADGE"]


@pytest.fixture(scope="module")
def reader(tiny_bundle: Path) -> Reader:
    return Reader(tiny_bundle, threads=1)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    photos = [np.asarray(tiny.draw_photo([(text, 0, 48)], (128, 128))) for text in TEXTS]
    first, *more = map(Image.fromarray, photos)
    first.save(tmp_path / "scan.tif", save_all=True, append_images=more)
    return tmp_path / "scan.tif"


def test_each_page_is_a_reading(reader: Reader, scan: Path) -> None:
    readings = list(reader.read_pages(scan))
    assert [(x.page, x.text, x.notes) for x in readings] == [
        (page, text, ()) for page, text in enumerate(TEXTS, 1)
    ]
    for reading in readings:
        timing = reading.timing
        assert timing.load_ms > 0
        assert timing.total_ms >= timing.load_ms + timing.detect_ms
    some = reader.read_pages(scan.read_bytes(), pages=[3, 1], charset="ABCDEFGH")
    assert [x.text for x in some] == ["BADGE", "HEAD"]
    assert [x.text for x in reader.read_pages(scan, 2)] == ["CAFE"]
    assert [x.page for x in reader.read_pages(np.zeros((64, 64), np.uint8))] == [1]


def test_a_reading_of_the_first_page_tells_of_the_others(reader: Reader, scan: Path) -> None:
    reading = reader.read(scan)
    assert (reading.text, reading.page) == ("HEAD", 1)
    assert [note.code for note in reading.notes] == ["pages_left_out"]
    [batched] = reader.read_batch([scan])
    assert batched.notes == reading.notes
    assert reading.filter(0.5).notes == reading.notes


def test_a_line_of_the_first_page_tells_of_the_others_in_the_log(
    reader: Reader, scan: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reader.read_line(scan)
    assert "Page 1 of 3 was read" in caplog.text


def test_the_limit_of_pixels(reader: Reader, scan: Path) -> None:
    few = 128 * 128 - 1
    with pytest.raises(ImageError, match="the limit is 16,383"):
        reader.read(scan, max_pixels=few)
    with pytest.raises(ImageError, match="the limit is 16,383"):
        reader.read_line(scan, max_pixels=few)
    with pytest.raises(ImageError, match="the limit is 16,383"):
        next(reader.read_pages(scan, max_pixels=few))
    with pytest.raises(OptionError, match="max_pixels is 0"):
        reader.read(scan, max_pixels=0)
    assert next(reader.read_pages(scan, max_pixels=few + 1)).text == "HEAD"
