"""A vocabulary of words, by which the vote of a line prefers words and finds misread ones.

The vocabulary is the words of SCOWL up to size 60 (Debian's package wamerican, see
`words-license.txt`) and of the training texts, see ``python -m training vocabulary``. Similar words
are those at edit distance 1 (Levenshtein), and longer words at distance 2 with a substitution.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Vocabulary", "default_vocabulary"]

SHORTEST = 3
"""Letters of the shortest word: most pairs of letters occur in codes, too."""

_MOST_VARIANTS = 60
_TWO_CHANGES = 5, 6
"""Fewest letters of a word that may differ in two letters, or in a letter and its length."""
_TOKEN = re.compile(r"[^\W_]+")


class Vocabulary:
    """Words of lower-case ASCII letters."""

    def __init__(self, words: Iterable[str]) -> None:
        """Sort words by their length.

        Args:
            words: Words. Those with other characters than the letters a to z, and those of fewer
                than `SHORTEST` letters, are left out.
        """
        by_length: dict[int, set[str]] = {}
        for word in words:
            if len(word) >= SHORTEST and re.fullmatch("[a-z]+", word):
                by_length.setdefault(len(word), set()).add(word)
        self._words = {n: np.array(sorted(ws), f"S{n}") for n, ws in sorted(by_length.items())}

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Return the vocabulary of a file that `save` wrote."""
        vocabulary = cls(())
        with np.load(path, allow_pickle=False) as arrays:
            vocabulary._words = {int(n): arrays[n] for n in arrays.files}
        return vocabulary

    def save(self, path: Path) -> None:
        """Write the words: an array of sorted byte strings for each length."""
        np.savez_compressed(path, **{str(n): words for n, words in self._words.items()})  # type: ignore[arg-type]

    def __len__(self) -> int:
        """Return the number of words."""
        return sum(map(len, self._words.values()))

    def __contains__(self, word: str) -> bool:
        """Tell whether a word, in lower case, is in the vocabulary."""
        words = self._words.get(len(word))
        if words is None or not word.isascii():
            return False
        place = int(np.searchsorted(words, word.encode()))
        return place < len(words) and bool(words[place] == word.encode())

    def known_letters(self, text: str) -> int:
        """Return the number of letters of a text that stand in known words.

        A word counts in lower case, in upper case or with a first capital. In a text with digits,
        words of `SHORTEST` letters do not count: letters of plates and codes often spell a word.
        """
        least = SHORTEST + any(map(str.isdigit, text))
        return sum(
            len(token)
            for token in _TOKEN.findall(text)
            if len(token) >= least
            and (token.islower() or token.isupper() or token.istitle())
            and token.lower() in self
        )

    def is_known(self, text: str) -> bool:
        """Tell whether all letters and digits of a text stand in known words, at least one word."""
        letters = self.known_letters(text)
        return letters > 0 and letters == sum(map(str.isalnum, text))

    def variants(self, text: str) -> list[str]:
        """Return copies of a text in which an unknown word is replaced by a similar known one.

        Args:
            text: Text of a line. A word may hold one digit, from 5 characters on.

        Returns:
            At most 60 texts, in the letter case of the text.
        """
        found: list[str] = []
        for match in _TOKEN.finditer(text):
            token = match.group()
            if _may_be_word(token) and token.lower() not in self:
                before, after = text[: match.start()], text[match.end() :]
                similar = self._similar(token.lower())
                found += [before + _in_case_of(token, word) + after for word in similar]
        return found[:_MOST_VARIANTS]

    def _similar(self, token: str) -> Iterator[str]:
        """Yield the words that are similar to a token: those of its length first."""
        letters = np.frombuffer(token.encode(), np.uint8)
        n = len(letters)
        for length in (n, n + 1, n - 1):
            if length not in self._words:
                continue
            words = self._words[length]
            spelled = words.view(np.uint8).reshape(-1, length)
            if length == n:
                near = (spelled != letters).sum(1) <= 1 + (n >= _TWO_CHANGES[0])
            else:
                near = _changes_around_gap(spelled, letters) <= (n >= _TWO_CHANGES[1])
            yield from (word.decode() for word in words[near].tolist())


def _changes_around_gap(spelled: NDArray[np.uint8], letters: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the fewest substitutions besides one letter that is missing in a word or the token.

    Args:
        spelled: (words, m) letters of the words.
        letters: (m - 1,) or (m + 1,) letters of the token.
    """
    shared = min(spelled.shape[1], len(letters))
    none = np.zeros((len(spelled), 1), np.intp)
    from_start = np.cumsum(spelled[:, :shared] != letters[:shared], 1)
    from_end = np.cumsum(spelled[:, ::-1][:, :shared] != letters[::-1][:shared], 1)
    before = np.concatenate([none, from_start], 1)  # substitutions in the first 0, 1, … letters
    after = np.concatenate([none, from_end], 1)[:, ::-1]
    fewest: NDArray[np.intp] = (before + after).min(1)
    return fewest


def _may_be_word(token: str) -> bool:
    digits = sum(map(str.isdigit, token))
    return token.isascii() and len(token) >= SHORTEST and digits <= (len(token) >= 5)


def _in_case_of(token: str, word: str) -> str:
    """Return a word in the letter case of a token that may hold misread characters."""
    if token.islower():
        return word
    capitals = sum(map(str.isupper, token))
    return word.upper() if 2 * capitals > len(token) else word.capitalize()


@lru_cache(maxsize=1)
def default_vocabulary() -> Vocabulary:
    """Return the packaged vocabulary, loaded once."""
    return Vocabulary.load(Path(__file__).with_name("words.npz"))
