"""Colors of the light and the dark look, and the scale for the size of the window.

Both looks have the same verdict colors, so that an operator learns them once. Amber has dark ink,
the other verdict colors have white ink. Every pair of ink and background has a contrast of at least
4.5 (WCAG 2, AA).
"""

from __future__ import annotations

from kivy.event import EventDispatcher
from kivy.properties import ColorProperty, DictProperty, OptionProperty
from kivy.utils import get_color_from_hex

# All sizes in the layouts refer to this window, the Raspberry Pi's own display.
BASE_SIZE = (800, 480)
# Sizes grow less than the window, because larger windows show larger text and more content.
GROWTH = 0.72

LIGHT = {
    "background": "#e9edf0",
    "surface": "#ffffff",
    "raised": "#f1f4f6",
    "pressed": "#d5dde2",
    "border": "#c5cfd6",
    "ink": "#12181d",
    "muted": "#53606a",
    "rail": "#12303a",
    "rail_ink": "#c4d5db",
    "rail_active": "#1f6f7a",
    "primary": "#0b6b75",
    "primary_pressed": "#084f57",
    "focus": "#e08700",
    "problem": "#b3141c",
}
DARK = {
    "background": "#0d1317",
    "surface": "#182127",
    "raised": "#222d35",
    "pressed": "#34424c",
    "border": "#33414b",
    "ink": "#eaf0f3",
    "muted": "#9fb0ba",
    "rail": "#080d10",
    "rail_ink": "#a9bac4",
    "rail_active": "#12606a",
    "primary": "#0f7d88",
    "primary_pressed": "#0a5a62",
    "focus": "#ffb84d",
    "problem": "#ff8a85",
}
# A fully transparent color.
NONE = (0, 0, 0, 0)
# status -> (background, ink), RGBA 0..1
VERDICTS = {
    status: (tuple(get_color_from_hex(background)), tuple(get_color_from_hex(ink)))
    for status, background, ink in (
        ("ok", "#147a3b", "#ffffff"),
        ("ng", "#c1222a", "#ffffff"),
        ("unreadable", "#f5ae14", "#1c1400"),
        ("waiting", "#5a6872", "#ffffff"),
    )
}


def scale_for(width: float, height: float) -> float:
    """Return the factor of all sizes for a window of this width and height in pixels."""
    share = max(0.5, min(width / BASE_SIZE[0], height / BASE_SIZE[1]))
    return share**GROWTH if share > 1 else share


# Share of a mark's color in the background of its row.
TINT = 0.16
# Small shapes and texts on the screen's background need lighter colors in the dark look.
MARKS = {
    "light": {status: colors[0] for status, colors in VERDICTS.items()}
    | {"unreadable": (0.55, 0.34, 0.0, 1)},
    "dark": {
        "ok": (0.27, 0.82, 0.47, 1),
        "ng": (1.0, 0.42, 0.40, 1),
        "unreadable": (0.98, 0.74, 0.22, 1),
        "waiting": (0.62, 0.69, 0.73, 1),
    },
}


class Theme(EventDispatcher):
    """The current colors. Widgets bind to them and follow a change at once.

    Attributes:
        marks: Colors of the small verdict shapes, by status.
    """

    look = OptionProperty("dark", options=["light", "dark"])

    marks = DictProperty(MARKS["dark"])
    background = ColorProperty(DARK["background"])
    surface = ColorProperty(DARK["surface"])
    raised = ColorProperty(DARK["raised"])
    pressed = ColorProperty(DARK["pressed"])
    border = ColorProperty(DARK["border"])
    ink = ColorProperty(DARK["ink"])
    muted = ColorProperty(DARK["muted"])
    rail = ColorProperty(DARK["rail"])
    rail_ink = ColorProperty(DARK["rail_ink"])
    rail_active = ColorProperty(DARK["rail_active"])
    primary = ColorProperty(DARK["primary"])
    primary_pressed = ColorProperty(DARK["primary_pressed"])
    focus = ColorProperty(DARK["focus"])
    problem = ColorProperty(DARK["problem"])

    def on_look(self, _theme: Theme, look: str) -> None:
        """Set the colors of another look."""
        for name, value in (LIGHT if look == "light" else DARK).items():
            setattr(self, name, value)
        self.marks = MARKS[look]
