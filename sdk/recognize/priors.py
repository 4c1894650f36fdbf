"""Correction of letters that were read instead of a digit of the same shape: RO3718 for R03718.

A network learns from its training texts how a letter looks and how often it occurs. Training texts
must show every letter often. Real codes avoid O and I, and many numbers begin with zeros. Bayes'
rule corrects the network where the text around a letter suggests a digit: the digit's probability
is multiplied by the ratio of its frequency in real texts to its frequency in training texts.
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
# A letter between digits, and an O between a capital and a digit.
_DOUBTFUL = re.compile(r"(?<=[0-9])[OIlSZ]+(?=[0-9])|(?<=[A-Z])O+(?=[0-9])")
# Words that end with an O and often precede a number.
_WRITTEN = re.compile(r"(?<![A-Za-z])(CO|NO|SO|PO|ISO)$")


def favor_digits(
    log_probs: Floats, text: CtcText, charset: Charset, odds: float
) -> tuple[Floats, CtcText]:
    """Weigh the doubtful letters of a line against the digits of the same shape.

    Args:
        log_probs: float32 (T, classes) of the line, from `sdk.recognize.ctc.log_probabilities`.
        text: Text that was decoded from `log_probs`.
        charset: The characters of the classes.
        odds: Factor on the odds of a digit in a doubtful place, 1 and up.

    Returns:
        The weighted log probabilities, float32 (T, classes), and the likelier text by them: the
        given text, or the text with digits. Both are unchanged if no letter is doubtful.
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
    """Return the positions of the letters that may be digits."""
    return [
        place
        for match in _DOUBTFUL.finditer(text)
        if not _WRITTEN.search(text[: match.end()])
        for place in range(*match.span())
        if _DIGIT_OF[text[place]] in charset
    ]
