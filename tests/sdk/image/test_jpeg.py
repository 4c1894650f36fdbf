"""JPEG files: decoded into their array where they are large, with the same pixels and errors."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from sdk.errors import ImageError
from sdk.image import jpeg
from sdk.image.load import load_image
from tests.sdk.image.memory import bytes_a_pixel
from tests.sdk.image.pictures import RED, assert_is_picture, corners_picture, encoded


@pytest.fixture(params=[0, 2**23], ids=["large", "small"])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """From how many bytes files are decoded into their array: all of them, or as it is set."""
    monkeypatch.setattr(jpeg, "_LARGE", request.param)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(
    "options",
    [
        {"quality": 90},
        {"quality": 60, "progressive": True},
        {"quality": 75, "subsampling": 0},
        {"quality": 75, "subsampling": 1, "restart_marker_rows": 2},
        {"quality": 75, "keep_rgb": True},
    ],
)
def test_jpeg_files_have_the_pixels_that_pillow_decodes(
    options: dict[str, Any], tmp_path: Path
) -> None:
    colors = np.random.default_rng(5).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(colors).resize((203, 307)), "JPEG", **options)
    (tmp_path / "photo.jpg").write_bytes(data)
    for source in (data, tmp_path / "photo.jpg"):
        loaded = load_image(source)
        assert_is_picture(loaded, 307, 203)
        np.testing.assert_array_equal(loaded, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.usefixtures("large")
def test_black_jpeg_file(tmp_path: Path) -> None:
    Image.new("RGB", (30, 20)).save(tmp_path / "black.jpg")
    np.testing.assert_array_equal(load_image(tmp_path / "black.jpg"), np.zeros((20, 30, 3)))


@pytest.mark.skipif(
    tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 10),
    reason="older than OpenCV's decoding into arrays",
)
def test_large_jpeg_file_is_decoded_into_its_array(tmp_path: Path) -> None:
    for name, size in (("large.jpg", (4000, 3000)), ("small.jpg", (40, 30))):
        Image.new("RGB", size, RED).save(tmp_path / name)
    assert bytes_a_pixel(tmp_path / "large.jpg", tmp_path / "small.jpg") < 1.5 * 3


@pytest.mark.parametrize("progressive", [False, True])
def test_damage_is_found_in_a_file_as_in_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progressive: bool
) -> None:
    monkeypatch.setattr(jpeg, "_LARGE", 0)
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    sound = encoded(coarse.resize((160, 120)), "JPEG", quality=75, progressive=progressive)
    path, outcomes = tmp_path / "damaged.jpg", []
    for _ in range(400):
        data = bytearray(sound)
        for place in rng.integers(2, len(data) - 2, 2):
            data[place] = rng.choice([255, rng.integers(256)])
        path.write_bytes(data)
        found = [_pixels_or_none(source) for source in (bytes(data), path)]
        assert (found[0] is None) == (found[1] is None)
        if found[0] is not None:
            np.testing.assert_array_equal(*found)
        outcomes.append(found[0] is None)
    assert 0.05 < np.mean(outcomes) < 0.95


def _pixels_or_none(source: bytes | Path) -> np.ndarray | None:
    try:
        return load_image(source)
    except ImageError:
        return None


def test_first_picture_of_a_jpeg_with_several() -> None:
    data = encoded(corners_picture(), "MPO", save_all=True, append_images=[corners_picture()])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    np.testing.assert_array_equal(load_image(data), np.asarray(Image.open(io.BytesIO(data))))


def with_scans(data: bytes, count: int) -> bytes:
    """A progressive file whose last scan is repeated."""
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_files_of_many_scans_are_refused(mode: str, tmp_path: Path) -> None:
    data = encoded(Image.new(mode, (64, 64)), "JPEG", progressive=True)
    (tmp_path / "bomb.jpg").write_bytes(with_scans(data, jpeg.MAX_SCANS))
    for source in (with_scans(data, 2000), tmp_path / "bomb.jpg"):
        with pytest.raises(ImageError, match=r"more than 50 scans.*Save it as a baseline JPEG"):
            load_image(source)
    assert load_image(with_scans(data, 30)).shape == (64, 64, 3)


def test_only_scans_of_the_picture_itself_count() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    photo = Image.fromarray(noise)
    scan_like = b"\xff\xda\x00\x04" * 2000  # as in a preview among the metadata
    data = encoded(photo, "JPEG", comment=scan_like)
    jpeg.check_scans(data, "it")
    jpeg.check_scans(data + scan_like, "it")
    restarts = encoded(photo, "JPEG", restart_marker_blocks=1)
    jpeg.check_scans(restarts, "it")


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xda", b"\xff" * 10**6, b"\xff\xda\0" * 40])
def test_scans_of_damaged_files_are_counted_too(data: bytes) -> None:
    jpeg.check_scans(data, "it")
