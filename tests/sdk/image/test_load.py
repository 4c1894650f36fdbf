"""Loading: every kind of picture gives the right pixels, everything else a clear error."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from sdk.errors import ImageError, OptionError
from sdk.image.load import MAX_PIXELS, load_image
from tests.sdk.image.memory import bytes_a_pixel
from tests.sdk.image.pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    assert_is_picture,
    corners_picture,
    encoded,
)


def png(header: bytes, rows: bytes) -> bytes:
    """A PNG of a given header chunk and filtered rows, for what Pillow does not write."""
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    return data


def quarters(array: npt.NDArray[np.uint8]) -> list[tuple[int, ...]]:
    """The colors in the middle of the quarters, clockwise from top left."""
    height, width = array.shape[:2]
    points = ((1, 1), (1, 3), (3, 3), (3, 1))
    return [tuple(array[height * y // 4, width * x // 4].tolist()) for y, x in points]


# Sources ------------------------------------------------------------------------------------------


def test_every_kind_of_source_gives_the_same_pixels(tmp_path: Path) -> None:
    image = corners_picture()
    path = tmp_path / "corners.png"
    image.save(path)
    expected = np.asarray(image)
    with path.open("rb") as file:
        sources: list[Any] = [
            path,
            str(path),
            path.read_bytes(),
            bytearray(path.read_bytes()),
            memoryview(path.read_bytes()),
            io.BytesIO(path.read_bytes()),
            file,
            image,
            expected,
        ]
        for source in sources:
            loaded = load_image(source)
            assert_is_picture(loaded, 24, 40)
            np.testing.assert_array_equal(loaded, expected)


# Files --------------------------------------------------------------------------------------------


# What an EXIF reader must see for each stored orientation: the upright picture's quarters.
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_turned_upright(orientation: int, form: str) -> None:
    upright = corners_picture()
    # The inverse of what EXIF asks a viewer to do.
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, form, exif=exif, **({"quality": 100} if form == "JPEG" else {}))
    for source in (data, Image.open(io.BytesIO(data))):
        loaded = load_image(source)
        assert_is_picture(loaded, 24, 40)
        found = np.array(quarters(loaded), dtype=int)
        assert np.abs(found - np.array([RED, GREEN, BLUE, WHITE])).max() < 60, found


def test_orientation_outside_the_standard_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 9
    loaded = load_image(encoded(corners_picture(), "PNG", exif=exif))
    assert quarters(loaded) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize("exif", [b"II*\x00\xff\xff\xff\xff garbage", b"no TIFF header", b"MM"])
def test_damaged_exif_does_not_lose_the_picture(exif: bytes) -> None:
    data = encoded(corners_picture(), "PNG")
    chunk = struct.pack(">I", len(exif)) + b"eXIf" + exif
    chunk += struct.pack(">I", zlib.crc32(b"eXIf" + exif))
    # 8 bytes of signature and 25 of the header chunk come first.
    loaded = load_image(data[:33] + chunk + data[33:])
    assert quarters(loaded) == [RED, GREEN, BLUE, WHITE]


def test_unreadable_exif_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    data = encoded(corners_picture(), "PNG", exif=b"no TIFF header")
    assert_is_picture(load_image(data), 24, 40)
    assert "Cannot read the EXIF data of the given bytes" in caplog.text


def test_16_bit_gray_png_is_scaled_to_8_bits(tmp_path: Path) -> None:
    values = np.array([[0, 128, 129, 32768], [257, 514, 65406, 65535]], dtype=np.uint16)
    path = tmp_path / "deep.png"
    Image.fromarray(values).save(path)
    loaded = load_image(path)
    assert_is_picture(loaded, 2, 4)
    assert loaded[:, :, 0].tolist() == [[0, 0, 1, 128], [1, 2, 254, 255]]
    np.testing.assert_array_equal(loaded[:, :, 0], loaded[:, :, 2])


def test_16_bit_color_png() -> None:
    # Pillow cannot write one, so it is put together: one row of (0, 32768, 65535) and its reverse.
    row = b"\x00" + struct.pack(">6H", 0, 32768, 65535, 65535, 32768, 0)
    data = png(struct.pack(">2I5B", 2, 1, 16, 2, 0, 0, 0), row)
    assert load_image(data).tolist() == [[[0, 128, 255], [255, 128, 0]]]


def test_32_bit_integer_picture_in_16_bit_range_is_scaled() -> None:
    image = Image.fromarray(np.array([[0, 65535]], dtype=np.int32))
    assert image.mode == "I"
    assert load_image(image)[0, :, 0].tolist() == [0, 255]


def test_32_bit_integer_picture_out_of_range_is_refused() -> None:
    with pytest.raises(ImageError, match=r"from -1 to 70000\. Scale them to 0\.\.65535"):
        load_image(Image.fromarray(np.array([[-1, 70000]], dtype=np.int32)))


def test_float_tiff(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32)).save(path)
    assert load_image(path)[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk(form: str) -> None:
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    loaded = load_image(encoded(image, form))
    assert_is_picture(loaded, 16, 16)
    assert np.abs(loaded.astype(int) - RED).max() < 12


@pytest.mark.parametrize("mode", ["1", "L", "P", "YCbCr", "HSV", "RGB", "RGBA", "RGBa", "RGBX"])
def test_modes_keep_black_and_white(mode: str) -> None:
    image = Image.new("RGB", (4, 2), (0, 0, 0))
    image.paste(WHITE, (2, 0, 4, 2))
    source = image.convert("RGBA").convert(mode) if mode == "RGBa" else image.convert(mode)
    loaded = load_image(source)
    assert_is_picture(loaded, 2, 4)
    np.testing.assert_array_equal(loaded, np.asarray(image))


@pytest.mark.parametrize("mode", ["LA", "La", "PA", "RGBA"])
def test_transparent_becomes_white(mode: str) -> None:
    image = Image.new("LA", (3, 1))
    for x, pixel in enumerate([(0, 0), (0, 255), (0, 128)]):
        image.putpixel((x, 0), pixel)
    source = image.convert("RGBA").convert(mode) if mode == "PA" else image.convert(mode)
    assert load_image(source)[0].tolist() == [[255] * 3, [0] * 3, [127] * 3]


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "RGBA", "LA"])
def test_large_pictures_are_taken_over_whole(mode: str) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (700, 40, 3), np.uint8)
    image = Image.fromarray(pixels).convert(mode)
    if mode in ("RGBA", "LA"):
        image = Image.fromarray(pixels // 2).convert(mode)  # dark, for a white background
        image.putalpha(Image.fromarray(pixels[:, :, 0]))
        background = Image.new("RGBA", image.size, "white")
        background.alpha_composite(image.convert("RGBA"))
        # Pillow rounds the mixture in its own way
        expected = np.asarray(background.convert("RGB")).astype(int)
        assert np.abs(load_image(image).astype(int) - expected).max() <= 1
    else:
        assert np.array_equal(load_image(image), np.asarray(image.convert("RGB")))


def test_transparent_palette_color_becomes_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    loaded = load_image(encoded(image, "PNG", transparency=0))
    assert loaded[0].tolist() == [list(WHITE), [200, 100, 50]]


def test_transparent_color_of_rgb_png_becomes_white() -> None:
    image = Image.new("RGB", (2, 1), (1, 2, 3))
    image.putpixel((1, 0), (3, 2, 1))
    loaded = load_image(encoded(image, "PNG", transparency=(1, 2, 3)))
    assert loaded[0].tolist() == [list(WHITE), [3, 2, 1]]


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_animation_gives_its_first_frame(form: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, BLUE)]
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(data)).n_frames == 2  # type: ignore[attr-defined]
    assert load_image(data)[0, 0].tolist() == list(RED)


def test_the_users_pil_image_is_left_alone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.open(io.BytesIO(encoded(corners_picture(), "PNG", exif=exif)))
    load_image(image)
    assert (image.size, image.mode, image.getexif()[0x0112]) == ((40, 24), "RGB", 6)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("width", [MAX_PIXELS // 20_000, MAX_PIXELS // 10_000])
def test_pictures_up_to_the_limit_are_decoded(width: int) -> None:
    # Pillow alone would warn of the smaller and refuse the larger; here the decoder is reached,
    # and finds that most rows are missing.
    before = Image.MAX_IMAGE_PIXELS
    with pytest.raises(ImageError, match="damaged or truncated"):
        load_image(bomb(width, 10_000))
    assert before == Image.MAX_IMAGE_PIXELS


# Arrays -------------------------------------------------------------------------------------------


def test_gray_arrays_become_three_equal_channels() -> None:
    gray = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = np.stack([gray] * 3, axis=2)
    for array in (gray, gray[:, :, None]):
        loaded = load_image(array)
        assert_is_picture(loaded, 2, 3)
        np.testing.assert_array_equal(loaded, expected)


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("bool", [False, True], [0, 255]),
        ("uint8", [0, 200], [0, 200]),
        ("uint16", [128, 129, 65535], [0, 1, 255]),
        (">u2", [257, 65535], [1, 255]),
        ("float16", [0, 0.5, 1], [0, 128, 255]),
        ("float32", [0, 1 / 255, 1.0005], [0, 1, 255]),
        ("float64", [-0.0005, 0.2, 1], [0, 51, 255]),
    ],
)
def test_dtypes_are_scaled(dtype: str, values: list[float], expected: list[int]) -> None:
    loaded = load_image(np.array([values], dtype=dtype))
    assert loaded[0, :, 1].tolist() == expected


def test_every_8_bit_value_survives_a_trip_through_floats_and_16_bits() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    for array in (levels / 255, (levels / 255).astype(np.float32), levels.astype(np.uint16) * 257):
        np.testing.assert_array_equal(load_image(array)[:, :, 0], levels)


def test_bgr_is_swapped_and_alpha_is_not() -> None:
    bgr = np.array([[[1, 2, 3]]], dtype=np.uint8)
    assert load_image(bgr, channels="bgr").tolist() == [[[3, 2, 1]]]
    bgra = np.array([[[1, 2, 3, 255]]], dtype=np.uint8)
    assert load_image(bgra, channels="bgr").tolist() == [[[3, 2, 1]]]
    assert load_image(bgra).tolist() == [[[1, 2, 3]]]


def test_alpha_of_arrays_is_laid_on_white() -> None:
    rgba = np.array([[[0, 0, 0, 0], [10, 20, 30, 255], [0, 0, 0, 51]]], dtype=np.uint8)
    expected = [[[255, 255, 255], [10, 20, 30], [204, 204, 204]]]
    assert load_image(rgba).tolist() == expected
    assert load_image(rgba / 255).tolist() == expected


def test_every_alpha_is_rounded_to_nearest() -> None:
    value, alpha = np.meshgrid(np.arange(256), np.arange(256))
    rgba = np.stack([value, value, value, alpha], axis=2).astype(np.uint8)
    exact = (value * alpha + 255 * (255 - alpha)) / 255
    assert np.abs(load_image(rgba)[:, :, 0] - exact).max() <= 0.5


@pytest.mark.parametrize("view", ["flipped", "strided", "fortran", "read-only"])
def test_any_memory_layout(view: str) -> None:
    base = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    array = {
        "flipped": base[::-1, ::-1],
        "strided": base[::2, ::3],
        "fortran": np.asfortranarray(base),
        "read-only": np.frombuffer(base.tobytes(), np.uint8).reshape(base.shape),
    }[view]
    loaded = load_image(array)
    assert loaded.flags.c_contiguous
    np.testing.assert_array_equal(loaded, array)


def test_one_pixel_is_a_picture() -> None:
    assert load_image(np.zeros((1, 1), np.uint8)).shape == (1, 1, 3)


def test_loading_from_many_threads(tmp_path: Path) -> None:
    path = tmp_path / "corners.png"
    corners_picture().save(path)
    before = Image.MAX_IMAGE_PIXELS
    failures: list[Any] = []

    def load() -> None:
        found = [quarters(load_image(path)) for _ in range(20)]
        failures.extend(colors for colors in found if colors != [RED, GREEN, BLUE, WHITE])

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert before == Image.MAX_IMAGE_PIXELS


# Failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 0), np.uint8), r"0 x 0 pixels\. Pass at least one pixel"),
        (np.zeros((0, 5, 3), np.uint8), "5 x 0 pixels"),
        (np.zeros((5, 0, 3), np.float32), "0 x 5 pixels"),
        (np.zeros(5, np.uint8), r"shape \(5,\) and dtype uint8 as an image\. Pass \(H, W\)"),
        (np.zeros((4, 5, 2), np.uint8), r"shape \(4, 5, 2\)"),
        (np.zeros((3, 40, 50), np.uint8), r"channels last: array\.transpose\(1, 2, 0\)"),
        (np.zeros((2, 40, 50, 3), np.uint8), r"batch one by one, or to read_batch"),
        (np.array(3), r"shape \(\)"),
        (np.zeros((4, 5), np.int64), r"dtype int64 .* array\.astype\(np\.uint8\)"),
        (np.zeros((4, 5), np.uint32), "dtype uint32"),
        (np.zeros((4, 5), np.complex64), "dtype complex64"),
        (np.array([["a", "b"]]), "dtype <U1"),
        (np.array([[None, 1]], dtype=object), "dtype object"),
        (np.full((2, 2), np.nan), "4 of its 4 values are NaN or infinite"),
        (np.array([[0.0, np.inf]]), "1 of its 2 values are NaN or infinite"),
        (np.array([[0.0, -np.inf]], np.float16), "1 of its 2 values"),
        (np.array([[0.0, 255.0]]), r"go from 0 to 255, floats must be in 0\.\.1\. Divide by 255"),
        (np.array([[-1.0, 1.0]]), r"go from -1 to 1, .* Scale them to that range"),
    ],
)
def test_arrays_that_are_no_picture(array: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load_image(array)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, r"NoneType \(cv2\.imread returns None"),
        ([[1, 2], [3, 4]], "from list"),
        (3.5, "from float"),
        ("https://example.org/a.jpg", "URLs are not supported"),
        ("no\0file", "null"),
        (io.StringIO("text"), r'gives str, not bytes\. Open it in binary mode: open\(path, "rb"\)'),
        (b"", r"empty \(0 bytes\)"),
        (io.BytesIO(b""), r"empty \(0 bytes\)"),
    ],
)
def test_sources_that_are_no_picture(source: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        load_image(source)


def test_channels_have_two_legal_values() -> None:
    with pytest.raises(OptionError, match=r"channels is 'rbg'\. Give \"rgb\""):
        load_image(np.zeros((2, 2), np.uint8), channels="rbg")


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "no.jpg"
    with pytest.raises(ImageError, match=r"no\.jpg: there is no such file .* Check the path"):
        load_image(path)


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="it is a folder"):
        load_image(tmp_path)


def test_closed_file(tmp_path: Path) -> None:
    file = io.BytesIO(b"x")
    file.close()
    with pytest.raises(ImageError, match="closed file"):
        load_image(file)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    corners_picture().save(path)
    path.chmod(0)
    with pytest.raises(ImageError, match="Permission denied"):
        load_image(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"Dear all,\nplease find\n", r"found text beginning with 'Dear all, please find'"),
        ("Grüße, ".encode() * 300, "found text beginning with 'Grüße"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "found text beginning with .<svg"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "found PostScript"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF or video"),
        (bytes(range(128, 160)), r"no known picture format \(it begins with 80 81 82"),
    ],
)
def test_files_that_are_no_picture(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        load_image(path)
    assert "photo.jpg" in str(caught.value)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_truncated_files(tmp_path: Path, form: str, part: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), form)
    path = tmp_path / "cut"
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(ImageError, match=r"cut: (the file is damaged or truncated|found no known)"):
        load_image(path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_flipped_bytes_never_escape_as_another_error() -> None:
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    for form in ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "TGA"):
        data = np.frombuffer(encoded(Image.fromarray(noise), form), np.uint8)
        for _ in range(40):
            hit = data.copy()
            hit[rng.integers(0, min(len(hit), 200), 3)] = rng.integers(0, 256, 3)
            try:
                assert load_image(hit.tobytes()).dtype == np.uint8
            except ImageError as error:
                assert str(error).startswith("Cannot ")


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""
    return png(struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0), b"\0" * 100)


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("width", [MAX_PIXELS // 10_000 + 1, 100_000])
def test_decompression_bombs(width: int) -> None:
    with pytest.raises(ImageError, match=r"the limit is 50,331,648\. Scale the picture down"):
        load_image(bomb(width, 10_000))


def test_the_limit_can_be_moved() -> None:
    data = encoded(corners_picture(), "PNG")
    assert load_image(data, max_pixels=40 * 24).shape == (24, 40, 3)
    for source in (data, Image.open(io.BytesIO(data))):
        with pytest.raises(ImageError, match=r"40 x 24 is 960 pixels, the limit is 959\."):
            load_image(source, max_pixels=40 * 24 - 1)
    with pytest.raises(ImageError, match="damaged or truncated"):  # the decoder is reached
        load_image(bomb(10_000, 10_000), max_pixels=10**8)
    hungry = (corners_picture(), "WEBP", {}), (corners_picture(), "JPEG2000", {})
    hungry += ((corners_picture().convert("CMYK"), "JPEG", {"progressive": True}),)
    for image, form, options in hungry:
        load_image(encoded(image, form, **options), max_pixels=2 * 40 * 24)
        with pytest.raises(ImageError, match="the limit is 959"):
            load_image(encoded(image, form, **options), max_pixels=2 * 40 * 24 - 1)
    # arrays take no more memory than they have taken already
    assert load_image(np.zeros((4, 4), np.uint8), max_pixels=1).shape == (4, 4, 3)


def test_a_raised_limit_holds_for_tiff_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow's, which it checks while decoding
    for compression in (None, "tiff_lzw"):
        data = encoded(corners_picture(), "TIFF", compression=compression)
        assert load_image(data).shape == (24, 40, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("limit", [0, -1, 1.5, None, True])
def test_the_limit_is_a_number_of_pixels(limit: Any) -> None:
    with pytest.raises(OptionError, match=r"max_pixels is .* whole number of at least 1"):
        load_image(np.zeros((2, 2), np.uint8), max_pixels=limit)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_deep_gray_pictures_take_no_copies_of_their_size(tmp_path: Path, mode: str) -> None:
    dtype = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
    for name, side in (("large.tif", 3000), ("small.tif", 9)):
        deep = Image.fromarray(np.zeros((side, side), dtype))
        deep.save(tmp_path / name, compression="tiff_deflate")
    # Pillow's own 2 or 4 bytes a pixel, our 3, and bands
    assert bytes_a_pixel(tmp_path / "large.tif", tmp_path / "small.tif") < 9


def test_postscript_starts_no_program(tmp_path: Path) -> None:
    corners_picture().save(tmp_path / "photo.eps")
    (tmp_path / "photo.eps").rename(tmp_path / "photo.jpg")
    for name in ("gs", "gswin64c", "gswin32c"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
        program.chmod(0o700)
    code = (
        "import sys\nfrom sdk import ImageError, load_image\n"
        "try:\n    load_image(sys.argv[1])\nexcept ImageError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "photo.jpg")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert "found PostScript" in done.stdout
    assert not (tmp_path / "called").exists()
