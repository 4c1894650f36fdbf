"""A dialog in which the user draws the region of a field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kivy.core.window import Window
from kivy.graphics import Color, Line
from kivy.properties import ListProperty
from numpy.typing import NDArray

from demo_app.language import tr
from demo_app.models.picture import scaled
from demo_app.ui.photo import PhotoView
from demo_app.ui.widgets import Sheet
from sdk.region import Region, Shares

# A smaller rectangle is an accidental touch, not a region.
_LEAST = 0.03


class RegionView(PhotoView):
    """A picture on which a rectangle can be drawn.

    Attributes:
        region: x, y, width, height as shares from the picture's top left, or empty.
        others: Regions of the job's other fields.
    """

    region = ListProperty([])
    others = ListProperty([])

    def __init__(self, **options: Any) -> None:
        """Start without a rectangle."""
        super().__init__(**options)
        for name in ("region", "others"):
            self.fbind(name, self._redraw)

    def on_touch_down(self, touch: Any) -> bool:
        """Start a rectangle."""
        if not self.collide_point(*touch.pos):
            return False
        touch.grab(self)
        touch.ud["start"] = self._share(touch)
        return True

    def on_touch_move(self, touch: Any) -> bool:
        """Change the rectangle."""
        if touch.grab_current is not self:
            return False
        (x, y), (u, v) = touch.ud["start"], self._share(touch)
        if min(abs(x - u), abs(y - v)) >= _LEAST:
            self.region = [min(x, u), min(y, v), abs(x - u), abs(y - v)]
        return True

    def on_touch_up(self, touch: Any) -> bool:
        """Finish the rectangle."""
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        return True

    def _share(self, touch: Any) -> tuple[float, float]:
        x, y, width, height = self.frame()
        return (
            min(1.0, max(0.0, (touch.x - x) / width)),
            min(1.0, max(0.0, 1 - (touch.y - y) / height)),
        )

    def _draw_boxes(self, x: float, y: float, width: float, height: float) -> None:
        def draw(region: Shares, stroke: float) -> None:
            left, top, wide, high = region
            corner = (x + left * width, y + (1 - top - high) * height)
            Line(rectangle=(*corner, wide * width, high * height), width=stroke)

        Color(0.75, 0.75, 0.75)
        for other in self.others:
            draw(other, 1.5)
        if self.region:
            Color(1, 0.7, 0.1)
            draw(self.region, 3)


class RegionSheet(Sheet):
    """Shows a picture, and calls `done` with the region, None for the whole picture."""

    def __init__(
        self,
        picture: NDArray[Any],
        region: Shares | None,
        others: Sequence[Shares],
        done: Callable[[Region | None], object],
        **options: Any,
    ) -> None:
        """Show the picture with the present region, and with those of the other fields."""
        super().__init__(title=tr("Draw the region on the picture"), **options)
        # fingers draw here instead of scrolling
        self.pages.do_scroll_y = False
        view = RegionView(size_hint_y=None, height=Window.height * 0.6)
        view.show(scaled(picture, 1280, 960))
        view.region, view.others = list(region or []), list(others)
        self.view = view
        self.add(view)
        self.action(tr("Cancel"), icon="close")
        self.action(tr("Whole picture"), lambda: done(None), icon="fit")
        self.action(tr("Take"), lambda: done(self.region()), kind="primary", icon="save")

    def region(self) -> Region | None:
        """Return the rectangle, rounded to thousandths, None without a rectangle."""
        if not self.view.region:
            return None
        x, y, width, height = (round(value, 3) for value in self.view.region)
        return Region(x, y, min(width, 1 - x), min(height, 1 - y))
