"""Read lines: from the detector's features, or from strips of the picture's own pixels.

Lines are padded to a few widths, so that the interpreter is set up for a few shapes only. They run
one by one: on CPUs a batch takes as long as its lines do, and more memory.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.detect.detector import FoundLine, View
from sdk.detect.maps import STRIDE
from sdk.engine import Engine
from sdk.errors import OptionError
from sdk.image.load import ImageArray
from sdk.recognize.constrained import Fit, decode_constrained
from sdk.recognize.ctc import CtcText, log_probabilities, most_probable, text_probability
from sdk.recognize.pattern.automaton import Automaton, Pattern, compile_pattern
from sdk.recognize.priors import favor_digits
from sdk.recognize.roi_rotate import roi_affine, roi_rotate
from sdk.rectify.crop import pack_strips

__all__ = ["COLUMN_PX", "FEATURE_ROWS", "LineReader", "LineText", "ReadOptions"]

COLUMN_PX = 4
"""Pixels of a strip per column of logits."""

FEATURE_ROWS = 8
"""Rows of a line cut out of the features."""

# A wider search takes seconds for each line and finds nothing more.
MAX_BEAM = 256


@dataclass(frozen=True, slots=True, eq=False)
class ReadOptions:
    """How logits become text.

    Attributes:
        mask: bool (classes,) of the characters that may occur; None allows all.
        beam: Width of the prefix beam search; 0 is greedy.
        automaton: The pattern that lines are read by as well; None reads them freely only.
    """

    mask: NDArray[np.bool_] | None = None
    beam: int = 0
    automaton: Automaton | None = None

    @classmethod
    def of(
        cls,
        charset: Charset,
        allowed: str | None,
        beam: int,
        pattern: Pattern | Sequence[Pattern] | None = None,
    ) -> ReadOptions:
        """Check what a user asks for.

        Args:
            charset: Of the model.
            allowed: Characters that may occur; None allows all.
            beam: Width of the beam search; 0 is greedy.
            pattern: What a line may look like, see
                `sdk.recognize.pattern.automaton.compile_pattern`; None is anything.

        Raises:
            OptionError: `allowed` is empty or holds a character the model does not know, `beam` is
                no whole number from 0 to `MAX_BEAM`, or `pattern` is not supported or matches
                nothing.
        """
        if type(beam) is not int or not 0 <= beam <= MAX_BEAM:
            raise OptionError(
                f"beam is {beam!r}. Give 0 for greedy, or the width of the search, at most "
                f"{MAX_BEAM}."
            )
        if allowed is not None and not isinstance(allowed, str):
            raise OptionError(f"charset is {allowed!r}. Give a string of characters, or None.")
        try:
            mask = None if allowed is None else charset.mask(allowed)
        except ValueError as error:
            raise OptionError(
                f"charset is {allowed!r}: {error} The model knows: {charset.symbols!r}."
            ) from error
        if pattern is None:
            return cls(mask, beam)
        return cls(mask, beam, compile_pattern(pattern, charset, allowed))


@dataclass(frozen=True, slots=True)
class LineText:
    """What one look at a line says.

    Attributes:
        free: The text, read freely.
        ids: Its class numbers.
        log_probs: float32 (T, classes), logarithms of the probabilities it was read from; None for
            a line that was not read.
        log_probability: Logarithm of its probability; 0 without a pattern, which alone needs it.
        fit: The likeliest text that the pattern allows; None without a pattern, or if none fits.
    """

    free: CtcText
    ids: tuple[int, ...] = ()
    log_probs: NDArray[np.float32] | None = None
    log_probability: float = 0.0
    fit: Fit | None = None


class LineReader:
    """Runs the line graph and, if there is one, the recognizer."""

    def __init__(
        self,
        line: Engine,
        recognizer: Engine | None,
        charset: Charset,
        widths: Sequence[int],
        temperature: dict[str, float],
        digit_odds: float = 1.0,
    ) -> None:
        """Remember what to run.

        Args:
            line: Graph from strips to logits.
            recognizer: Graph from features to logits; None reads strips only.
            charset: Characters of the classes.
            widths: Ascending widths of strips, pixels.
            temperature: Of "line" and "recognizer", see `sdk.recognize.ctc.log_probabilities`.
            digit_odds: See `sdk.recognize.priors.favor_digits`.
        """
        self._line = line
        self._recognizer = recognizer
        self._charset = charset
        self._widths = tuple(widths)
        self._columns = tuple(w // COLUMN_PX for w in widths)
        self._temperature = temperature
        self._digit_odds = digit_odds

    @property
    def reads_features(self) -> bool:
        """Whether lines can be read from features."""
        return self._recognizer is not None

    @property
    def max_width(self) -> int:
        """Width in pixels of the widest strip."""
        return self._widths[-1]

    def width_for(self, wanted: int, squeeze: float) -> int:
        """Return the width in pixels that a strip should have at most.

        The next width takes twice as long: a strip a little too wide is better squeezed.

        Args:
            wanted: Its own width in pixels.
            squeeze: So many times narrower it may get; a strip too wide for any width, more.
        """
        fitting = bisect_left(self._widths, wanted / squeeze)
        return self._widths[min(fitting, len(self._widths) - 1)]

    def read_strip(self, strip: ImageArray, options: ReadOptions) -> LineText:
        """Return the text of a strip.

        Args:
            strip: uint8 RGB (32, w, 3), w at most `max_width`.
            options: How to decode.
        """
        taken = strip.shape[1]
        width = self._widths[bisect_left(self._widths, taken)]
        logits = self._line.run({"strip": pack_strips([strip], width)})["logits"]
        return self._decode("line", logits, -(-taken // COLUMN_PX), options)

    def read_features(self, lines: Sequence[FoundLine], options: ReadOptions) -> list[LineText]:
        """Return the texts of lines from the features of the views that found them.

        Args:
            lines: Lines with a view.
            options: How to decode.
        """
        if self._recognizer is None:
            raise OptionError("The model has no recognizer. Read strips instead.")
        texts: list[LineText | None] = [None] * len(lines)
        views = {id(line.view): line.view for line in lines}
        for key, view in views.items():
            members = [i for i, line in enumerate(lines) if id(line.view) == key]
            if view is None or view.features is None:
                raise OptionError("The line has no features. Read its strip instead.")
            found = self._read_view(view, view.features, [lines[i] for i in members], options)
            for i, text in zip(members, found, strict=True):
                texts[i] = text
        return [text for text in texts if text is not None]

    def _read_view(
        self,
        view: View,
        features: NDArray[Any],
        lines: Sequence[FoundLine],
        options: ReadOptions,
    ) -> list[LineText]:
        assert self._recognizer is not None
        quads = view.to_frame(np.stack([line.quad for line in lines])) / STRIDE
        affines, widths = roi_affine(quads, FEATURE_ROWS, self._columns[-1])
        buckets = np.searchsorted(self._columns, widths)
        texts: list[LineText | None] = [None] * len(lines)
        for bucket in np.unique(buckets):
            members = np.flatnonzero(buckets == bucket)
            columns = self._columns[bucket]
            cut = roi_rotate(
                features, affines[members], widths[members], FEATURE_ROWS, columns, view.step
            )
            for i, roi in zip(members.tolist(), cut, strict=True):
                logits = self._recognizer.run({"features": roi[None]})["logits"]
                texts[i] = self._decode("recognizer", logits, int(widths[i]), options)
        return [text for text in texts if text is not None]

    def _decode(
        self, graph: str, logits: NDArray[np.float32], columns: int, options: ReadOptions
    ) -> LineText:
        line = logits[0, 0, :columns]
        mask, temperature = options.mask, self._temperature.get(graph, 1.0)
        log_probs = log_probabilities(line, mask, temperature)
        free = most_probable(log_probs, self._charset, options.beam)
        weighed, free = favor_digits(log_probs, free, self._charset, self._digit_odds)
        ids = tuple(self._charset.encode(free.text).tolist())
        if options.automaton is None:
            return LineText(free, ids, weighed)
        # a pattern itself says where letters stand
        fit = decode_constrained(log_probs, self._charset, options.automaton, options.beam)
        return LineText(free, ids, weighed, text_probability(log_probs, ids), fit)
