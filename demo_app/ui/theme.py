"""Colors of the light and the dark look, and the scale that fits the window.

The verdict colors are the same in both: an operator learns them once. Amber carries dark ink, the
other two white; every pair of ink and ground has a contrast of at least 4.5 (WCAG 2, AA).
"""

from __future__ import annotations

from kivy.event import EventDispatcher
from kivy.properties import ColorProperty, DictProperty, OptionProperty
from kivy.utils import get_color_from_hex

# The window that every size in the layout is given for: the Raspberry Pi's own display.
BASE_SIZE = (800, 480)
# Larger windows show larger text, but also more of everything: less than in proportion.
GROWTH = 0.72

LIGHT = {
    "ground": "#e9edf0",
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
    "ground": "#0d1317",
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
# Nothing to be seen.
NONE = (0, 0, 0, 0)
# status -> (ground, ink), RGBA 0..1
VERDICTS = {
    status: (tuple(get_color_from_hex(ground)), tuple(get_color_from_hex(ink)))
    for status, ground, ink in (
        ("ok", "#147a3b", "#ffffff"),
        ("ng", "#c1222a", "#ffffff"),
        ("unreadable", "#f5ae14", "#1c1400"),
        ("waiting", "#5a6872", "#ffffff"),
    )
}


def scale_for(width: float, height: float) -> float:
    """Return the factor of all sizes for a window of so many pixels."""
    share = max(0.5, min(width / BASE_SIZE[0], height / BASE_SIZE[1]))
    return share**GROWTH if share > 1 else share


# Share of a mark's color in the ground of its row.
TINT = 0.16
# Small shapes and texts on a screen's own ground need lighter colors in the dark.
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
    """The colors in use; widgets bind to them and follow a change at once.

    Attributes:
        marks: Colors of the small verdict shapes, by status.
    """

    look = OptionProperty("dark", options=["light", "dark"])

    marks = DictProperty(MARKS["dark"])
    ground = ColorProperty(DARK["ground"])
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
        """Take the colors of another look."""
        for name, value in (LIGHT if look == "light" else DARK).items():
            setattr(self, name, value)
        self.marks = MARKS[look]
