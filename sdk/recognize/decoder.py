"""From the logits of a line to its text, by the caller's options."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.recognize.constrained import PatternFit, decode_constrained
from sdk.recognize.ctc import CtcText, log_probabilities, most_probable
from sdk.recognize.forward import text_log_probabilities
from sdk.recognize.options import ReadOptions
from sdk.recognize.priors import favor_digits

__all__ = ["LineText", "TextDecoder"]


@dataclass(frozen=True, slots=True)
class LineText:
    """The result of one reading of a line.

    Attributes:
        free: The text, read without a pattern.
        log_probs: float32 (T, classes), log probabilities from which the text was decoded.
        log_probability: Logarithm of the free text's probability. 0 without a pattern, because only
            a pattern needs the value.
        fit: The likeliest text that the pattern allows. None without a pattern, or if no text fits.
    """

    free: CtcText
    log_probs: NDArray[np.float32]
    log_probability: float = 0.0
    fit: PatternFit | None = None


class TextDecoder:
    """Decodes the logits of one graph."""

    def __init__(self, charset: Charset, temperature: float = 1.0, digit_odds: float = 1.0) -> None:
        """Prepare the decoding.

        Args:
            charset: Characters of the classes.
            temperature: Calibration of the graph, see `sdk.recognize.ctc.log_probabilities`.
            digit_odds: See `sdk.recognize.priors.favor_digits`.
        """
        self._charset = charset
        self._temperature = temperature
        self._digit_odds = digit_odds

    def decode(self, logits: NDArray[np.float32], options: ReadOptions) -> LineText:
        """Return the text of a line.

        Args:
            logits: (T, classes) of the line, without padding columns.
            options: The caller's options.
        """
        log_probs = log_probabilities(logits, options.mask, self._temperature)
        free = most_probable(log_probs, self._charset, options.beam)
        weighed, free = favor_digits(log_probs, free, self._charset, self._digit_odds)
        if options.automaton is None:
            return LineText(free, weighed)
        # a pattern itself decides between letters and digits: no prior
        fit = decode_constrained(log_probs, self._charset, options.automaton, options.beam)
        probability = float(text_log_probabilities([log_probs], [free.ids])[0, 0])
        return LineText(free, weighed, probability, fit)
