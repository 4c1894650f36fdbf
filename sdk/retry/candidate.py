"""Candidates: the same line as it reads from one view or another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdk.geometry import angle, slice_quads
from sdk.recognize.ctc import CtcText, character_edges
from sdk.recognize.decoder import LineText
from sdk.results import Char, Quad, TextLine

Floats = NDArray[np.float32]

__all__ = ["Candidate", "fit_ratio", "to_result"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One reading of a line.

    Attributes:
        score: Text probability that the detector gives the line, 0..1.
        box: float32 (4, 2), the box that users get, in the direction of reading, photo pixels.
        area: float32 (4, 2), what the text was read from, photo pixels.
        text: The text.
    """

    score: float
    box: Floats
    area: Floats
    text: LineText

    @property
    def confidence(self) -> float:
        """How sure the text is, read freely."""
        return self.text.free.confidence

    @property
    def probability(self) -> float:
        """How probable it is that the whole text is right, 0..1; 0 without text."""
        said = self.text.free.confidences
        return math.prod(map(float, said)) if len(said) else 0.0

    @property
    def fit_probability(self) -> float:
        """Logarithm of the probability of the text that the pattern allows; -inf without any."""
        return -math.inf if self.text.fit is None else self.text.fit.log_probability

    @property
    def fit_confidence(self) -> float:
        """How sure that text is: the free text's confidence, lowered by how much less likely."""
        return self.confidence * min(fit_ratio(self, self), 1.0)


def fit_ratio(free: Candidate, fitted: Candidate) -> float:
    """Return how probable the text that the pattern allows is beside the free one.

    Args:
        free: The candidate whose free text was chosen.
        fitted: The candidate whose allowed text was chosen.

    Returns:
        The ratio of the two probabilities for each character: the root of it, of the allowed text's
        length. 0 without an allowed text; above 1 if the free text is not the likeliest.
    """
    fit = fitted.text.fit
    if fit is None:
        return 0.0
    more = fit.log_probability - free.text.log_probability
    return math.exp(min(more / len(fit.text.text), 100.0))


def to_result(free: Candidate, fitted: Candidate | None, least_ratio: float) -> TextLine:
    """Return a line as users get it.

    Args:
        free: The candidate whose free text was chosen.
        fitted: The candidate whose allowed text was chosen; None without a pattern.
        least_ratio: The allowed text is given if `fit_ratio` is at least this.
    """
    raw = free.text.free
    if fitted is None:
        return _to_line(free, raw, None, None)
    fit = fitted.text.fit
    if fit is None or fit_ratio(free, fitted) < least_ratio:
        return _to_line(free, raw, raw.text, False)
    return _to_line(fitted, fit.text, raw.text, True)


def _to_line(
    candidate: Candidate, text: CtcText, raw: str | None, pattern_ok: bool | None
) -> TextLine:
    start, end = character_edges(text)
    chars = tuple(
        Char(character, confidence, _to_points(quad))
        for character, confidence, quad in zip(
            text.text, text.confidences, slice_quads(candidate.area, start, end), strict=True
        )
    )
    return TextLine(
        text.text,
        text.confidence,
        _to_points(candidate.box),
        chars,
        candidate.score,
        float(angle(candidate.box)),
        raw,
        pattern_ok,
    )


def _to_points(quad: Floats) -> Quad:
    a, b, c, d = quad.tolist()
    return tuple(a), tuple(b), tuple(c), tuple(d)
