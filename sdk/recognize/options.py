"""`ReadOptions`: the caller's options of decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sdk.charset import Charset
from sdk.errors import OptionError
from sdk.recognize.pattern.automaton import Automaton, Pattern, compile_pattern

__all__ = ["ReadOptions"]

# A wider search takes seconds per line and finds no better text.
MAX_BEAM = 256


@dataclass(frozen=True, slots=True, eq=False)
class ReadOptions:
    """How logits become text.

    Attributes:
        mask: bool (classes,), the characters that may occur. None allows all.
        beam: Width of the prefix beam search. 0 is greedy.
        automaton: The pattern that texts should match. None sets no pattern.
        lattice: Whether the result keeps the probabilities from which its text was decoded.
        words: Whether known words may replace similar unknown ones.
        cells: Whether wide gaps divide the lines of a photo. A mask or an automaton keeps lines
            whole, whatever this says.
    """

    mask: NDArray[np.bool_] | None = None
    beam: int = 0
    automaton: Automaton | None = None
    lattice: bool = False
    words: bool = True
    cells: bool = True

    @property
    def divides(self) -> bool:
        """Whether wide gaps divide lines: a charset may leave gaps, a pattern is of whole lines."""
        return self.cells and self.mask is None and self.automaton is None

    @classmethod
    def of(
        cls,
        charset: Charset,
        allowed: str | None,
        beam: int,
        pattern: Pattern | Sequence[Pattern] | None = None,
        lattice: bool = False,
        words: bool = True,
        cells: bool = True,
    ) -> ReadOptions:
        """Check a user's options.

        Args:
            charset: Charset of the model.
            allowed: Characters that may occur. None allows all.
            beam: Width of the beam search. 0 is greedy.
            pattern: Pattern of a line's text, see
                `sdk.recognize.pattern.automaton.compile_pattern`. None allows any text.
            lattice: Whether the result keeps the probabilities.
            words: Whether known words may replace similar unknown ones.
            cells: Whether wide gaps may divide lines.

        Raises:
            OptionError: `allowed` is empty or holds a character that the model does not know,
                `beam` is not a whole number from 0 to `MAX_BEAM`, or `pattern` is not supported or
                matches no text.
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
        automaton = None if pattern is None else compile_pattern(pattern, charset, allowed)
        return cls(mask, beam, automaton, lattice, words, cells)
