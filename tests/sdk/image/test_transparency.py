"""Transparent pictures: they get the background on which they are seen."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from sdk.image.load import load_picture
from tests.sdk.image.pictures import encoded

Color = tuple[int, int, int]


def lettering(*colors: Color, size: tuple[int, int] = (200, 600)) -> Image.Image:
    """Words in these colors, one below the other, on a transparent background."""
    image = Image.new("RGBA", size)
    painter = ImageDraw.Draw(image)
    for at, color in enumerate(colors):
        painter.text((10, 20 + 60 * at), "LOT 7731", (*color, 255), ImageFont.load_default(36))
    return image


def background_of(image: Image.Image) -> list[int]:
    return load_picture(image).pixels[-1, -1].tolist()


@pytest.mark.parametrize(
    ("color", "background"),
    [
        ((255, 255, 255), 0),
        ((255, 240, 0), 0),
        ((190, 190, 190), 0),
        ((0, 0, 0), 255),
        ((0, 0, 200), 255),
        ((200, 0, 0), 255),
        ((110, 110, 110), 255),
    ],
)
def test_the_background_is_the_one_with_more_contrast(color: Color, background: int) -> None:
    picture = load_picture(lettering(color))
    assert picture.pixels[-1, -1].tolist() == [background] * 3
    assert picture.notes == ()
    array = load_picture(np.asarray(lettering(color)))
    np.testing.assert_array_equal(array.pixels, picture.pixels)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_files_are_laid_on_black_too(form: str) -> None:
    assert (
        load_picture(encoded(lettering((255, 255, 255)), form)).pixels[-1, -1].tolist() == [0] * 3
    )


def test_what_counts_are_the_edges_and_not_the_area() -> None:
    image = lettering((0, 0, 0), (0, 0, 0), (0, 0, 0))
    ImageDraw.Draw(image).rectangle((20, 300, 180, 580), (255, 255, 255, 255))
    assert background_of(image) == [255] * 3  # black words beside a white panel


def test_soft_edges_count_as_much_as_they_are_seen() -> None:
    image = lettering((0, 0, 0))
    image.putalpha(image.getchannel("A").point(lambda alpha: alpha // 2))
    faint = lettering((255, 255, 255), (255, 255, 255))
    faint.putalpha(faint.getchannel("A").point(lambda alpha: alpha // 20))
    faint.alpha_composite(image, (0, 0), (0, 0))
    assert background_of(faint) == [255] * 3


def test_what_is_seen_on_no_background_is_told() -> None:
    picture = load_picture(lettering((255, 255, 255), (0, 0, 0), (0, 0, 0)))
    assert picture.pixels[-1, -1].tolist() == [255] * 3
    [note] = picture.notes
    assert note.code == "transparent"
    assert "light text on transparent parts was not read" in note.text


def test_a_wholly_transparent_picture_is_told() -> None:
    [note] = load_picture(Image.new("RGBA", (20, 10), (7, 7, 7, 0))).notes
    assert note.code == "transparent"
    assert "completely transparent" in note.text
    assert load_picture(Image.new("RGBA", (20, 10), (7, 7, 7, 255))).notes == ()
