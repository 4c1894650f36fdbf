"""Follow the lines of a product over frames, and tell when its reading is settled.

A line of a new frame belongs to the line of the frames before that it overlaps, or that says nearly
the same close by: a product moves less than half a line between two frames. It is settled when each
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

# Of more frames a vote takes longer than a product is in view.
MAX_VOTE = 100
# Overlap from which a line is the one of the frame before.
SAME_PLACE = 0.3
# Frames without a line after which it counts as gone: one frame may miss it.
GONE = 2


class Follower(Protocol):
    """What turns the readings of frames into events."""

    def update(self, reading: Reading, time: float) -> StreamEvent | None:
        """Take the reading of the next frame and return what it changes, if anything."""


def tracker_for(camera: Camera, vote: int) -> Follower:
    """Return what follows the products of a camera: frame by frame where each shows another."""
    return EachFrame() if camera.stills else Tracker(vote)


class EachFrame:
    """Takes every frame for another product: pictures of a folder, a triggered camera."""

    def update(self, reading: Reading, time: float) -> StreamEvent:
        """Return the event that the reading is settled."""
        return StreamEvent("settled", reading=reading, time=time)


class Tracker:
    """Follows the lines of the product in view.

    Pure logic: no threads, no clock, no pixels.
    """

    def __init__(self, vote: int = 3) -> None:
        """Start with nothing in view.

        Args:
            vote: Frames that must agree until a reading is settled, 1 to `MAX_VOTE`.

        Raises:
            OptionError: `vote` is not such a number.
        """
        if type(vote) is not int or not 1 <= vote <= MAX_VOTE:
            raise OptionError(f"vote is {vote!r}. Give a whole number from 1 to {MAX_VOTE}.")
        self._vote = vote
        self._window = 2 * vote - 1
        # Frames after which a line that never agrees with itself is told as it is: a product that
        # cannot be read must not pass untold.
        self._patience = 2 * self._window
        self._tracks: list[Track] = []
        # what each line of the product was told to say; None if it did not agree with itself
        self._told: dict[Track, str | None] = {}
        self._reading: Reading | None = None
        self._waiting = 0

    def update(self, reading: Reading, time: float) -> StreamEvent | None:
        """Take the reading of the next frame.

        Args:
            reading: What the frame says.
            time: When it was taken, Unix seconds; handed on to the event.

        Returns:
            "settled", "changed" or "cleared" with the voted lines; None if nothing is new.
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
        """Whether a line differs from what was told."""
        if track not in self._told:
            return track.seen >= self._vote
        if track.missed:
            return track.missed >= self._patience
        told = self._told[track]
        # a line that was told though it does not agree with itself is told again when it does
        return track.settled if told is None else told != track.voted.line.text

    def _is_stable(self) -> bool:
        """Whether every line in view is settled or told as it is, and none has just appeared."""
        return all(
            track.settled
            or self._told.get(track, "") is None
            or (track.age >= self._window and track.seen < self._vote)
            for track in self._tracks
            if track.missed < GONE
        )

    def _tell(self, reading: Reading, time: float) -> StreamEvent | None:
        kind = "changed" if self._told else "settled"
        # when the rest has changed, a line that is not seen any more was of the product before
        gone = min(GONE, self._vote)
        kept = [t for t in self._tracks if t.seen >= self._vote and t.missed < gone]
        if not kept:
            return None
        self._tracks = [t for t in self._tracks if t in kept or t not in self._told]
        told = {track: track.voted.line.text if track.settled else None for track in kept}
        for track, text in told.items():
            if text is not None and self._told.get(track, text) != text:
                # the votes for the text before must not make the new one less sure
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
        """Give every track its line in this frame, and begin tracks for new lines."""
        found = _match([track.last for track in self._tracks], lines)
        for i, track in enumerate(self._tracks):
            track.add(lines[found[i]] if i in found else None)
        new = set(range(len(lines))) - set(found.values())
        self._tracks += [Track(lines[j], self._vote) for j in sorted(new)]


def _in_order(lines: list[TextLine]) -> tuple[TextLine, ...]:
    # a line of which the votes leave no character is none
    lines = [line for line in lines if line.text.strip()]
    if not lines:
        return ()
    order = reading_order(np.array([line.quad for line in lines], np.float32))
    return tuple(lines[i] for i in order)


def _match(before: list[TextLine], now: tuple[TextLine, ...]) -> dict[int, int]:
    """Return which line of now each line of before is: by place first, then by text near by."""
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
    """Add pairs, the best first, each line at most once."""
    for flat in np.argsort(-score, axis=None, kind="stable"):
        i, j = (int(x) for x in np.unravel_index(flat, score.shape))
        if score[i, j] < least:
            break
        if i not in found and j not in found.values():
            found[i] = j


def _is_near(before: TextLine, now: TextLine) -> bool:
    """Whether a line moved by less than half its length (or its height, if that is more)."""
    quads = np.array([before.quad, now.quad], np.float32)
    width, height = side_lengths(quads[0])
    moved = np.linalg.norm(quads[0].mean(0) - quads[1].mean(0))
    return bool(moved <= max(0.5 * float(width), float(height)))
