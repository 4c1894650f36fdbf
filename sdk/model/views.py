"""Candidate views: the parts of a line's surroundings from which the line is read.

A small network errs differently on each view of the same line. Test-time augmentation reads several
views. The manifest of a bundle lists them in order of use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sdk.model.fields import CheckedSettings, choice, flag, number

__all__ = [
    "COLOR",
    "GREEN",
    "SOFT",
    "TONES",
    "WHOLE",
    "BandView",
    "CandidateView",
    "PartView",
    "parse_views",
    "plain_views",
]

COLOR = "color"
"""Tone of a line crop as it is."""
GREEN = "green"
"""The green channel alone. Cameras measure it at every second pixel, red and blue at every fourth.
Text that is darker in green and brighter in red than a lit display is hardly seen in color."""
SOFT = "soft"
"""Gray and blurred: without noise, texture and fine outlines."""
TONES = (COLOR, GREEN, SOFT)


@dataclass(frozen=True, slots=True)
class PartView(CheckedSettings):
    """A part of the line's box, or more than the box.

    Attributes:
        top: Upper edge as a share of the box's height, negative above the box.
        bottom: Lower edge as a share of the box's height.
        side: Margin at the start and end of the box, as a share of its height.
        stretch: Horizontal scale of the line crop.
        pitch: Distance of the characters in the line crop in pixels, instead of `stretch`; the
            distance in the first reading tells the scale. 0 for none.
        least_stretch: Least horizontal scale for a pitch.
        most_stretch: Greatest horizontal scale for a pitch.
        rise: Climb of the text from its start to its end, as a share of the box's height. The view
            follows the slope and leaves out the areas above and below the text at the ends.
        max_aspect: Largest ratio of width to height of a box that the view is used for. 0 sets no
            limit.
        tone: Tone of the line crop, see `sdk.retry.tone`: "color", "green" or "soft".
    """

    top: float = number(0.0, -1, 1)
    bottom: float = number(1.0, 0, 2)
    side: float = number(0.0, -0.5, 2)
    stretch: float = number(1.0, 0.25, 4)
    pitch: float = number(0.0, 0, 200)
    least_stretch: float = number(0.6, 0.25, 4)
    most_stretch: float = number(2.0, 0.25, 4)
    rise: float = number(0.0, -1, 1)
    max_aspect: float = number(0.0, 0, 1000)
    tone: str = choice(COLOR, *TONES)

    def scaled(self, pitch: float | None) -> PartView | None:
        """Return the view with the scale that brings the characters to its pitch.

        Args:
            pitch: Distance of the characters in px, in a crop of the whole box 32 px high; None if
                it is unknown.

        Returns:
            The view itself if it asks for no pitch; None if it asks for one that is unknown.
        """
        if not self.pitch:
            return self
        if pitch is None:
            return None
        stretch = self.pitch * (self.bottom - self.top) / pitch
        stretch = min(max(stretch, self.least_stretch), self.most_stretch)
        return replace(self, pitch=0.0, stretch=stretch)


@dataclass(frozen=True, slots=True)
class BandView(CheckedSettings):
    """The text band that is found in and around the line's box, see `sdk.rectify.band`.

    Attributes:
        margin: Margin above and below the band, as a share of the band's height.
        side: Margin at the start and end of the box, as a share of the band's height.
        room: Area of the photo around the box that is searched too, as a share of the box's height.
        stretch: Horizontal scale of the line crop.
        bent: Whether curved bands are searched too.
        max_aspect: As for `PartView`.
        tone: As for `PartView`.
    """

    margin: float = number(0.12, 0, 1)
    side: float = number(0.0, 0, 2)
    room: float = number(0.0, 0, 2)
    stretch: float = number(1.0, 0.25, 4)
    bent: bool = flag(False)
    max_aspect: float = number(0.0, 0, 1000)
    tone: str = choice(COLOR, *TONES)


CandidateView = PartView | BandView

WHOLE = PartView()
"""The view of the unchanged box."""

_KINDS: dict[str, type[PartView] | type[BandView]] = {"part": PartView, "band": BandView}


def parse_views(data: Any) -> tuple[CandidateView, ...]:
    """Return the views of a manifest: a list of ``{"part": {…}}`` and ``{"band": {…}}``.

    Raises:
        ModelError: A view has an unknown name or a value that is not legal.
        ValueError: `data` is not such a list.
    """
    if isinstance(data, (str, Mapping)) or not isinstance(data, Sequence):
        raise ValueError("no list")
    return tuple(_parse(entry) for entry in data)


def _parse(entry: Any) -> CandidateView:
    if isinstance(entry, (PartView, BandView)):
        return entry
    if not isinstance(entry, Mapping) or len(entry) != 1 or set(entry) - set(_KINDS):
        raise ValueError("no view")
    [(kind, values)] = entry.items()
    return _KINDS[kind].from_dict(values, "a candidate view")


def plain_views(views: Sequence[CandidateView]) -> list[dict[str, Any]]:
    """Return the JSON form of views. Values that equal the default are left out."""
    rows = []
    for view in views:
        kind = next(name for name, cls in _KINDS.items() if isinstance(view, cls))
        rows.append(
            {
                kind: {
                    f.name: getattr(view, f.name)
                    for f in fields(view)
                    if getattr(view, f.name) != f.default
                }
            }
        )
    return rows
