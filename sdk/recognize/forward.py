"""Probabilities of texts under readings of one line: the forward algorithm of CTC."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sdk.charset import BLANK
from sdk.recognize.ctc import path_states

__all__ = ["text_log_probabilities"]

# Neighboring columns with a blank this probable count as one column: most of a line is blank.
_SURE = 0.9999
# Number of columns between scalings. A float32 probability reaches e**-103, a float64 e**-745.
_EVERY = 4


def text_log_probabilities(
    log_probs: Sequence[NDArray[np.float32]], texts: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """Return the log probability of each text under each reading, summed over all paths.

    The algorithm computes the scaled forward variable of Graves et al. 2006, section 4.1, for all
    texts at the same time.

    Args:
        log_probs: Log probabilities of each reading, (T, classes), T of any length. At least one.
        texts: Class numbers of each text, without blanks. At least one.

    Returns:
        float64 (readings, texts), -inf for a text that does not fit into T columns.
    """
    paths = [path_states(ids) for ids in texts]
    lengths = np.array([len(states) for states, _ in paths])
    states = np.full((len(paths), int(lengths.max())), BLANK, np.intp)
    skip = np.zeros(states.shape)
    for row, (path, may) in enumerate(paths):
        states[row, : len(path)], skip[row, : len(path)] = path, may
    readings = [_without_repeated_blanks(np.exp(log_prob)) for log_prob in log_probs]
    # shorter readings are padded by certain blanks, which change no text
    emitted = np.zeros((max(map(len, readings)), len(readings), readings[0].shape[1]))
    emitted[:, :, BLANK] = 1.0
    for row, reading in enumerate(readings):
        emitted[: len(reading), row] = reading
    # two unreachable states at the front, so that every state has two predecessors
    score = np.zeros((len(readings), len(paths), states.shape[1] + 2))
    score[:, :, 2] = 1.0  # before the first column a path is empty, as after a blank
    here, before, two_before = score[:, :, 2:], score[:, :, 1:-1], score[:, :, :-2]
    grown, scale = np.empty(here.shape), np.zeros(here.shape[:2])
    for t, column in enumerate(emitted[:, :, states]):
        np.multiply(two_before, skip, out=grown)
        grown += before
        grown += here
        np.multiply(grown, column, out=here)
        if t % _EVERY == _EVERY - 1:
            largest = here.max(-1)
            largest[largest == 0] = 1.0
            here /= largest[..., None]
            scale += np.log(largest)
    rows = np.arange(len(paths))
    total = here[:, rows, lengths - 1]
    # a path ends in the last blank or the last character; an empty text has no character
    total += np.where(lengths > 1, here[:, rows, np.maximum(lengths - 2, 0)], 0.0)
    with np.errstate(divide="ignore"):
        return scale + np.log(total)


def _without_repeated_blanks(reading: NDArray[np.float32]) -> NDArray[np.float32]:
    blank = reading[:, BLANK] > _SURE
    blank[1:] &= blank[:-1].copy()
    blank[:1] = False
    return reading[~blank]
