"""Known phrases: words that stand before dates, lots and amounts, such as ``BEST IF USED BY``.

Each word of a phrase may be misread as another word (``REST IF USED BY``), and short marks with a
colon as no word at all (``PR0:``). The whole phrase tells what was printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from sdk.metrics import letters_and_digits

__all__ = ["Phrases"]

SHORTEST = 4
"""Characters of the shortest phrase, its colon or point included."""
_SHARE = 5
"""A phrase may differ in one of so many of its characters, and in one of a shorter phrase."""


class Phrases:
    """Phrases of ASCII characters, without regard to capitals."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Sort phrases by their length.

        Args:
            phrases: Phrases. Those with other than ASCII characters, fewer than three letters or
                fewer than `SHORTEST` characters are left out, and so are single words, which are
                words of a vocabulary.
        """
        kept = {x.upper() for x in phrases if x.isascii() and len(x) >= SHORTEST}
        self._all = sorted(x for x in kept if not x.isalpha() and sum(map(str.isalpha, x)) > 2)
        lengths = sorted({len(x) for x in self._all}, reverse=True)
        self._by_length: dict[int, NDArray[np.uint8]] = {
            n: np.stack([_bytes(x) for x in self._all if len(x) == n]) for n in lengths
        }

    def __len__(self) -> int:
        """Return the number of phrases."""
        return len(self._all)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the phrases, in capitals."""
        return iter(self._all)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return the start and end of each phrase in a text, the longest where several fit."""
        found: list[tuple[int, int]] = []
        for start, phrase, changes in self._near(text, 0):
            end = start + len(phrase)
            if not changes and all(end <= a or start >= b for a, b in found):
                found.append((start, end))
        return found

    def variants(self, text: str) -> list[str]:
        """Return copies of a text in which a phrase replaces what is similar to it.

        One in five characters may differ, and at least one, each from that at the same place. A
        letter or digit differs: of signs alone the network knows more.
        """
        found = []
        for start, phrase, changes in self._near(text, _SHARE):
            end = start + len(phrase)
            seen = text[start:end]
            if changes and letters_and_digits(seen) != letters_and_digits(phrase):
                found.append(text[:start] + _in_case_of(seen, phrase) + text[end:])
        return found

    def _near(self, text: str, share: int) -> Iterator[tuple[int, str, int]]:
        """Yield start, phrase and number of changed characters, longer phrases first.

        A phrase begins where a word begins. It ends where a word ends, or with a sign.
        """
        upper = text.upper()
        if len(upper) != len(text):  # ß
            return
        begins = [i for i, c in enumerate(text) if c.isalnum() and not text[i - 1 : i].isalnum()]
        for length, phrases in self._by_length.items():
            starts = [i for i in begins if i + length <= len(text)]
            if not starts:
                continue
            most = max(1, length // share) if share else 0
            windows = np.stack([_bytes(upper[i : i + length]) for i in starts])
            changes = (windows[:, None] != phrases).sum(-1)
            for at, which in np.argwhere(changes <= most).tolist():
                start, end = starts[at], starts[at] + length
                phrase = phrases[which].tobytes().decode()
                inside_word = phrase[-1].isalnum() and text[end : end + 1].isalnum()
                if not inside_word:
                    yield start, phrase, int(changes[at, which])


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("ascii", "replace"), np.uint8)


def _in_case_of(seen: str, phrase: str) -> str:
    """Return a phrase in the letter case of what it replaces."""
    if seen.islower():
        return phrase.lower()
    capitals = sum(map(str.isupper, seen))
    return phrase if 2 * capitals > sum(map(str.isalpha, seen)) else phrase.title()
