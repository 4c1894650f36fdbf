"""Follow the lines of a product over frames, and report when the reading is settled.

A line of a new frame is matched to a line of the earlier frames by overlap, or else by a similar
text nearby. A product moves less than half a line between two frames. A line is settled when each
of its characters has `vote` votes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import numpy as np

from sdk.errors import OptionError
from sdk.geometry import iou_matrix, side_lengths
from sdk.live.camera.base import Camera
from sdk.live.event import StreamEvent
from sdk.live.track import SAME_TEXT, Track, likeness
from sdk.order import reading_order
from sdk.results import Reading, TextLine

__all__ = ["MAX_VOTE", "EachFrame", "Follower", "Tracker", "tracker_for"]

# A vote of more frames takes longer than a product is in view.
MAX_VOTE = 100
# Least intersection over union of a line with itself in the next frame.
SAME_PLACE = 0.3
# Number of frames without a line after which the line counts as gone. A single frame may miss it.
GONE = 2


class Follower(Protocol):
    """Turns the readings of frames into events."""

    def update(self, reading: Reading, time: float) -> StreamEvent | None:
        """Process the reading of the next frame and return its event, if any."""


def tracker_for(camera: Camera, vote: int) -> Follower:
    """Return the follower of a camera: `EachFrame` if each frame shows another product."""
    return EachFrame() if camera.stills else Tracker(vote)


class EachFrame:
    """Treats every frame as a separate product: pictures of a folder, a triggered camera."""

    def update(self, reading: Reading, time: float) -> StreamEvent:
        """Return the event that the reading is settled."""
        return StreamEvent("settled", reading=reading, time=time)


class Tracker:
    """Follows the lines of the product in view.

    Pure logic: no threads, no clock, no pixels.
    """

    def __init__(self, vote: int = 3) -> None:
        """Start without a product.

        Args:
            vote: Number of frames that must agree before a reading is settled, 1 to `MAX_VOTE`.

        Raises:
            OptionError: `vote` is not such a number.
        """
        if type(vote) is not int or not 1 <= vote <= MAX_VOTE:
            raise OptionError(f"vote is {vote!r}. Give a whole number from 1 to {MAX_VOTE}.")
        self._vote = vote
        self._window = 2 * vote - 1
        # After this number of frames, a line whose readings never agree is reported unsettled: a
        # product that cannot be read must not pass without an event.
        self._patience = 2 * self._window
        self._tracks: list[Track] = []
        # the reported text of each line of the product, None if its readings did not agree
        self._told: dict[Track, str | None] = {}
        self._reading: Reading | None = None
        self._waiting = 0

    def update(self, reading: Reading, time: float) -> StreamEvent | None:
        """Process the reading of the next frame.

        Args:
            reading: Reading of the frame.
            time: Time of the frame, Unix seconds, which becomes the time of the event.

        Returns:
            An event "settled", "changed" or "cleared" with the voted lines, None without news.
        """
        self._follow(reading.lines)
        if self._told and all(track.missed >= GONE for track in self._told):
            return self._clear(reading, time)
        self._tracks = [t for t in self._tracks if t.missed < GONE or t in self._told]
        news = any(self._is_news(track) for track in self._tracks)
        self._waiting = self._waiting + 1 if news else 0
        if not self._waiting or not (self._is_stable() or self._waiting > self._patience):
            return None
        return self._tell(reading, time)

    def _is_news(self, track: Track) -> bool:
        """Tell whether a line differs from its report."""
        if track not in self._told:
            return track.seen >= self._vote
        if track.missed:
            return track.missed >= self._patience
        told = self._told[track]
        # a line that was reported unsettled is reported again when it settles
        return track.settled if told is None else told != track.voted.line.text

    def _is_stable(self) -> bool:
        """Tell whether no line is new and every line in view is settled or reported unsettled."""
        return all(
            track.settled
            or self._told.get(track, "") is None
            or (track.age >= self._window and track.seen < self._vote)
            for track in self._tracks
            if track.missed < GONE
        )

    def _tell(self, reading: Reading, time: float) -> StreamEvent | None:
        kind = "changed" if self._told else "settled"
        # if the rest has changed, a line that is not seen any more belongs to the product before
        gone = min(GONE, self._vote)
        kept = [t for t in self._tracks if t.seen >= self._vote and t.missed < gone]
        if not kept:
            return None
        self._tracks = [t for t in self._tracks if t in kept or t not in self._told]
        told = {track: track.voted.line.text if track.settled else None for track in kept}
        for track, text in told.items():
            if text is not None and self._told.get(track, text) != text:
                # votes for the old text must not lower the confidence of the new text
                track.forget()
        self._told, self._waiting = told, 0
        lines = _in_order([track.result() for track in kept])
        self._reading = replace(reading, lines=lines)
        return StreamEvent(kind, reading=self._reading, time=time)

    def _clear(self, reading: Reading, time: float) -> StreamEvent:
        left = self._reading or reading
        self._tracks = [t for t in self._tracks if t not in self._told and t.missed < GONE]
        self._told, self._reading, self._waiting = {}, None, 0
        return StreamEvent("cleared", reading=left, time=time)

    def _follow(self, lines: tuple[TextLine, ...]) -> None:
        """Give every track its line in this frame, and start tracks for new lines."""
        found = _match([track.last for track in self._tracks], lines)
        for i, track in enumerate(self._tracks):
            track.add(lines[found[i]] if i in found else None)
        new = set(range(len(lines))) - set(found.values())
        self._tracks += [Track(lines[j], self._vote) for j in sorted(new)]


def _in_order(lines: list[TextLine]) -> tuple[TextLine, ...]:
    # a line without a voted character does not count
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return ()
    order = reading_order(np.array([line.quad for line in lines], np.float32))
    return tuple(lines[i] for i in order)


def _match(before: list[TextLine], now: tuple[TextLine, ...]) -> dict[int, int]:
    """Return the index of the new line for each earlier line, by place, then by text nearby."""
    if not before or not now:
        return {}
    overlap = iou_matrix([line.quad for line in before], [line.quad for line in now])
    found: dict[int, int] = {}
    _pair(overlap, SAME_PLACE, found)
    alike = np.zeros_like(overlap)
    for i, j in np.ndindex(*overlap.shape):
        if i not in found and _is_near(before[i], now[j]):
            alike[i, j] = likeness(before[i].text, now[j].text)
    _pair(alike, SAME_TEXT, found)
    return found


def _pair(score: np.ndarray, least: float, found: dict[int, int]) -> None:
    """Add pairs, best first, each line at most once."""
    for flat in np.argsort(-score, axis=None, kind="stable"):
        i, j = (int(x) for x in np.unravel_index(flat, score.shape))
        if score[i, j] < least:
            break
        if i not in found and j not in found.values():
            found[i] = j


def _is_near(before: TextLine, now: TextLine) -> bool:
    """Tell whether a line moved by at most half its length, or its height if that is more."""
    quads = np.array([before.quad, now.quad], np.float32)
    width, height = side_lengths(quads[0])
    moved = np.linalg.norm(quads[0].mean(0) - quads[1].mean(0))
    return bool(moved <= max(0.5 * float(width), float(height)))
