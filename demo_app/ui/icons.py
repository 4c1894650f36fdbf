"""Icons and verdict shapes, drawn as strokes on a grid of 24 units.

Pillow draws the icons four times too large and reduces them, so that their edges are smooth on
every display. The texture is white and gets the color of the widget that shows it.
"""

from __future__ import annotations

from functools import lru_cache
from math import cos, radians, sin
from typing import Any

from kivy.graphics.texture import Texture
from PIL import Image, ImageDraw

_GRID = 24
_OVER = 4

# Kinds of strokes: ("line", points), ("loop", points), ("fill", points), ("ring", x, y, r),
# ("dot", x, y, r) and ("arc", x, y, r, start, end) in degrees clockwise from the right. The number
# before the strokes is their width.
Strokes = tuple[tuple[Any, ...], ...]
ICONS: dict[str, tuple[float, Strokes]] = {
    "ok": (3.4, (("line", (4, 12.6, 9.6, 18.2, 20, 6.6)),)),
    "ng": (3.4, (("line", (5.4, 5.4, 18.6, 18.6)), ("line", (18.6, 5.4, 5.4, 18.6)))),
    "unreadable": (
        3.2,
        (("arc", 12, 8.3, 4.8, 180, 405), ("line", (15.3, 11.8, 12, 14.6)), ("dot", 12, 20, 1.9)),
    ),
    "waiting": (3.2, (("dot", 4.5, 12, 2), ("dot", 12, 12, 2), ("dot", 19.5, 12, 2))),
    "live": (
        1.9,
        (
            ("loop", (3, 7.5, 7.5, 7.5, 9, 5, 15, 5, 16.5, 7.5, 21, 7.5, 21, 19, 3, 19)),
            ("ring", 12, 13, 3.6),
        ),
    ),
    "still": (
        1.9,
        (
            ("loop", (3, 4.5, 21, 4.5, 21, 19.5, 3, 19.5)),
            ("line", (3, 16, 8.5, 10.8, 13, 15, 16, 12.5, 21, 17)),
            ("dot", 15.6, 8.6, 1.5),
        ),
    ),
    "history": (1.9, (("ring", 12, 12, 8.8), ("line", (12, 6.8, 12, 12, 15.8, 14.4)))),
    "jobs": (
        1.9,
        (
            ("loop", (5, 4.5, 19, 4.5, 19, 21, 5, 21)),
            ("line", (9, 3.2, 15, 3.2)),
            ("line", (8.4, 13, 11, 15.6, 15.8, 10)),
        ),
    ),
    "settings": (
        1.9,
        (
            ("line", (3, 7, 12.6, 7)),
            ("line", (17.8, 7, 21, 7)),
            ("ring", 15.2, 7, 2.5),
            ("line", (3, 17, 6.2, 17)),
            ("line", (11.4, 17, 21, 17)),
            ("ring", 8.8, 17, 2.5),
        ),
    ),
    "about": (1.9, (("ring", 12, 12, 8.8), ("line", (12, 11.2, 12, 16.6)), ("dot", 12, 7.6, 1.4))),
    "start": (1.6, (("fill", (7, 4.4, 20, 12, 7, 19.6)),)),
    "pause": (3.6, (("line", (8, 6, 8, 18)), ("line", (16, 6, 16, 18)))),
    "shot": (1.9, (("ring", 12, 12, 8.8), ("dot", 12, 12, 5))),
    "teach": (
        1.9,
        (
            ("loop", (1.8, 9.2, 12, 4.4, 22.2, 9.2, 12, 14)),
            ("line", (6, 11.6, 6, 16.6, 12, 19.4, 18, 16.6, 18, 11.6)),
        ),
    ),
    "copy": (
        1.9,
        (
            ("loop", (8, 8, 20, 8, 20, 20.5, 8, 20.5)),
            ("line", (15.5, 4, 4, 4, 4, 15.5)),
        ),
    ),
    "export": (
        1.9,
        (("line", (12, 3.5, 12, 15)), ("line", (7.4, 10.4, 12, 15, 16.6, 10.4)),
         ("line", (4, 15.5, 4, 20, 20, 20, 20, 15.5))),
    ),
    "search": (2.1, (("ring", 10.4, 10.4, 6.2), ("line", (15, 15, 20.5, 20.5)))),
    "close": (2.2, (("line", (6, 6, 18, 18)), ("line", (18, 6, 6, 18)))),
    "plus": (2.2, (("line", (12, 5, 12, 19)), ("line", (5, 12, 19, 12)))),
    "minus": (2.2, (("line", (5, 12, 19, 12)),)),
    "fit": (
        2.0,
        (("line", (4, 9, 4, 4, 9, 4)), ("line", (15, 4, 20, 4, 20, 9)),
         ("line", (20, 15, 20, 20, 15, 20)), ("line", (9, 20, 4, 20, 4, 15))),
    ),
    "delete": (
        1.9,
        (("line", (4, 6.6, 20, 6.6)), ("line", (9, 6, 9.6, 3.6, 14.4, 3.6, 15, 6)),
         ("line", (6, 7, 7, 20.5, 17, 20.5, 18, 7)), ("line", (12, 10.5, 12, 17))),
    ),
    "save": (
        1.9,
        (("loop", (4, 4, 16, 4, 20, 8, 20, 20, 4, 20)),
         ("line", (8, 20, 8, 13.6, 16, 13.6, 16, 20)),
         ("line", (8, 4, 8, 8.6, 14.6, 8.6, 14.6, 4))),
    ),
    "reset": (2.0, (("arc", 12, 12.5, 7.6, 200, 500), ("line", (4.4, 4.2, 4.4, 10, 10.2, 10)))),
    "edit": (1.9, (("loop", (4, 20, 5, 15.4, 16.4, 4, 20, 7.6, 8.6, 19)),)),
    "folder": (
        1.9, (("loop", (3, 5, 9.4, 5, 11.6, 7.6, 21, 7.6, 21, 19.5, 3, 19.5)),),
    ),
    "file": (1.9, (("loop", (5.5, 3.5, 14, 3.5, 18.5, 8, 18.5, 20.5, 5.5, 20.5)),)),
    "up": (2.2, (("line", (5.5, 14.8, 12, 8.4, 18.5, 14.8)),)),
    "down": (2.2, (("line", (5.5, 9.2, 12, 15.6, 18.5, 9.2)),)),
    "left": (2.2, (("line", (14.8, 5.5, 8.4, 12, 14.8, 18.5)),)),
    "right": (2.2, (("line", (9.2, 5.5, 15.6, 12, 9.2, 18.5)),)),
    "check": (1.9, (("ring", 12, 12, 8.8), ("line", (8, 12.4, 11, 15.4, 16.2, 9.2)))),
    "warning": (
        1.9,
        (("loop", (12, 3.4, 22, 20.4, 2, 20.4)), ("line", (12, 9.6, 12, 14.6)),
         ("dot", 12, 17.4, 1.2)),
    ),
}  # fmt: skip


@lru_cache(maxsize=256)
def icon_texture(name: str, size_px: int) -> Texture:
    """Return an icon as a square texture, white with transparency.

    Args:
        name: A key of `ICONS`.
        size_px: Side of the icon in pixels of the screen.
    """
    texture = Texture.create(size=(size_px, size_px), colorfmt="rgba")
    alpha = draw_icon(name, size_px)
    pixels = Image.merge("RGBA", (*(Image.new("L", alpha.size, 255),) * 3, alpha))
    texture.blit_buffer(pixels.tobytes(), colorfmt="rgba", bufferfmt="ubyte")
    texture.flip_vertical()
    return texture


def draw_icon(name: str, size_px: int) -> Image.Image:
    """Return an icon as a Pillow image of mode "L", with strokes of value 255."""
    width, strokes = ICONS[name]
    scale = size_px * _OVER / _GRID
    image = Image.new("L", (size_px * _OVER,) * 2, 0)
    painter = ImageDraw.Draw(image)
    for kind, *values in strokes:
        _draw_stroke(painter, kind, values, scale, width)
    return image.resize((size_px, size_px), Image.Resampling.BOX)


def _draw_stroke(
    painter: ImageDraw.ImageDraw, kind: str, values: list[Any], scale: float, width: float
) -> None:
    half = width * scale / 2

    def disc(x: float, y: float, radius: float) -> None:
        painter.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)

    if kind in ("line", "loop", "fill"):
        flat = [value * scale for value in values[0]]
        points = list(zip(flat[::2], flat[1::2], strict=True))
        if kind == "fill":
            painter.polygon(points, fill=255)
        if kind != "line":
            points.append(points[0])
        painter.line(points, fill=255, width=round(2 * half))
        for x, y in points:
            disc(x, y, half)  # round ends and joints
        return
    x, y, radius = (value * scale for value in values[:3])
    if kind == "dot":
        disc(x, y, radius)
        return
    start, end = values[3:] if kind == "arc" else (0, 360)
    outer = radius + half
    painter.arc((x - outer, y - outer, x + outer, y + outer), start, end, 255, round(2 * half))
    if kind == "arc":
        for degrees in (start, end):
            disc(x + radius * cos(radians(degrees)), y + radius * sin(radians(degrees)), half)
