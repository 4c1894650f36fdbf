"""From the logits of a line to its text, by the caller's options."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    """Decodes the logits of one graph.

    Attributes:
        charset: Characters of the classes.
    """

    def __init__(
        self,
        charset: Charset,
        temperature: float = 1.0,
        digit_odds: float = 1.0,
        foreign_below: float = 0.0,
    ) -> None:
        """Prepare the decoding.

        Args:
            charset: Characters of the classes.
            temperature: Calibration of the graph, see `sdk.recognize.ctc.log_probabilities`.
            digit_odds: See `sdk.recognize.priors.favor_digits`.
            foreign_below: With a charset of the caller, a character is foreign if its probability
                among all characters of the model is lower, 0..1.
        """
        self.charset = charset
        self._temperature = temperature
        self._digit_odds = digit_odds
        self._foreign_below = foreign_below

    def decode(self, logits: NDArray[np.float32], options: ReadOptions) -> LineText:
        """Return the text of a line.

        Args:
            logits: (T, classes) of the line, without padding columns.
            options: The caller's options.
        """
        log_probs = log_probabilities(logits, options.mask, self._temperature)
        free = most_probable(log_probs, self.charset, options.beam)
        weighed, free = favor_digits(log_probs, free, self.charset, self._digit_odds)
        free = self._marked(free, logits, options)
        if options.automaton is None:
            return LineText(free, weighed)
        # a pattern itself decides between letters and digits: no prior
        fit = decode_constrained(log_probs, self.charset, options.automaton, options.beam)
        if fit is not None:
            fit = replace(fit, text=self._marked(fit.text, logits, options))
        probability = float(text_log_probabilities([log_probs], [free.ids])[0, 0])
        return LineText(free, weighed, probability, fit)

    def _marked(self, text: CtcText, logits: NDArray[np.float32], options: ReadOptions) -> CtcText:
        """Return a text with its foreign characters marked.

        A charset of the caller takes the probability of other characters away, and what remains
        looks sure. Without the charset the network may have seen another character.
        """
        if options.mask is None or not text.ids:
            return text
        probs = np.exp(log_probabilities(logits, None, self._temperature))
        seen = [float(probs[a:b, c].max()) for c, (a, b) in zip(text.ids, text.spans, strict=True)]
        return replace(text, foreign=tuple(p < self._foreign_below for p in seen))
