"""Text from the recognizer's logits by CTC.

Logits are float32 (T, classes). Class 0 is the blank. A path is collapsed (repeats merged, blanks
dropped) as in Graves et al. 2006, "Connectionist Temporal Classification". The prefix beam search
follows Graves 2012, "Supervised Sequence Labelling", section 7.5, and Hannun et al. 2014,
"First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs", and
works on logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sdk.charset import BLANK, Charset

Floats = NDArray[np.float32]

__all__ = [
    "CtcText",
    "align",
    "aligned",
    "beam_search",
    "character_edges",
    "character_pitch",
    "collapse",
    "decode",
    "log_probabilities",
    "most_probable",
    "path_states",
]


@dataclass(frozen=True)
class CtcText:
    """A decoded text.

    Attributes:
        text: The characters, possibly none.
        confidences: One per character, 0..1: the highest probability of its class in its span.
        spans: One pair (start, end) per character, the columns that emit it, end exclusive.
        columns: Number T of decoded columns.
        ids: Class number of each character.
        foreign: Whether each character is one that the network took for a character outside the
            caller's charset. Empty without such a charset.
    """

    text: str
    confidences: tuple[float, ...]
    spans: tuple[tuple[int, int], ...]
    columns: int
    ids: tuple[int, ...] = ()
    foreign: tuple[bool, ...] = ()

    @cached_property
    def confidence(self) -> float:
        """Geometric mean of the characters' confidences, 0..1. 0 for an empty text."""
        if not self.confidences:
            return 0.0
        return float(np.exp(np.mean(np.log(np.maximum(self.confidences, 1e-30)))))


def log_probabilities(
    logits: ArrayLike, mask: NDArray[np.bool_] | None = None, temperature: float = 1.0
) -> Floats:
    """Return the logarithms of the softmax of logits.

    Args:
        logits: (..., classes).
        mask: bool (classes,), False for classes that cannot occur. They get no probability.
        temperature: Positive divisor of the logits. Values above 1 lower the confidences.

    Returns:
        float32 (..., classes), -inf for masked classes.
    """
    x = np.asarray(logits, np.float32) / np.float32(temperature)
    if mask is not None:
        x = np.where(mask, x, np.float32(-np.inf))
    x = x - x.max(-1, keepdims=True)
    out: Floats = x - np.log(np.exp(x).sum(-1, keepdims=True))
    return out


def collapse(path: ArrayLike) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Merge the repeats of a path and drop its blanks.

    Args:
        path: int (T,), class of each column.

    Returns:
        int (n,) each: class, first column, and last column + 1 of each run that is not blank.
    """
    p = np.asarray(path, np.intp)
    if not len(p):
        return p, p, p
    changes = np.flatnonzero(p[1:] != p[:-1]) + 1
    bounds = np.concatenate([[0], changes, [len(p)]])
    classes = p[bounds[:-1]]
    kept = classes != BLANK
    return classes[kept], bounds[:-1][kept], bounds[1:][kept]


def character_pitch(text: CtcText) -> float | None:
    """Return the median distance of neighboring characters in columns; None below 3 characters."""
    starts = [first for first, _ in text.spans]
    return float(np.median(np.diff(starts))) if len(starts) > 2 else None


def beam_search(
    log_probs: ArrayLike, width: int, floor: float = 1e-5
) -> list[tuple[tuple[int, ...], float]]:
    """Return the likeliest texts, summed over all paths that collapse to them.

    Args:
        log_probs: (T, classes) logarithms of probabilities.
        width: Number of prefixes kept after each column, at least 1.
        floor: Classes with a lower probability in a column are not tried. 0 tries all.

    Returns:
        At most `width` pairs (class numbers, log probability), likeliest first.
    """
    lp = np.asarray(log_probs, np.float64)
    least = np.log(floor) if floor > 0 else -np.inf
    none = -np.inf
    # prefix -> log probabilities of its paths that end in a blank and in its last class
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, none)}
    for column in lp:
        tried = np.flatnonzero((column >= least) & (column > none))
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (blank, symbol) in beams.items():
            both = np.logaddexp(blank, symbol)
            _add(grown, prefix, both + column[BLANK], none)
            if prefix:
                _add(grown, prefix, none, symbol + column[prefix[-1]])
            for c in tried.tolist():
                if c == BLANK:
                    continue
                # without a blank between, a repeat continues the same character
                before = blank if prefix and prefix[-1] == c else both
                _add(grown, (*prefix, c), none, before + column[c])
        ranked = sorted(grown.items(), key=lambda kv: -np.logaddexp(*kv[1]))
        beams = dict(ranked[:width])
    found = [(prefix, float(np.logaddexp(*p))) for prefix, p in beams.items()]
    return [(prefix, p) for prefix, p in found if p > none]


def _add(
    grown: dict[tuple[int, ...], tuple[float, float]],
    prefix: tuple[int, ...],
    blank: float,
    symbol: float,
) -> None:
    old_blank, old_symbol = grown.get(prefix, (-np.inf, -np.inf))
    grown[prefix] = float(np.logaddexp(old_blank, blank)), float(np.logaddexp(old_symbol, symbol))


def align(log_probs: ArrayLike, ids: Sequence[int]) -> NDArray[np.intp]:
    """Return the likeliest path that collapses to a given text (Viterbi).

    Args:
        log_probs: (T, classes) logarithms of probabilities.
        ids: Class numbers of the text, without blanks.

    Returns:
        int (T,), the class of each column.

    Raises:
        ValueError: The text does not fit into T columns.
    """
    lp = np.asarray(log_probs, np.float64)
    states, skip = path_states(ids)
    score = np.full(len(states), -np.inf)
    score[: 2 if len(lp) else 1] = 0.0
    back = np.zeros((len(lp), len(states)), np.intp)
    for t, column in enumerate(lp):
        if t:
            stay = score
            step = np.concatenate([[-np.inf], score[:-1]])
            jump = np.where(
                skip, np.concatenate([[-np.inf, -np.inf], score[:-2]])[: len(score)], -np.inf
            )
            options = np.stack([stay, step, jump])
            back[t] = options.argmax(0)
            score = options.max(0)
        score = score + column[states]
    last = len(states) - 1
    if last and score[last - 1] > score[last]:
        last -= 1
    if score[last] == -np.inf:
        raise ValueError(f"A text of {len(ids)} characters does not fit into {len(lp)} columns.")
    path = np.zeros(len(lp), np.intp)
    for t in range(len(lp) - 1, -1, -1):
        path[t] = states[last]
        last -= back[t, last]
    return path


def path_states(ids: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the CTC states of a text, and the states that a path may reach by a skip.

    Args:
        ids: Class numbers of the text of n characters, without blanks.

    Returns:
        The classes of the states, int (2 n + 1,), characters with blanks around them. Whether a
        path may skip the state before, bool (2 n + 1,).
    """
    states = np.full(2 * len(ids) + 1, BLANK, np.intp)
    states[1::2] = ids
    # a blank may be skipped between two different characters
    skip = np.zeros(len(states), bool)
    skip[3::2] = states[3::2] != states[1:-2:2]
    return states, skip


def decode(
    logits: ArrayLike,
    charset: Charset,
    *,
    mask: NDArray[np.bool_] | None = None,
    temperature: float = 1.0,
    beam: int = 0,
) -> CtcText:
    """Return the text of one line.

    Args:
        logits: (T, classes) of the line, without padding columns.
        charset: The characters of the classes.
        mask: bool (classes,) from `Charset.mask`. None allows all classes.
        temperature: Calibration of the confidences, see `log_probabilities`.
        beam: Width of the prefix beam search. 0 takes the best class of each column (greedy).

    Returns:
        The text with the confidence and the columns of each character.
    """
    return most_probable(log_probabilities(logits, mask, temperature), charset, beam)


def most_probable(log_probs: Floats, charset: Charset, beam: int = 0) -> CtcText:
    """Return the text of one line, as `decode` does.

    Args:
        log_probs: float32 (T, classes) logarithms of probabilities.
        charset: The characters of the classes.
        beam: Width of the prefix beam search. 0 is greedy.
    """
    if beam > 0:
        best = beam_search(log_probs, beam)
        return aligned(log_probs, best[0][0] if best else (), charset)
    return _along(log_probs, log_probs.argmax(-1), charset)


def aligned(log_probs: Floats, ids: Sequence[int], charset: Charset) -> CtcText:
    """Return a given text with the confidence and the columns of each character.

    Args:
        log_probs: float32 (T, classes) logarithms of probabilities.
        ids: Class numbers of the text, without blanks.
        charset: The characters of the classes.

    Raises:
        ValueError: The text does not fit into T columns.
    """
    return _along(log_probs, align(log_probs, ids), charset)


def _along(log_probs: Floats, path: NDArray[np.intp], charset: Charset) -> CtcText:
    ids, first, last = collapse(path)
    along_path = log_probs[np.arange(len(path)), path]
    # blanks must not raise the maximum between one character's start and the next one's
    along_path[path == BLANK] = -np.inf
    highest = np.maximum.reduceat(along_path, first) if len(first) else along_path[:0]
    spans = tuple(zip(first.tolist(), last.tolist(), strict=True))
    classes = tuple(ids.tolist())
    confidences = tuple(np.exp(highest).tolist())
    return CtcText(charset.decode(classes), confidences, spans, len(log_probs), classes)


def character_edges(text: CtcText) -> tuple[Floats, Floats]:
    """Return the start and end of each character along the line.

    CTC emits a character in a few columns only. The edge between two characters is therefore put
    half-way between the middles of their spans. The outermost edges have the same distance from
    their characters as the inner edges, and are clipped to the line.

    Args:
        text: A decoded text of n characters.

    Returns:
        Start and end, float32 (n,) each. 0 is the left edge of the first column, 1 is the right
        edge of the last column.
    """
    if not text.spans:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    middle = np.array(text.spans, np.float32).mean(1)
    if len(middle) == 1:
        return np.zeros(1, np.float32), np.ones(1, np.float32)
    between = 0.5 * (middle[1:] + middle[:-1])
    edges = np.concatenate([[2 * middle[0] - between[0]], between, [2 * middle[-1] - between[-1]]])
    edges = np.clip(edges / text.columns, 0, 1).astype(np.float32)
    return edges[:-1], edges[1:]
