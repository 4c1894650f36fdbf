"""Text from the recognizer's logits by CTC.

Graves et al. 2006, "Connectionist Temporal Classification": the collapsing of a path (repeats
merged, blanks dropped); Graves 2012, "Supervised Sequence Labelling", section 7.5, and Hannun et
al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent
DNNs": the prefix beam search, done here on logarithms. Logits are float32 (T, classes); class 0 is
the blank.
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
        text: The characters; may be empty.
        confidences: One per character, 0 to 1: the highest probability the class reaches in its
            span.
        spans: One (start, end) column pair per character, end exclusive: the columns that emit it.
        columns: Number T of columns decoded.
        ids: Class number of each character.
    """

    text: str
    confidences: tuple[float, ...]
    spans: tuple[tuple[int, int], ...]
    columns: int
    ids: tuple[int, ...] = ()

    @cached_property
    def confidence(self) -> float:
        """Geometric mean of the characters' confidences; 0 for an empty text."""
        if not self.confidences:
            return 0.0
        return float(np.exp(np.mean(np.log(np.maximum(self.confidences, 1e-30)))))


def log_probabilities(
    logits: ArrayLike, mask: NDArray[np.bool_] | None = None, temperature: float = 1.0
) -> Floats:
    """Return the logarithms of the softmax of logits.

    Args:
        logits: (..., classes).
        mask: bool (classes,), False for classes that cannot occur; they take no share of the
            probability.
        temperature: Divides the logits; above 1 makes confidences smaller. Positive.

    Returns:
        float32 (..., classes); -inf where masked.
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
        path: int (T,) class of each column.

    Returns:
        classes (n,), first column (n,) and last column + 1 (n,) of each run that is not blank.
    """
    p = np.asarray(path, np.intp)
    if not len(p):
        return p, p, p
    changes = np.flatnonzero(p[1:] != p[:-1]) + 1
    bounds = np.concatenate([[0], changes, [len(p)]])
    classes = p[bounds[:-1]]
    kept = classes != BLANK
    return classes[kept], bounds[:-1][kept], bounds[1:][kept]


def beam_search(
    log_probs: ArrayLike, width: int, floor: float = 1e-5
) -> list[tuple[tuple[int, ...], float]]:
    """Return the likeliest texts, summed over all paths that collapse to them.

    Args:
        log_probs: (T, classes) logarithms of probabilities.
        width: Prefixes kept after each column, at least 1.
        floor: Classes less probable than this are not tried in a column; 0 tries all.

    Returns:
        At most `width` pairs (class numbers, log probability), likeliest first.
    """
    lp = np.asarray(log_probs, np.float64)
    least = np.log(floor) if floor > 0 else -np.inf
    none = -np.inf
    # prefix -> log probability of its paths ending in a blank, and in its last class
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
                # a repeat needs a blank between, else it is the same character going on
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
    """Return the states of a text's paths, and where a path may skip the one before.

    Args:
        ids: Class numbers of the text, without blanks.

    Returns:
        int (2 n + 1,): the characters with blanks around them; bool (2 n + 1,).
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
        logits: (T, classes) of the line, padding columns cut off.
        charset: The characters of the classes.
        mask: bool (classes,) of `Charset.mask`; None allows all.
        temperature: Calibration of the confidences, see `log_probabilities`.
        beam: 0 takes the best class of each column (greedy); n > 0 runs a prefix beam search of
            width n.

    Returns:
        The text with the confidence and the columns of each character.
    """
    return most_probable(log_probabilities(logits, mask, temperature), charset, beam)


def most_probable(log_probs: Floats, charset: Charset, beam: int = 0) -> CtcText:
    """Return the text of one line, as `decode` does.

    Args:
        log_probs: float32 (T, classes) logarithms of probabilities.
        charset: The characters of the classes.
        beam: 0 is greedy; n > 0 runs a prefix beam search of width n.
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
    # so that from one character's start to the next one's its own columns are the highest
    along_path[path == BLANK] = -np.inf
    highest = np.maximum.reduceat(along_path, first) if len(first) else along_path[:0]
    spans = tuple(zip(first.tolist(), last.tolist(), strict=True))
    classes = tuple(ids.tolist())
    confidences = tuple(np.exp(highest).tolist())
    return CtcText(charset.decode(classes), confidences, spans, len(log_probs), classes)


def character_edges(text: CtcText) -> tuple[Floats, Floats]:
    """Return where each character starts and ends along the line.

    CTC emits a character in a few columns only, so the edge between two characters is put half-way
    between the middles of their spans; the outermost edges lie as far out as the inner ones, inside
    the line.

    Args:
        text: A decoded text of n characters.

    Returns:
        start float32 (n,) and end float32 (n,), 0 at the first column's left edge, 1 at the last
        one's right edge.
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
