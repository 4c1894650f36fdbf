"""Reading a part of a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sdk import Reader
from sdk.errors import OptionError
from sdk.region import Region
from tests import tiny

PHOTO = tiny.draw_photo([("ABCD", 8, 8), ("HAG", 13, 78)], (128, 128))


@pytest.fixture(scope="module")
def reader(tiny_bundle: Path) -> Reader:
    return Reader(tiny_bundle, variant="fp32", threads=1)


def test_only_the_region_is_read_and_places_are_those_of_the_picture(reader: Reader) -> None:
    whole = reader.read(PHOTO)
    lower = reader.read(PHOTO, region=(0.0, 0.5, 1.0, 0.5))
    assert whole.texts == ["ABCD", "HAG"]
    assert lower.texts == ["HAG"]
    assert (lower.width, lower.height) == (128, 128)
    assert np.allclose(lower[0].quad, whole[1].quad, atol=2)
    for ours, theirs in zip(lower[0].chars, whole[1].chars, strict=True):
        assert ours.quad is not None
        assert theirs.quad is not None
        assert np.allclose(ours.quad, theirs.quad, atol=3)


def test_without_a_region_all_is_read(reader: Reader) -> None:
    assert reader.read(PHOTO, region=None, max_lines=1).texts == ["ABCD"]


def test_the_smallest_region_is_a_pixel(reader: Reader) -> None:
    assert reader.read(PHOTO, region=(0.999, 0.999, 0.001, 0.001)).texts == []


@pytest.mark.parametrize(
    "region",
    [
        (0, 0, 0, 1),
        (0.5, 0, 0.6, 1),
        (-0.1, 0, 1, 1),
        (0, 0, 1),
        "abcd",
        None,
        (0, 0, 1, float("nan")),
    ],
)
def test_regions_that_are_none(region: object) -> None:
    with pytest.raises(OptionError, match="region is"):
        Region.of(region)  # type: ignore[arg-type]


def test_whole_picture_is_a_region() -> None:
    assert Region.of([0, 0, 1, 1]) == (0, 0, 1, 1)
    assert Region.of((0.1, 0.2, 0.9, 0.8)) == (0.1, 0.2, 0.9, 0.8)
