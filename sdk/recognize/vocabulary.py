"""A vocabulary of words, by which the vote of a line prefers words and finds misread ones.

The vocabulary is the words of SCOWL up to size 60 (Debian's package wamerican, see
`words-license.txt`) and of the training texts, see ``python -m training vocabulary``. Its levels of
frequency are 1 for SCOWL's size 20, 2 for its size 10 and 3 for the training texts. Similar words
are those at edit distance 1 (Levenshtein), and longer words at distance 2 with a substitution.
Phrases are known as a whole, see `sdk.recognize.phrases`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sdk.recognize.phrases import Phrases

__all__ = ["Vocabulary", "default_vocabulary"]

SHORTEST = 3
"""Letters of the shortest word: most pairs of letters occur in codes, too."""

_MOST_VARIANTS = 60
_TWO_CHANGES = 5, 6
"""Fewest letters of a word that may differ in two letters, or in a letter and its length."""
_LEVELS = "levels-{}"
"""Name of the array of the frequency levels of the words of a length."""
_PHRASES = "phrases"
_PHRASE_LEVEL = 3
"""Frequency level of the words of a phrase."""

_TOKEN = re.compile(r"[^\W_]+")
_SMALL = ord("a") - ord("A")
"""Bit that tells a small letter from a capital."""
_HALF = 13
_ONES = np.array([bin(i).count("1") for i in range(1 << _HALF)], np.uint8)
"""Number of ones of each half of a set of the 26 letters."""


class Vocabulary:
    """Words of ASCII letters. A word with a capital is a name, which no text has in lower case."""

    def __init__(
        self, words: Iterable[str], *more_frequent: Iterable[str], phrases: Iterable[str] = ()
    ) -> None:
        """Sort words by their length.

        Args:
            words: Words. Those with other characters than the letters a to z and A to Z, and those
                of fewer than `SHORTEST` letters, are left out. A name that is a word, too, is none.
            *more_frequent: Further words. Those of the first argument have frequency level 1, those
                of the second level 2, and so on. A word of several levels has the highest one.
            phrases: Phrases, see `sdk.recognize.phrases.Phrases`.
        """
        self._phrases = Phrases(phrases)
        written: dict[str, str] = {}
        level_of: dict[str, int] = {}
        for level, listed in enumerate((words, *more_frequent)):
            for word in listed:
                if len(word) >= SHORTEST and word.isascii() and word.isalpha():
                    written[word.lower()] = max(written.get(word.lower(), ""), word)
                    level_of[word.lower()] = level
        by_length: dict[int, list[str]] = {}
        for lower in sorted(written):
            by_length.setdefault(len(lower), []).append(lower)
        self._take(
            {n: np.array([written[x] for x in each], f"S{n}") for n, each in by_length.items()},
            {n: np.array([level_of[x] for x in each], np.uint8) for n, each in by_length.items()},
        )

    def _take(
        self, written: dict[int, NDArray[np.bytes_]], levels: dict[int, NDArray[np.uint8]]
    ) -> None:
        """Take the words of each length, with their capitals, sorted without them."""
        self._written, self._levels = written, levels
        spelled = {n: _spelled(words) for n, words in written.items()}
        self._common: dict[int, NDArray[np.bool_]] = {
            n: np.all(letters >= ord("a"), axis=1) for n, letters in spelled.items()
        }
        self._spelled = {n: letters | np.uint8(_SMALL) for n, letters in spelled.items()}
        self._words = {n: x.view(f"S{n}")[:, 0] for n, x in self._spelled.items()}
        self._sets = {n: _letter_sets(letters) for n, letters in self._spelled.items()}

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Return the vocabulary of a file that `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            phrases = arrays[_PHRASES].tolist() if _PHRASES in arrays else ()
            vocabulary = cls((), phrases=phrases)
            lengths = sorted(int(name) for name in arrays.files if name.isdigit())
            vocabulary._take(
                {n: arrays[str(n)] for n in lengths},
                {n: arrays[_LEVELS.format(n)] for n in lengths},
            )
        return vocabulary

    def save(self, path: Path) -> None:
        """Write the phrases, and the words of each length: sorted byte strings and their levels."""
        arrays: dict[str, NDArray[Any]] = {str(n): words for n, words in self._written.items()}
        arrays[_PHRASES] = np.array(list(self._phrases), np.str_)
        arrays |= {_LEVELS.format(n): levels for n, levels in self._levels.items()}
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    def __len__(self) -> int:
        """Return the number of words."""
        return sum(map(len, self._words.values()))

    def __contains__(self, word: str) -> bool:
        """Tell whether a word is known: in lower or upper case, or with a first capital."""
        return self._level(word) is not None

    def _level(self, word: str) -> int | None:
        """Return the frequency level of a word. None if the word is unknown."""
        words = self._words.get(len(word))
        if words is None or not (word.islower() or word.isupper() or word.istitle()):
            return None
        wanted = word.lower().encode(errors="replace")
        place = int(np.searchsorted(words, wanted))
        if place == len(words) or words[place] != wanted:
            return None
        if word.islower() and not self._common[len(word)][place]:
            return None
        return int(self._levels[len(word)][place])

    def known_letters(self, text: str) -> tuple[int, int]:
        """Return how many letters of a text stand in known words.

        In a text with digits, words of `SHORTEST` letters do not count, and in no text do their
        levels count: letters of plates and codes often spell a word. All words of a phrase count.

        Returns:
            The number of letters, and the sum over them of the frequency levels of their words.
        """
        known = list(self._known(text))
        return sum(n for n, _ in known), sum(n * level for n, level in known)

    def _known(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the number of letters and the frequency level of each known word of a text."""
        least = SHORTEST + any(map(str.isdigit, text))
        places = self._phrases.places(text)
        for match in _TOKEN.finditer(text):
            word, at = match.group(), match.start()
            if any(start <= at < end for start, end in places):
                yield len(word), _PHRASE_LEVEL
            elif len(word) >= least and (level := self._level(word)) is not None:
                yield len(word), level if len(word) > SHORTEST else 0

    def is_known(self, text: str) -> bool:
        """Tell whether all letters and digits of a text stand in known words, at least one word."""
        letters, _ = self.known_letters(text)
        return letters > 0 and letters == sum(map(str.isalnum, text))

    def variants(self, text: str) -> list[str]:
        """Return copies of a text in which a phrase or a known word replaces a similar unknown one.

        Args:
            text: Text of a line. A word may hold one digit, from 5 characters on.

        Returns:
            At most 60 texts, in the letter case of the text.
        """
        found = self._phrases.variants(text)
        for match in _TOKEN.finditer(text):
            token = match.group()
            if _may_be_word(token) and token.lower() not in self and token.upper() not in self:
                before, after = text[: match.start()], text[match.end() :]
                similar = self._similar(token.lower(), names=not token.islower())
                found += [before + _in_case_of(token, word) + after for word in similar]
        return found[:_MOST_VARIANTS]

    def _similar(self, token: str, names: bool) -> Iterator[str]:
        """Yield the words, and names if wanted, that are similar to a token in lower case."""
        n = len(token)
        [letters] = _spelled(np.array([token.encode()]))
        [letter_set] = _letter_sets(letters[None])
        for length in (n, n + 1, n - 1):
            if length not in self._words:
                continue
            changes = n >= _TWO_CHANGES[length != n]
            # most words have too many other letters: they are not compared letter by letter
            other = self._sets[length] ^ letter_set
            alike = np.flatnonzero(
                _count(other) <= (2 + 2 * changes if length == n else 1 + 2 * changes)
            )
            spelled = self._spelled[length][alike]
            if length == n:
                near = (spelled != letters).sum(1) <= 1 + changes
            else:
                near = _changes_around_gap(spelled, letters) <= changes
            near &= names | self._common[length][alike]
            yield from (word.decode() for word in self._words[length][alike[near]].tolist())


def _spelled(words: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Return the bytes of words of one length, (words, length)."""
    return words.view(np.uint8).reshape(len(words), words.itemsize)


def _letter_sets(spelled: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the set of letters of each word, a bit each. Other characters have no bit."""
    bits = np.where(spelled >= ord("a"), np.uint32(1) << (spelled - np.uint32(ord("a"))), 0)
    sets: NDArray[np.uint32] = np.bitwise_or.reduce(bits.astype(np.uint32), 1)
    return sets


def _count(sets: NDArray[np.uint32]) -> NDArray[np.intp]:
    """Return the number of letters of each set."""
    numbers: NDArray[np.intp] = (
        _ONES[sets >> _HALF].astype(np.intp) + _ONES[sets & (len(_ONES) - 1)]
    )
    return numbers


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
