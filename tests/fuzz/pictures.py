"""Damaged picture files: pictures still, or an `SdkError`, in bounded time and memory."""

from __future__ import annotations

import faulthandler
import logging
import time
import warnings
from typing import Any

import numpy as np
from PIL import Image

from sdk.errors import SdkError
from sdk.image.load import open_document
from sdk.machine import peak_rss_mib
from tests.fuzz.mutations import mutate
from tests.sdk.image.pictures import encoded
from tests.sdk.image.test_pages import pdf

MAX_PIXELS = 2**20
# What a file of so many pixels may take of the processor, in seconds, and all of them of memory.
MOST_S = 20.0
MOST_MIB = 400.0
HANG_S = 300.0
# Bytes at the beginning of a file, where most numbers stand.
_HEAD = 120


def run(count: int, seed: int) -> str:
    files = list(sound_files().items())
    loaded, slowest_s, before = 0, 0.0, peak_rss_mib() or 0.0
    logger = logging.getLogger("sdk")
    level = logger.level
    logger.setLevel(logging.CRITICAL)  # damaged metadata is no finding
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, of damage
            for number in range(count):
                # of native code too, which no exception ends
                faulthandler.dump_traceback_later(HANG_S, exit=True)
                kind, data = files[number % len(files)]
                data = mutant(data, np.random.default_rng((seed, number)))
                started = time.process_time()
                try:
                    loaded += load(data)
                except Exception as error:
                    name = f"mutant {number} of seed {seed}, {kind}"
                    raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error
                slowest_s = max(slowest_s, time.process_time() - started)
    finally:
        faulthandler.cancel_dump_traceback_later()
        logger.setLevel(level)
    grown_mib = (peak_rss_mib() or 0.0) - before
    report = (
        f"{loaded} pictures, {count - loaded} refused; one took {slowest_s:.2f} s at most, all of "
        f"them {grown_mib:.0f} MiB"
    )
    assert slowest_s < MOST_S and grown_mib < MOST_MIB, report
    return report


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """Return a damaged file; of every other one the beginning only is damaged."""
    if rng.random() < 0.5:
        return mutate(data, rng)
    return mutate(data[:_HEAD], rng) + data[_HEAD:]


def load(data: bytes) -> bool:
    """Load the first pages of a file; tell whether it is a picture or was refused."""
    try:
        with open_document(data, max_pixels=MAX_PIXELS) as document:
            for page in list(document.select("all"))[:5]:
                pixels = document.load(page).pixels
                assert pixels.dtype == np.uint8
                assert pixels.ndim == 3 and pixels.shape[2] == 3
                assert 0 < pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
    except SdkError as error:
        assert str(error).startswith("Cannot "), error
        return False
    return True


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
