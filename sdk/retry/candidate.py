"""Candidates: the readings of a line from its views."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sdk.charset import UNKNOWN, Charset
from sdk.geometry import angle, slice_quads
from sdk.image.load import ImageArray
from sdk.lattice import Lattice
from sdk.model.line_probability import LineProbability
from sdk.recognize.ctc import CtcText, character_edges
from sdk.recognize.decoder import LineText
from sdk.results import Char, Quad, TextLine

Floats = NDArray[np.float32]

__all__ = ["Candidate", "fit_ratio", "to_result"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One reading of a line.

    Attributes:
        score: Text probability of the line from the detector, 0..1.
        box: float32 (4, 2), the box of the result, in reading direction, photo pixels.
        area: float32 (4, 2), the area that the line crop shows, photo pixels.
        text: The decoded text.
        crop: uint8 RGB (32, w, 3), the line crop. None unless it is kept for the lattice.
    """

    score: float
    box: Floats
    area: Floats
    text: LineText
    crop: ImageArray | None = None

    @property
    def confidence(self) -> float:
        """Confidence of the free text, 0..1."""
        return self.text.free.confidence

    @property
    def probability(self) -> float:
        """Probability that the whole free text is right, 0..1. 0 for an empty text."""
        said = self.text.free.confidences
        return math.prod(map(float, said)) if len(said) else 0.0

    @property
    def fit_probability(self) -> float:
        """Log probability of the text that fits the pattern. -inf if no text fits."""
        return -math.inf if self.text.fit is None else self.text.fit.log_probability

    @property
    def fit_confidence(self) -> float:
        """Confidence of the text that fits the pattern, 0..1.

        The free text's confidence is lowered by `fit_ratio`.
        """
        return self.confidence * min(fit_ratio(self, self), 1.0)


def fit_ratio(free: Candidate, fitted: Candidate) -> float:
    """Return the ratio, per character, of the fitting text's to the free text's probability.

    Args:
        free: The candidate whose free text was chosen.
        fitted: The candidate whose fitting text was chosen.

    Returns:
        The nth root of the ratio of the two probabilities, n the length of the fitting text. 0 if
        no text fits. Above 1 if the free text is not the likeliest text.
    """
    fit = fitted.text.fit
    if fit is None:
        return 0.0
    more = fit.log_probability - free.text.log_probability
    return math.exp(min(more / len(fit.text.text), 100.0))


def to_result(
    free: Candidate,
    fitted: Candidate | None,
    least_ratio: float,
    unknown_below: float = 0.0,
    charset: Charset | None = None,
    calibration: LineProbability | None = None,
) -> TextLine:
    """Return the result for a line.

    Args:
        free: The candidate whose free text was chosen.
        fitted: The candidate whose fitting text was chosen. None without a pattern.
        least_ratio: The fitting text is returned if `fit_ratio` is at least this.
        unknown_below: Characters of a lower confidence are marked as unknown, 0..1.
        charset: Characters of the classes, for a result that keeps its lattice. None keeps none.
        calibration: Gives the probability of a free text. None gives the product of the characters'
            confidences.
    """
    raw = free.text.free
    chosen, text, before, fits = free, raw, None, None
    if fitted is not None:
        fit = fitted.text.fit
        before, fits = raw.text, False
        if fit is not None and fit_ratio(free, fitted) >= least_ratio:
            chosen, text, fits = fitted, fit.text, True
    line = _to_line(chosen, text, before, fits, unknown_below)
    if calibration is not None and line.text and not fits:
        line = replace(line, probability=calibration.of(line.confidence))
    if charset is None:
        return line
    return replace(line, _lattice=Lattice(np.exp(chosen.text.log_probs), charset, chosen.crop))


def _to_line(
    candidate: Candidate,
    text: CtcText,
    raw: str | None,
    pattern_ok: bool | None,
    unknown_below: float,
) -> TextLine:
    start, end = character_edges(text)
    quads = slice_quads(candidate.area, start, end)
    foreign = text.foreign or (False,) * len(text.text)
    chars = tuple(
        Char(c, sure, _to_points(quad), c == UNKNOWN or sure < unknown_below or other)
        for c, sure, quad, other in zip(text.text, text.confidences, quads, foreign, strict=True)
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
