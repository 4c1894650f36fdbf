"""Characters and class numbers of the recognizer.

Class 0 is the CTC blank (Graves et al. 2006, "Connectionist Temporal Classification"). Symbol i of
the charset is class i + 1. Training, conversion and the runtime share this definition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sdk.errors import OptionError

__all__ = ["BLANK", "DEFAULT_CHARSET", "UNKNOWN", "Charset"]

BLANK = 0
"""Class number of the CTC blank."""

UNKNOWN = "\ufffd"
"""Replacement character: stands for all characters outside a charset, see `Char.unknown`.

A model whose charset holds it was trained to read every character outside the charset as this one.
"""


@dataclass(frozen=True)
class Charset:
    """An ordered set of characters and its mapping to recognizer classes.

    Attributes:
        symbols: The characters, without duplicates. Symbol i is class i + 1.

    Raises:
        OptionError: The string is empty or holds a character twice.
    """

    symbols: str
    _classes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the characters and index them."""
        if not self.symbols:
            raise OptionError("The charset is an empty string. Give at least one character.")
        repeated = sorted(c for c, n in Counter(self.symbols).items() if n > 1)
        if repeated:
            raise OptionError(
                f"A charset holds each character once, but {repeated!r} occur twice. "
                "Remove the duplicates."
            )
        object.__setattr__(self, "_classes", {c: i + 1 for i, c in enumerate(self.symbols)})

    @property
    def classes(self) -> int:
        """Number of classes, including the blank."""
        return len(self.symbols) + 1

    def __len__(self) -> int:
        """Return the number of characters, without the blank."""
        return len(self.symbols)

    def __contains__(self, character: object) -> bool:
        """Tell whether the charset holds the character."""
        return character in self._classes

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the class numbers of a text.

        Args:
            text: Text of any length. Every character must be in the charset.

        Returns:
            int32 (len(text),), classes 1 and up.

        Raises:
            OptionError: A character is not in the charset.
        """
        missing = sorted({c for c in text if c not in self._classes})
        if missing:
            raise OptionError(
                f"Cannot encode {text!r}: {missing!r} not in the charset of {len(self)} characters."
            )
        return np.array([self._classes[c] for c in text], np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of class numbers. Blanks are dropped, repeats are kept.

        Args:
            ids: Class numbers, 0 (blank) to ``len(self)``.

        Raises:
            OptionError: A class number is outside the charset.
        """
        numbers, classes = [int(i) for i in ids], self.classes
        wrong = [i for i in numbers if not 0 <= i < classes]
        if wrong:
            raise OptionError(
                f"Cannot decode class {wrong[0]}: the charset has the classes 0 to {classes - 1}."
            )
        return "".join(self.symbols[i - 1] for i in numbers if i != BLANK)

    def mask(self, allowed: str) -> NDArray[np.bool_]:
        """Return the classes that may be decoded if only some characters are allowed.

        Args:
            allowed: Characters that may occur, at least one. All must be in the charset.

        Returns:
            bool (classes,), True for allowed classes. The blank is always allowed.

        Raises:
            OptionError: No character is given, or a character is not in the charset.
        """
        if not allowed:
            raise OptionError("No character is allowed. Give at least one character.")
        mask = np.zeros(self.classes, bool)
        mask[BLANK] = True
        mask[self.encode(allowed)] = True
        return mask


DEFAULT_CHARSET = Charset("".join(map(chr, range(32, 127))))
"""Space and the 94 printable ASCII characters: 95 characters, 96 classes."""
