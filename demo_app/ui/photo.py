"""A picture with the lines found in it: to look at live, or to zoom and tap."""

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


class PhotoView(Widget):
    """Shows one picture at a time in one texture, which is made anew only for another size.

    Attributes:
        boxes: The lines over it, in shares of the picture.
        labels: Whether their texts stand beside them.
        chosen: Index of the emphasized box, -1 for none.
        movable: Whether fingers and wheel zoom and move it.
        zoom: 1 shows the whole picture.
        ground: Color beside the picture.
        used: Share of the picture's width that is shown, from its left; what is right of it only
            keeps the texture's size the same.
        on_tap_box: Called with the index of a tapped box, -1 for none.
    """

    boxes = ListProperty([])
    labels = BooleanProperty(True)
    chosen = NumericProperty(-1)
    movable = BooleanProperty(False)
    zoom = NumericProperty(1.0)
    center_share = ListProperty([0.5, 0.5])
    ground = ColorProperty((0.03, 0.035, 0.04, 1))
    used = NumericProperty(1.0)
    texture = ObjectProperty(None, allownone=True)

    def __init__(self, **options: Any) -> None:
        """Show nothing."""
        self.register_event_type("on_tap_box")
        self._labels: dict[tuple[str, int], Texture] = {}
        self._fingers: dict[Any, tuple[float, float]] = {}
        self._moved = False
        self._redraw = Clock.create_trigger(self._draw, -1)
        super().__init__(**options)
        for name in ("pos", "size", "boxes", "labels", "chosen", "zoom", "center_share", "ground"):
            self.fbind(name, self._redraw)

    def show(
        self, picture: NDArray[np.uint8] | None, boxes: Sequence[Box] = (), used: float = 1.0
    ) -> None:
        """Show a picture, uint8 RGB (H, W, 3), and its boxes; None shows nothing."""
        if picture is None:
            self.texture = None
        else:
            size = (picture.shape[1], picture.shape[0])
            if self.texture is None or self.texture.size != size:
                self.texture = Texture.create(size=size, colorfmt="rgb")
                self.texture.flip_vertical()
            # Kivy takes no array that is read-only
            pixels = np.require(picture, requirements=["C", "W"]).reshape(-1)
            self.texture.blit_buffer(pixels, colorfmt="rgb", bufferfmt="ubyte")
        self.boxes, self.used = list(boxes), used
        self._redraw()

    def fit(self) -> None:
        """Show the whole picture."""
        self.zoom, self.center_share = 1.0, [0.5, 0.5]

    def zoom_by(self, factor: float) -> None:
        """Enlarge (more than 1) or reduce about the middle of the view."""
        self.zoom = min(_MOST_ZOOM, max(1.0, self.zoom * factor))
        self._move(0, 0)

    def frame(self) -> tuple[float, float, float, float]:
        """Return x, y, width, height of the whole picture on screen, y upwards."""
        if self.texture is None:
            return (self.x, self.y, self.width, self.height)
        size = (self.texture.width * self.used, self.texture.height)
        return place(size, (*self.pos, *self.size), self.zoom, self.center_share)

    def on_tap_box(self, index: int) -> None:
        """Do nothing: the default of the event."""

    def _draw(self, *_: Any) -> None:
        self.canvas.clear()
        with self.canvas:
            StencilPush()
            Rectangle(pos=self.pos, size=self.size)
            StencilUse()
            Color(*self.ground)
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
        for index, box in enumerate(self.boxes):
            points = [v for p in box.quad for v in (x + p[0] * width, y + (1 - p[1]) * height)]
            Color(*box.color)
            SmoothLine(points=points, close=True, width=stroke * (2 if index == self.chosen else 1))
        if not self.labels:
            return
        for box in self.boxes:
            if not box.text:
                continue
            label = self._label(box.text)
            points = [(x + p[0] * width, y + (1 - p[1]) * height) for p in box.quad]
            left, bottom = self._label_place(points, label.width + 8, label.height + 2)
            Color(*box.color)
            Rectangle(pos=(left, bottom), size=(label.width + 8, label.height + 2))
            Color(*box.ink)
            Rectangle(texture=label, pos=(left + 4, bottom + 1), size=label.size)

    def _label_place(
        self, quad: Sequence[tuple[float, float]], width: float, height: float
    ) -> tuple[int, int]:
        """Return where a box's label stands: behind its end if there is room, else above it."""
        gap = self._unit() * 5
        right = max(x for x, _ in quad) + gap
        top = max(y for _, y in quad)
        if right + width <= self.right:
            return round(right), round((top + min(y for _, y in quad) - height) / 2)
        left = min(max(self.x, min(x for x, _ in quad)), self.right - width)
        return round(left), round(min(top + gap, self.top - height))

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
        """Zoom by the wheel, or begin a tap, a move or a pinch."""
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
