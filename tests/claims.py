"""Line texts that claim something, with the probabilities behind the claim."""

from __future__ import annotations

import numpy as np

from sdk.charset import Charset
from sdk.recognize.ctc import log_probabilities, most_probable
from sdk.recognize.decoder import LineText


def read_columns(charset: Charset, *columns: dict[str, float]) -> LineText:
    """What is read from columns whose characters are as probable as given, the rest blank."""
    p = np.zeros((len(columns), charset.classes))
    for row, column in zip(p, columns, strict=True):
        for character, probability in column.items():
            row[charset.encode(character)] = probability
        row[0] = 1 - sum(column.values())
    log_probs = log_probabilities(np.log(np.maximum(p, 1e-30)))
    text = most_probable(log_probs, charset)
    return LineText(text, log_probs)


def claim(charset: Charset, text: str, confidence: float) -> LineText:
    """A text each of whose characters is as sure, all others as much less."""
    columns: list[dict[str, float]] = [{}]
    for character in text:
        rest = (1 - confidence) / charset.classes
        columns += [dict.fromkeys(charset.symbols, rest) | {character: confidence}, {}]
    return read_columns(charset, *columns)
