"""Files with several pages or frames: each page can be loaded, what is left out is told."""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdk.errors import ImageError, OptionError
from sdk.image import tiff
from sdk.image.load import load_image, load_picture, open_document
from tests.sdk.image.pictures import BLUE, GREEN, RED, encoded

COLORS = (RED, GREEN, BLUE)


def pages(form: str = "TIFF", **options: Any) -> bytes:
    first, *more = [Image.new("RGB", (8 + at, 6), color) for at, color in enumerate(COLORS)]
    return encoded(first, form, save_all=True, append_images=more, **options)


def test_each_page_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "scan.tif").write_bytes(pages(compression="tiff_lzw"))
    for source in (pages(), pages(big_tiff=True), tmp_path / "scan.tif"):
        with open_document(source) as document:
            assert document.pages == 3
            for page in (1, 3, 2, 2):  # in any order
                picture = document.load(page)
                assert (picture.page, picture.notes) == (page, ())
                assert picture.pixels.shape == (6, 7 + page, 3)
                assert tuple(picture.pixels[0, 0]) == COLORS[page - 1]
        assert tuple(load_image(source, page=2)[0, 0]) == GREEN


def test_pages_that_are_left_out_are_told(caplog: pytest.LogCaptureFixture) -> None:
    picture = load_picture(pages())
    assert tuple(picture.pixels[0, 0]) == RED
    assert [note.code for note in picture.notes] == ["pages_left_out"]
    assert "Page 1 of 3 was read" in picture.notes[0].text
    assert not caplog.text
    load_image(pages())
    assert "the given bytes: Page 1 of 3 was read" in caplog.text
    caplog.clear()
    load_image(pages(), page=1)
    load_image(encoded(Image.new("RGB", (8, 6)), "TIFF"))
    assert not caplog.text


@pytest.mark.parametrize("page", [0, -1, 1.0, True, "2", None])
def test_pages_are_counted_from_one(page: Any) -> None:
    with open_document(pages()) as document, pytest.raises(OptionError, match=r"counted from 1"):
        document.load(page)


def test_a_page_that_is_not_there() -> None:
    with pytest.raises(ImageError, match="page 4 of the given bytes: it has 3 pages"):
        load_image(pages(), page=4)
    with pytest.raises(ImageError, match="it has 1 page"):
        load_image(np.zeros((2, 2), np.uint8), page=2)


def test_pages_are_chosen() -> None:
    with open_document(pages()) as document:
        assert list(document.select("all")) == [1, 2, 3]
        assert list(document.select(2)) == [2]
        assert list(document.select(range(2, 4))) == [2, 3]
        assert list(document.select((3, 1))) == [3, 1]
        wrong: Any
        for wrong in ("1-2", None, 1.5):
            with pytest.raises(OptionError, match=r'pages is .*Give "all"'):
                document.select(wrong)


def test_a_damaged_page_loses_no_other() -> None:
    data = bytearray(pages(compression="tiff_lzw"))
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        [offset] = image.tag_v2[273]  # type: ignore[attr-defined]
    data[offset : offset + 12] = b"\xff" * 12
    with open_document(bytes(data)) as document:
        with pytest.raises(ImageError, match="page 2 of the given bytes: the file is damaged"):
            document.load(2)
        assert [tuple(document.load(page).pixels[0, 0]) for page in (1, 3)] == [RED, BLUE]


def directories(*tags: list[tuple[int, int, int, int]], last: int = 0) -> bytes:
    """A TIFF file of directories of (tag, type, count, value), the last of which points on."""
    data = struct.pack("<2sHI", b"II", 42, 8)
    for at, entries in enumerate(tags):
        size = 2 + 12 * len(entries) + 4
        following = last if at == len(tags) - 1 else len(data) + size
        data += struct.pack("<H", len(entries))
        data += b"".join(struct.pack("<HHII", *entry) for entry in entries)
        data += struct.pack("<I", following)
    return data


def found(data: bytes) -> tuple[list[int], bool]:
    return tiff.find_pages(io.BytesIO(data), "it")


def test_smaller_copies_and_masks_are_no_pages() -> None:
    page, copy, mask = ([(254, 4, 1, kind)] for kind in (2, 1, 4))
    assert found(directories(page, copy, page, mask, [(254, 3, 1, 1)], [])) == ([0, 2, 5], True)
    assert found(directories(copy)) == ([0], True)


def test_directories_without_end_end() -> None:
    assert found(directories([], [], last=8)) == ([0, 1], True)
    assert found(directories([], [], last=9_999)) == ([0, 1], False)
    data = bytearray(8)
    data[:8] = struct.pack("<2sHI", b"II", 42, 8)
    for at in range(tiff.MAX_PAGES + 5):
        data += struct.pack("<HI", 0, 8 + 6 * (at + 1))
    numbers, complete = found(bytes(data))
    assert (len(numbers), complete) == (tiff.MAX_PAGES, False)


def test_tags_that_overlap_take_no_memory() -> None:
    # 1000 tags of the file's own size each
    entries = [(tag, 1, 12_000, 8) for tag in range(1000, 2000)]
    with pytest.raises(ImageError, match="tags overlap"):
        found(directories(entries))
    assert found(directories([], entries, [])) == ([0], False)


def test_damage_behind_a_page_is_told() -> None:
    data = pages()
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        second = image._frame_pos[1]  # type: ignore[attr-defined]
    cut = data[: second + 4]
    picture = load_picture(cut)
    assert tuple(picture.pixels[0, 0]) == RED
    assert [note.code for note in picture.notes] == ["pages_left_out"]
    assert "damaged" in picture.notes[0].text


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_frames_that_are_left_out_are_told(form: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in COLORS]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    with open_document(data) as document:
        assert document.pages == 1
        [note] = document.load(1).notes
    assert note.code == "frames_left_out"
    assert load_picture(encoded(frames[0], form)).notes == ()


def test_previews_in_a_photo_are_not_worth_a_note() -> None:
    photo, preview = (Image.new("RGB", (8, 8), color) for color in (RED, BLUE))
    data = encoded(photo, "MPO", save_all=True, append_images=[preview])
    assert load_picture(data).notes == ()


def test_a_loaded_picture_is_a_source() -> None:
    with open_document(pages()) as document:
        picture = document.load(2)
    assert load_picture(picture) is picture
    assert load_image(picture) is picture.pixels


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as on Linux")
def test_too_little_memory_is_told() -> None:
    program = """
import io, resource
from pathlib import Path
from PIL import Image
from sdk import ImageError, load_image
file = io.BytesIO()
Image.new("1", (9000, 5000)).save(file, "PNG")
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 2**26, held + 2**26))
try:
    load_image(file.getvalue())
except ImageError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "the given bytes: there is not enough memory. Scale the picture down" in done.stdout


# PDF ----------------------------------------------------------------------------------------------


def pdf(*sizes: tuple[float, float], content: str = "") -> bytes:
    """A PDF file with a page of each size, in points, that all have the same content."""
    numbers = itertools.count(1)
    catalog, tree, stream, font = (next(numbers) for _ in range(4))
    pages = [next(numbers) for _ in sizes]
    kids = " ".join(f"{page} 0 R" for page in pages)
    objects = {
        catalog: f"<< /Type /Catalog /Pages {tree} 0 R >>",
        tree: f"<< /Type /Pages /Kids [{kids}] /Count {len(sizes)} >>",
        stream: f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        font: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for page, (width, height) in zip(pages, sizes, strict=True):
        objects[page] = (
            f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 {width} {height}] "
            f"/Contents {stream} 0 R /Resources << /Font << /F {font} 0 R >> >> >>"
        )
    data, places = b"%PDF-1.4\n", []
    for number, text in objects.items():
        places.append(len(data))
        data += f"{number} 0 obj\n{text}\nendobj\n".encode()
    table = f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n"
    table += "".join(f"{place:010} 00000 n \n" for place in places)
    table += f"trailer << /Size {len(places) + 1} /Root {catalog} 0 R >>\n"
    return data + f"{table}startxref\n{len(data)}\n%%EOF".encode()


def test_pages_of_a_pdf_are_drawn_at_300_dots_an_inch() -> None:
    red = "1 0 0 rg 0 0 36 72 re f"
    with open_document(pdf((72, 72), (144, 72), content=red)) as document:
        assert document.pages == 2
        first, second = document.load(1).pixels, document.load(2).pixels
    assert first.shape == (300, 300, 3)
    assert second.shape == (300, 600, 3)
    assert first.flags.c_contiguous
    assert first[150, 75].tolist() == list(RED)
    assert first[150, 225].tolist() == [255, 255, 255]


def test_large_pages_of_a_pdf_are_drawn_as_finely_as_allowed() -> None:
    for size in ((7200.0, 7200.0), (14_400.0, 3.0), (3.0, 14_400.0)):
        pixels = load_image(pdf(size), max_pixels=90_000)
        assert 1000 < pixels.shape[0] * pixels.shape[1] <= 90_000


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7\n...", "Cannot decode the given bytes: Failed to load document"),
        (pdf((72, 72))[:300], "Cannot decode the given bytes"),
    ],
)
def test_damaged_pdf(data: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load_image(data)


def test_pdf_without_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(
        ImageError, match=r"need pypdfium2\. Install it: pip install 'fots-lite\[pdf\]'"
    ):
        load_image(pdf((72, 72)))
