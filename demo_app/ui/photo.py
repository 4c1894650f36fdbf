"""A picture with boxes around its lines, for live display, or for zoom and tap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.graphics import (
    Color,
    Rectangle,
    SmoothLine,
    StencilPop,
    StencilPush,
    StencilUnUse,
    StencilUse,
)
from kivy.graphics.texture import Texture
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
)
from kivy.uix.widget import Widget
from numpy.typing import NDArray

from demo_app.models.picture import Box, hit, place

_MOST_ZOOM = 8.0

# Quad: corners of a line on screen, y upwards. Bounds: left, bottom, right and top.
Quad = list[tuple[float, float]]
Bounds = tuple[float, float, float, float]


class PhotoView(Widget):
    """Shows one picture at a time in one texture, which changes only with the picture's size.

    Attributes:
        boxes: Boxes of the lines, in shares of the picture.
        labels: Whether the texts are shown beside the boxes.
        chosen: Index of the emphasized box, -1 for none.
        movable: Whether fingers and wheel zoom and move the picture.
        zoom: Magnification. 1 shows the whole picture.
        background: Color beside the picture.
        used: Share of the picture's width that is shown, from the left. The rest is padding that
            keeps the size of the texture.
        on_tap_box: Called with the index of a tapped box, -1 for none.
    """

    boxes = ListProperty([])
    labels = BooleanProperty(True)
    chosen = NumericProperty(-1)
    movable = BooleanProperty(False)
    zoom = NumericProperty(1.0)
    center_share = ListProperty([0.5, 0.5])
    background = ColorProperty((0.03, 0.035, 0.04, 1))
    used = NumericProperty(1.0)
    texture = ObjectProperty(None, allownone=True)

    def __init__(self, **options: Any) -> None:
        """Start without a picture."""
        self.register_event_type("on_tap_box")
        self._labels: dict[tuple[str, int], Texture] = {}
        self._fingers: dict[Any, tuple[float, float]] = {}
        self._moved = False
        self._redraw = Clock.create_trigger(self._draw, -1)
        super().__init__(**options)
        for name in ("pos", "size", "boxes", "labels", "chosen", "zoom", "center_share"):
            self.fbind(name, self._redraw)
        self.fbind("background", self._redraw)

    def show(
        self, picture: NDArray[np.uint8] | None, boxes: Sequence[Box] = (), used: float = 1.0
    ) -> None:
        """Show a picture, uint8 RGB (H, W, 3), and its boxes. None shows no picture."""
        if picture is None:
            self.texture = None
        else:
            size = (picture.shape[1], picture.shape[0])
            if self.texture is None or self.texture.size != size:
                self.texture = Texture.create(size=size, colorfmt="rgb")
                self.texture.flip_vertical()
            # Kivy refuses read-only arrays
            pixels = np.require(picture, requirements=["C", "W"]).reshape(-1)
            self.texture.blit_buffer(pixels, colorfmt="rgb", bufferfmt="ubyte")
        self.boxes, self.used = list(boxes), used
        self._redraw()

    def fit(self) -> None:
        """Show the whole picture."""
        self.zoom, self.center_share = 1.0, [0.5, 0.5]

    def zoom_by(self, factor: float) -> None:
        """Magnify (factor above 1) or reduce the picture around the middle of the view."""
        self.zoom = min(_MOST_ZOOM, max(1.0, self.zoom * factor))
        self._move(0, 0)

    def frame(self) -> tuple[float, float, float, float]:
        """Return x, y, width, height of the whole picture on screen, y upwards."""
        if self.texture is None:
            return (self.x, self.y, self.width, self.height)
        size = (self.texture.width * self.used, self.texture.height)
        return place(size, (*self.pos, *self.size), self.zoom, self.center_share)

    def on_tap_box(self, index: int) -> None:
        """Do nothing, as the default handler of the event."""

    def _draw(self, *_: Any) -> None:
        self.canvas.clear()
        with self.canvas:
            StencilPush()
            Rectangle(pos=self.pos, size=self.size)
            StencilUse()
            Color(*self.background)
            Rectangle(pos=self.pos, size=self.size)
            if self.texture is not None:
                x, y, width, height = self.frame()
                Color(1, 1, 1)
                coords = list(self.texture.tex_coords)
                coords[2] = coords[4] = coords[4] * self.used
                Rectangle(texture=self.texture, pos=(x, y), size=(width, height), tex_coords=coords)
                self._draw_boxes(x, y, width, height)
            StencilUnUse()
            Rectangle(pos=self.pos, size=self.size)
            StencilPop()

    def _draw_boxes(self, x: float, y: float, width: float, height: float) -> None:
        stroke = max(1.2, self._unit() * 1.2)
        quads = [[(x + a * width, y + (1 - b) * height) for a, b in box.quad] for box in self.boxes]
        for index, box in enumerate(self.boxes):
            points = [v for point in _around(quads[index], stroke) for v in point]
            Color(*box.color)
            is_strong = box.is_strong or index == self.chosen
            SmoothLine(points=points, close=True, width=stroke * (1.7 if is_strong else 1))
        if self.labels:
            self._draw_labels(quads)

    def _draw_labels(self, quads: list[Quad]) -> None:
        """Write each text in a place without lines and texts. Leave out a text without a place."""
        taken = [_bounds(quad) for quad in quads]
        for box, quad in zip(self.boxes, quads, strict=True):
            if not box.text:
                continue
            label = self._label(box.text)
            place = self._free_place(_bounds(quad), label.width + 8, label.height + 2, taken)
            if place is None:
                continue
            taken.append(place)
            Color(*box.color)
            Rectangle(pos=place[:2], size=(label.width + 8, label.height + 2))
            Color(1, 1, 1)
            Rectangle(texture=label, pos=(place[0] + 4, place[1] + 1), size=label.size)

    def _free_place(
        self, line: Bounds, width: float, height: float, taken: Sequence[Bounds]
    ) -> Bounds | None:
        """Return a free place for a label after, above or below a line, None if there is none."""
        gap = round(self._unit() * 5)
        left, bottom, right, top = line
        start = max(self.x, min(left, self.right - width))
        for x, y in (
            (right + gap, (bottom + top - height) / 2),
            (start, top + gap),
            (start, bottom - gap - height),
        ):
            place = (round(x), round(y), round(x + width), round(y + height))
            inside = place[2] <= self.right and self.y <= place[1] and place[3] <= self.top
            if inside and not any(_overlap(place, other) for other in taken):
                return place
        return None

    def _label(self, text: str) -> Texture:
        key = (text, round(self._unit() * 13))
        if key not in self._labels:
            if len(self._labels) > 200:
                self._labels.clear()
            label = CoreLabel(text=text, font_size=key[1], bold=True)
            label.refresh()
            self._labels[key] = label.texture
        return self._labels[key]

    def _unit(self) -> float:
        from kivy.app import App

        app = App.get_running_app()
        return float(app.u) if app is not None else 1.0

    def on_touch_down(self, touch: Any) -> bool:
        """Zoom by the wheel, or start a tap, a move or a pinch."""
        if not self.collide_point(*touch.pos):
            return False
        if touch.is_mouse_scrolling:
            if self.movable:
                self.zoom_by(1.15 if touch.button == "scrolldown" else 1 / 1.15)
            return self.movable
        touch.grab(self)
        self._fingers[touch.uid] = touch.pos
        self._moved = False
        return True

    def on_touch_move(self, touch: Any) -> bool:
        """Move the picture with one finger, zoom with two."""
        if touch.grab_current is not self or touch.uid not in self._fingers:
            return False
        before = dict(self._fingers)
        self._fingers[touch.uid] = touch.pos
        if abs(touch.x - touch.ox) + abs(touch.y - touch.oy) > self._unit() * 10:
            self._moved = True
        if not self.movable:
            return True
        if len(before) == 2:
            self.zoom_by(_distance(self._fingers) / max(1.0, _distance(before)))
        elif self._moved:
            self._move(touch.dx, touch.dy)
        return True

    def on_touch_up(self, touch: Any) -> bool:
        """End a tap or a move."""
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._fingers.pop(touch.uid, None)
        if not self._moved and self.texture is not None:
            x, y, width, height = self.frame()
            point = ((touch.x - x) / width, 1 - (touch.y - y) / height)
            self.dispatch("on_tap_box", hit(self.boxes, point))
        return True

    def _move(self, dx: float, dy: float) -> None:
        _, _, width, height = self.frame()
        half = 0.5 / self.zoom
        x = self.center_share[0] - dx / width
        y = self.center_share[1] + dy / height
        self.center_share = [min(1 - half, max(half, x)), min(1 - half, max(half, y))]


def _distance(fingers: dict[Any, tuple[float, float]]) -> float:
    (a, b), (c, d) = list(fingers.values())[:2]
    return float(np.hypot(a - c, b - d))


def _around(quad: Quad, gap: float) -> Quad:
    """Return a box slightly larger than a line, so that its stroke does not cover the print."""
    points = np.asarray(quad)
    around = points + np.copysign(gap, points - points.mean(axis=0))
    return [(float(x), float(y)) for x, y in around]


def _bounds(quad: Quad) -> Bounds:
    xs, ys = zip(*quad, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(one: Bounds, other: Bounds) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
