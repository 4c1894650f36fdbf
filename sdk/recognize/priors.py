"""Letters read where a digit is meant that looks the same: RO3718 for R03718.

A network learns from its training texts how often an O stands where, besides how it looks. Those
texts must show every letter often enough to be learned; the world's do not: who makes codes leaves
out O and I, and lets numbers begin with zeros. Where the text around a letter says so, Bayes' rule
corrects the network: the digit's probability is multiplied by how much likelier digits are there in
the world than in the training texts.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.recognize.ctc import CtcText, aligned
from sdk.recognize.forward import text_log_probabilities

Floats = NDArray[np.float32]

__all__ = ["favor_digits"]

_DIGIT_OF = {"O": "0", "I": "1", "l": "1", "S": "5", "Z": "2"}
# A letter between digits, and an O that leads a number behind a capital.
_DOUBTFUL = re.compile(r"(?<=[0-9])[OIlSZ]+(?=[0-9])|(?<=[A-Z])O+(?=[0-9])")
# What is written with an O before a number.
_WRITTEN = re.compile(r"(?<![A-Za-z])(CO|NO|SO|PO|ISO)$")


def favor_digits(
    log_probs: Floats, text: CtcText, charset: Charset, odds: float
) -> tuple[Floats, CtcText]:
    """Weigh the doubtful letters of a line against the digits they look like.

    Args:
        log_probs: float32 (T, classes) of the line, from `sdk.recognize.ctc.log_probabilities`.
        text: What was read from them.
        charset: The characters of the classes.
        odds: How many times likelier a digit is in such a place than the network thinks, 1 and up.

    Returns:
        The probabilities as weighed and the text that is likelier by them, with the digits or as
        it was; where nothing is doubtful, both as given.
    """
    doubtful = _doubtful(text.text, charset) if odds > 1 else []
    if not doubtful:
        return log_probs, text
    weighed = log_probs.copy()
    digits = list(text.ids)
    for place in doubtful:
        [digits[place]] = charset.encode(_DIGIT_OF[text.text[place]]).tolist()
        weighed[slice(*text.spans[place]), digits[place]] += np.log(odds)
    weighed -= np.logaddexp.reduce(weighed, axis=1, keepdims=True)
    texts = text.ids, digits
    likelier = texts[text_log_probabilities([weighed], texts)[0].argmax()]
    return weighed, aligned(weighed, likelier, charset)


def _doubtful(text: str, charset: Charset) -> list[int]:
    """Return the places of the letters that may be digits."""
    return [
        place
        for match in _DOUBTFUL.finditer(text)
        if not _WRITTEN.search(text[: match.end()])
        for place in range(*match.span())
        if _DIGIT_OF[text[place]] in charset
    ]
