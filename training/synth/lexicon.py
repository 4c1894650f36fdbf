# ruff: noqa: RUF001 (signs that look like ASCII characters)
"""Texts in an alphabet besides ASCII: words of the system's word lists, signs, made-up words.

Word lists are the files of ``/usr/share/dict``, where Debian's packages (wngerman, wfrench,
wpolish, …) put them. Without a list that has the alphabet's characters, words are made up: ASCII
words whose letters get accents, or letters of one script in a row.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import numpy as np

from training.synth.text import MAX_LENGTH, sample_text

__all__ = ["Lexicon"]

_SHARE = 0.6
_SIGNS_SHARE = 0.08

_FOLDER = Path("/usr/share/dict")
_MOST_WORDS = 400_000
_SIGNED = (
    "# €", "#,## €", "€ #.##", "€#", "#.## €/kg", "£#.##", "§ #", "## °C", "##°", "-#,# °C", "± #",
    "±#,# µm", "## µg", "# µF", "# m²", "# m³", "#.## kg/m³", "# cm³", "Ø #", "Ø ## mm", "½ l",
    "¼ kg", "# × #", "#×#", "#–#", "«#»", "№ #", "# ·", "¿#?", "„#“", "#…", "• #", "#®", "© ##",
    "#™",
)  # fmt: skip


class Lexicon:
    """Samples texts with given characters.

    Attributes:
        share: Share of these texts among all texts of the generator: large for letters, which no
            other text has, and small for signs, which stand in few real texts.
    """

    def __init__(self, more: str, folder: Path = _FOLDER) -> None:
        """Read the word lists.

        Args:
            more: Characters besides printable ASCII, at least one.
            folder: Folder of word lists, one word a line, in UTF-8.
        """
        self._more = more
        # the micro sign is a letter to Unicode, but stands in measures only
        letters = frozenset(c for c in more if c.isalpha() and c != "µ")
        self._letters = letters
        self.share = _SHARE if letters else _SIGNS_SHARE
        self._words = _words_with(folder, letters)
        self._scripts = _scripts(letters)
        self._accents = _accents(letters)
        signs = frozenset(more)
        self._signed = [
            form
            for form in _SIGNED
            if signs & set(form) and all(c in signs or c < "\x7f" for c in form)
        ]

    @property
    def words(self) -> int:
        """Number of words of the lists that have one of the characters."""
        return sum(map(len, self._words.values()))

    def sample(self, rng: np.random.Generator) -> str:
        """Return a text of 1 to `MAX_LENGTH` characters with single spaces."""
        u = rng.random()
        if self._signed and (u < 0.15 or not self._letters):
            return self._sign(rng)
        count = int(rng.integers(1, 4)) if u < 0.6 else 1
        words = [self._word(rng) for _ in range(count)]
        text = " ".join(words)
        if rng.random() < 0.25:
            text = text.upper() if self._has(text.upper()) else text
        return text[:MAX_LENGTH].strip() or words[0]

    def plain(self, rng: np.random.Generator) -> str:
        """Return a text of ASCII, for faces that lack the alphabet."""
        return sample_text(rng, "word")

    def _has(self, text: str) -> bool:
        return all(c in self._more or c <= "~" for c in text)

    def _word(self, rng: np.random.Generator) -> str:
        # a character first, so that rare ones are as frequent as others
        if self._words and rng.random() < 0.7:
            letter = list(self._words)[int(rng.integers(len(self._words)))]
            words = self._words[letter]
            word = words[int(rng.integers(len(words)))]
        else:
            word = self._made_up(rng)
        return word.capitalize() if rng.random() < 0.25 and self._has(word.capitalize()) else word

    def _made_up(self, rng: np.random.Generator) -> str:
        at = int(rng.integers(len(self._scripts) + bool(self._accents) or 1))
        if at < len(self._scripts):
            letters = list(self._scripts.values())[at]
            count = int(rng.integers(2, 10))
            return "".join(letters[int(i)] for i in rng.integers(0, len(letters), count))
        word, accents = [*sample_text(rng, "word")], self._accents
        for at, c in enumerate(word):
            if c in accents and rng.random() < 0.4:
                word[at] = accents[c][int(rng.integers(len(accents[c])))]
        others = accents.get("", "")  # letters without a base letter, such as ß
        if others and rng.random() < 0.4:
            word.insert(int(rng.integers(len(word) + 1)), others[int(rng.integers(len(others)))])
        return "".join(word)

    def _sign(self, rng: np.random.Generator) -> str:
        form = self._signed[int(rng.integers(len(self._signed)))]
        most = 1000 if form.count("#") == 1 else 10
        return "".join(str(int(rng.integers(1, most))) if c == "#" else c for c in form)


@lru_cache(maxsize=8)
def _words_with(folder: Path, letters: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Return the words of the lists that have a letter, by this letter."""
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if not path.is_file() or str(path.resolve()) in seen:
            continue
        seen.add(str(path.resolve()))
        try:
            words = path.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError):  # another program's file, or an old encoding
            continue
        # lists are sorted: the first words have few initials
        for word in words[:: -(-len(words) // _MOST_WORDS) or 1]:
            mine = letters.intersection(word)
            if mine and len(word) <= MAX_LENGTH and all(c in letters or c <= "~" for c in word):
                for letter in mine:
                    found.setdefault(letter, []).append(word)
    return {letter: tuple(found[letter]) for letter in sorted(found)}


def _scripts(letters: frozenset[str]) -> dict[str, str]:
    """Return the letters of scripts besides Latin, by script and case."""
    found: dict[str, str] = {}
    for c in sorted(letters):
        script = unicodedata.name(c, "").split()[0]
        if script not in ("LATIN", "FEMININE", "MASCULINE", "MICRO", ""):
            case = "lower" if c.islower() else "upper"
            found[f"{script} {case}"] = found.get(f"{script} {case}", "") + c
    return {name: symbols for name, symbols in found.items() if len(symbols) > 3}


def _accents(letters: frozenset[str]) -> dict[str, str]:
    """Return the accented Latin letters by their base letter, others by an empty string."""
    found: dict[str, str] = {}
    for c in sorted(letters):
        if unicodedata.name(c, "").startswith("LATIN"):
            base = unicodedata.normalize("NFD", c)[0]
            base = base if base < "\x7f" else ""
            found[base] = found.get(base, "") + c
    return found
