"""JPEG files: decoded into their array where they are large, with the same pixels and errors."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sdk.errors import ImageError
from sdk.image import jpeg
from sdk.image.load import load_image

from .pictures import RED, assert_is_picture, corners_picture, encoded


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


def test_large_jpeg_file_is_decoded_into_its_array(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (4000, 3000), RED).save(path)
    program = """
import resource, sys
import cv2
from sdk.image.load import load_image
if tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 10):
    sys.exit("older than OpenCV's decoding into arrays")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
pixels = load_image(sys.argv[1])
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(1024 * grown / pixels.nbytes)
"""
    result = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    if "older" in result.stderr:
        pytest.skip(result.stderr)
    assert float(result.stdout) < 1.5, result.stderr


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
