"""`Lattice`: the probabilities of a line's characters over the columns of the network's output."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sdk.charset import BLANK, Charset
from sdk.errors import OptionError
from sdk.recognize.ctc import beam_search
from sdk.recognize.forward import text_log_probabilities

if TYPE_CHECKING:
    from PIL import Image

    from sdk.image.load import ImageArray

__all__ = ["Guess", "Lattice"]

# Prefixes that the search keeps for each wanted reading. A wider search finds no other readings.
_BEAM = 8


@dataclass(frozen=True, slots=True)
class Guess:
    """A possible reading of a line.

    Attributes:
        text: The text.
        probability: Probability of the text, summed over all paths, 0..1.
    """

    text: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """What the network saw in the line crop from which a line's text was taken.

    Attributes:
        probabilities: float32 (T, classes), probability of each class in each of T columns, from
            left to right. Class 0 is the CTC blank. A column is 4 pixels of the line crop.
        charset: Characters of the classes.
        crop: uint8 RGB (32, w, 3), the line crop. None if the text was read from the detector's
            features.
    """

    probabilities: NDArray[np.float32]
    charset: Charset
    crop: ImageArray | None = None

    @property
    def columns(self) -> int:
        """Number T of columns."""
        return len(self.probabilities)

    def best_path(self) -> tuple[str, ...]:
        """Return the likeliest character of each column, an empty string for the blank."""
        path = self.probabilities.argmax(-1).tolist()
        return tuple("" if c == BLANK else self.charset.symbols[c - 1] for c in path)

    def guesses(self, count: int = 5) -> list[Guess]:
        """Return the likeliest readings by prefix beam search, likeliest first.

        Args:
            count: Largest number of readings, at least 1.

        Raises:
            OptionError: `count` is not a whole number of at least 1.
        """
        if type(count) is not int or count < 1:
            raise OptionError(f"count is {count!r}. Give a whole number of at least 1.")
        with np.errstate(divide="ignore"):
            log_probs = np.log(self.probabilities)
        found = [ids for ids, _ in beam_search(log_probs, _BEAM * count)]
        if not found:
            return []
        # the search follows the likeliest paths only; the forward algorithm sums all of them
        exact = np.exp(text_log_probabilities([log_probs], found)[0])
        order = exact.argsort()[::-1][:count].tolist()
        return [Guess(self.charset.decode(found[i]), float(exact[i])) for i in order]

    def log_probability(self, text: str) -> float:
        """Return the natural logarithm of a text's probability, summed over all paths.

        It is -inf for a text that needs more columns, or has a character that the network does not
        know.
        """
        if any(c not in self.charset for c in text):
            return -math.inf
        with np.errstate(divide="ignore"):
            log_probs = np.log(self.probabilities)
        return float(
            text_log_probabilities([log_probs], [self.charset.encode(text).tolist()])[0, 0]
        )

    def draw(self, count: int = 5) -> Image.Image:
        """Return the lattice as a picture, RGB.

        The picture shows the line crop, below it a row of each character that is probable in some
        column, with the best path, and below them the likeliest readings.

        Args:
            count: Number of readings to show.
        """
        # drawing needs Pillow's font modules, reading does not
        from sdk.draw_lattice import draw_lattice

        return draw_lattice(self, count)

    def to_dict(self, count: int = 5) -> dict[str, Any]:
        """Return plain lists, strings and numbers for JSON.

        Args:
            count: Number of readings.
        """
        return {
            "columns": self.columns,
            "best_path": list(self.best_path()),
            "probabilities": np.round(self.probabilities.max(-1).astype(float), 6).tolist(),
            "guesses": [
                {"text": guess.text, "probability": guess.probability}
                for guess in self.guesses(count)
            ],
        }
