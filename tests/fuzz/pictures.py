"""Mutated picture files: only the errors of the SDK come out, in bounded time and memory.

Each file is a small sound one of some format with a few changes: bytes and numbers replaced, parts
cut out, doubled, moved or taken from a file of another format.
"""

from __future__ import annotations

import faulthandler
import logging
import struct
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from sdk.cli.measure import peak_rss_mib
from sdk.errors import SdkError
from sdk.image.load import open_document
from tests.sdk.pictures import encoded
from tests.sdk.test_pages import pdf

# Bounds of one file: its pixels, and generously for a busy machine what they may take.
MAX_PIXELS = 2**20
MOST_S = 20.0
MOST_MIB = 400.0
HANG_S = 300.0
# Numbers that sizes, counts and offsets break at.
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)


@dataclass
class Report:
    """What became of the files.

    Attributes:
        loaded: How many were pictures still.
        refused: How many ended in an error of the SDK.
        slowest_s: The longest that one took, in seconds.
        grown_mib: By how much the peak of the process's memory grew.
        kinds: How many there were, by the format that they began as.
    """

    loaded: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    grown_mib: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)


def run(count: int, seed: int) -> Report:
    """Load mutated files.

    Args:
        count: How many.
        seed: The first file's number; the file `seed + n` is the same in every run.

    Raises:
        AssertionError: A file led to another error, or took too long or too much; the message has
            its number, with which `mutant` makes it again.
    """
    seeds = sound_files()
    report = Report()
    before = peak_rss_mib()
    logger = logging.getLogger("sdk")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # damaged metadata is no finding
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of damage
            for number in range(seed, seed + count):
                # of native code too, which no exception ends
                faulthandler.dump_traceback_later(HANG_S, exit=True)
                _load(number, *mutant(number, seeds), report)
    finally:
        faulthandler.cancel_dump_traceback_later()
        logger.setLevel(level)
    if before is not None:
        report.grown_mib = (peak_rss_mib() or before) - before
        assert report.grown_mib < MOST_MIB, f"{report.grown_mib} MiB more after files from {seed}"
    return report


def mutant(number: int, seeds: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the kind and the bytes of a file by its number."""
    rng = np.random.default_rng(number)
    kind = str(rng.choice(list(seeds)))
    data = bytearray(seeds[kind])
    for _ in range(rng.integers(1, 4)):
        change = _CHANGES[rng.integers(len(_CHANGES))]
        change(data, rng, seeds)
        data = data or bytearray(b"\0")
    return kind, bytes(data)


def sound_files() -> dict[str, bytes]:
    """Return a file of each kind, by name."""
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 256, (5, 7, 3), np.uint8)).resize((56, 40))
    gray, exif = photo.convert("L"), Image.Exif()
    exif[0x0112] = 6
    clear = photo.copy()
    clear.putalpha(gray)
    deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)

    def file(image: Image.Image, form: str, *, pages: int = 1, **options: Any) -> bytes:
        # copies: saving leaves traces on an image
        more = [image.rotate(90 * page) for page in range(1, pages)]
        several = {"save_all": True, "append_images": more} if more else {}
        return encoded(image.copy(), form, **several, **options)

    files = {
        "jpeg": file(photo, "JPEG", exif=exif),
        "jpeg progressive": file(photo, "JPEG", progressive=True),
        "jpeg gray": file(gray, "JPEG", restart_marker_blocks=2),
        "jpeg cmyk": file(photo.convert("CMYK"), "JPEG", progressive=True),
        "mpo": file(photo, "MPO", pages=3),
        "png": file(photo, "PNG", exif=exif),
        "png alpha": file(clear, "PNG"),
        "png palette": file(photo.quantize(8), "PNG", transparency=1),
        "png deep": file(deep, "PNG"),
        "apng": file(photo, "PNG", pages=3),
        "gif": file(photo, "GIF", pages=3),
        "bmp": file(photo, "BMP"),
        "dib": file(photo, "DIB"),
        "ppm": file(photo, "PPM"),
        "pbm": file(photo.convert("1"), "PPM"),
        "tga": file(photo, "TGA", compression="tga_rle"),
        "webp": file(clear, "WEBP", pages=3),
        "tiff": file(photo, "TIFF", pages=3),
        "tiff alpha": file(clear, "TIFF", compression="tiff_deflate"),
        "tiff jpeg": file(photo, "TIFF", compression="jpeg"),
        "tiff fax": file(photo.convert("1"), "TIFF", compression="group4"),
        "tiff float": file(gray.convert("F").point(lambda x: x / 255), "TIFF"),
        "bigtiff": file(photo, "TIFF", big_tiff=True, compression="tiff_lzw", pages=3),
        "pdf": pdf((60, 40), (40, 60), content="BT /F 12 Tf 5 20 Td (LOT 7) Tj ET"),
    }
    for form in ("JPEG2000", "AVIF"):  # optional in Pillow
        if form in Image.SAVE:
            files[form.lower()] = file(photo, form)
    return files


def _load(number: int, kind: str, data: bytes, report: Report) -> None:
    started = time.process_time()
    try:
        with open_document(data, max_pixels=MAX_PIXELS) as document:
            for page in list(document.select("all"))[:5]:
                pixels = document.load(page).pixels
                assert pixels.dtype == np.uint8
                assert pixels.ndim == 3 and pixels.shape[2] == 3
                assert 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
        report.loaded += 1
    except SdkError as error:
        assert str(error).startswith("Cannot "), f"file {number}, {kind}: {error}"
        report.refused += 1
    except Exception as error:
        raise AssertionError(f"file {number}, {kind}: {type(error).__name__}: {error}") from error
    taken = time.process_time() - started
    assert taken < MOST_S, f"file {number}, {kind}: {taken:.1f} s of processor"
    report.slowest_s = max(report.slowest_s, taken)
    report.kinds[kind] = report.kinds.get(kind, 0) + 1


Change = Callable[[bytearray, np.random.Generator, dict[str, bytes]], None]


def _place(data: bytearray, rng: np.random.Generator) -> int:
    """Return a place in a file, mostly in its first part, where headers are."""
    end = len(data) if rng.random() < 0.4 else min(len(data), 120)
    return int(rng.integers(max(end, 1)))


def _replace_bytes(data: bytearray, rng: np.random.Generator, _: dict[str, bytes]) -> None:
    for _ in range(rng.integers(1, 9)):
        if data:
            data[_place(data, rng)] = int(rng.integers(256))


def _flip_bit(data: bytearray, rng: np.random.Generator, _: dict[str, bytes]) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << int(rng.integers(8))


def _replace_number(data: bytearray, rng: np.random.Generator, _: dict[str, bytes]) -> None:
    code = str(rng.choice(["<H", ">H", "<I", ">I"]))
    size = struct.calcsize(code)
    at = _place(data, rng)
    number = int(rng.choice(_NUMBERS)) + int(rng.integers(-2, 3))
    data[at : at + size] = struct.pack(code, number % 256**size)


def _cut(data: bytearray, rng: np.random.Generator, _: dict[str, bytes]) -> None:
    at = _place(data, rng)
    if rng.random() < 0.5:
        del data[at:]
    else:
        del data[at : at + int(rng.integers(1, 40))]


def _double(data: bytearray, rng: np.random.Generator, _: dict[str, bytes]) -> None:
    at, size = _place(data, rng), int(rng.integers(1, 200))
    data[at:at] = data[at : at + size] * int(rng.choice([1, 2, 50]))


def _move(data: bytearray, rng: np.random.Generator, _: dict[str, bytes]) -> None:
    at, size = _place(data, rng), int(rng.integers(1, 60))
    part = data[at : at + size]
    del data[at : at + size]
    to = _place(data, rng)
    data[to:to] = part


def _splice(data: bytearray, rng: np.random.Generator, seeds: dict[str, bytes]) -> None:
    other = seeds[str(rng.choice(list(seeds)))]
    at = int(rng.integers(len(other)))
    data[_place(data, rng) :] = other[at:]


_CHANGES: tuple[Change, ...] = (
    _replace_bytes,
    _flip_bit,
    _replace_number,
    _replace_number,
    _cut,
    _double,
    _move,
    _splice,
)
