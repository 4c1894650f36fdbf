"""Known phrases: words that stand before dates, lots and amounts, such as ``BEST IF USED BY``.

Each word of a phrase may be misread as another word (``REST IF USED BY``), and short marks with a
colon as no word at all (``PR0:``). The whole phrase tells what was printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from sdk.metrics import letters_and_digits

__all__ = ["Phrases"]

SHORTEST = 4
"""Characters of the shortest phrase, its colon or point included."""
_SHARE = 5
"""A phrase may differ in one of so many of its characters, and in one of a shorter phrase."""
_BEGIN = re.compile(r"(?<![^\W_])(?=[^\W_])")
"""Where a word begins, and so a phrase."""


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
        longest_first = sorted(self._all, key=len, reverse=True)
        any_phrase = "|".join(map(_whole, longest_first)) or "(?!)"
        self._pattern = re.compile(f"{_BEGIN.pattern}(?:{any_phrase})", re.IGNORECASE)

    def __len__(self) -> int:
        """Return the number of phrases."""
        return len(self._all)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the phrases, in capitals."""
        return iter(self._all)

    def places(self, text: str) -> list[tuple[int, int]]:
        """Return the start and end of each phrase in a text, the longest where several fit."""
        if _grows(text):
            return []
        return [match.span() for match in self._pattern.finditer(text)]

    def variants(self, text: str) -> list[str]:
        """Return copies of a text in which a phrase replaces what is similar to it.

        One in five characters may differ, and at least one, each from that at the same place. A
        letter or digit differs: of signs alone the network knows more.
        """
        found = []
        for start, phrase in self._similar(text):
            end = start + len(phrase)
            seen = text[start:end]
            if letters_and_digits(seen) != letters_and_digits(phrase):
                found.append(text[:start] + _in_case_of(seen, phrase) + text[end:])
        return found

    def _similar(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the start of what is similar to a phrase, and the phrase; longer phrases first."""
        if _grows(text):
            return
        upper = text.upper()
        begins = [match.start() for match in _BEGIN.finditer(text)]
        for length, phrases in self._by_length.items():
            starts = [i for i in begins if i + length <= len(text)]
            if not starts:
                continue
            windows = np.stack([_bytes(upper[i : i + length]) for i in starts])
            changes = (windows[:, None] != phrases).sum(-1)
            for at, which in np.argwhere(changes <= max(1, length // _SHARE)).tolist():
                start, end = starts[at], starts[at] + length
                phrase = phrases[which].tobytes().decode()
                inside_word = phrase[-1].isalnum() and text[end : end + 1].isalnum()
                if not inside_word:
                    yield start, phrase


def _grows(text: str) -> bool:
    """Tell whether a text is longer in capitals (ß), where phrases are not looked for."""
    return len(text.upper()) != len(text)


def _whole(phrase: str) -> str:
    """Return the expression of a phrase, which ends where a word ends, or with a sign."""
    return re.escape(phrase) + (r"(?![^\W_])" if phrase[-1].isalnum() else "")


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("ascii", "replace"), np.uint8)


def _in_case_of(seen: str, phrase: str) -> str:
    """Return a phrase in the letter case of what it replaces."""
    if seen.islower():
        return phrase.lower()
    capitals = sum(map(str.isupper, seen))
    return phrase if 2 * capitals > sum(map(str.isalpha, seen)) else phrase.title()
