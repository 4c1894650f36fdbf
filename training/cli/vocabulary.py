"""``python -m training vocabulary``: the words of the packaged reader."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from sdk.recognize.vocabulary import Vocabulary
from training.data.labels import has_text, read_labeled, split_of
from training.errors import TrainingError
from training.synth.phrases import PHRASES

__all__ = ["add_arguments"]

_WORD = re.compile(r"[^\W\d_]+")
_LEAST = 3
"""Fewest times that labels hold a word: labels hold misprints and cut-off words, too."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument(
        "words",
        type=Path,
        nargs="+",
        help="lists of words, where # begins a comment, or labeled folders, for the words that "
        "their labels hold three times",
    )
    parser.add_argument(
        "--more-frequent",
        type=Path,
        nargs="+",
        action="append",
        default=[],
        metavar="WORDS",
        help="the same, of more frequent words; given again, of still more frequent ones",
    )
    parser.add_argument(
        "--phrases",
        nargs="+",
        choices=sorted(PHRASES),
        default=[],
        metavar="SECTION",
        help="sections of the generator's phrases.txt, whose phrases are known as a whole",
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    parser.set_defaults(call=_vocabulary, threads=None)


def _words_of(paths: Iterable[Path]) -> set[str]:
    words: set[str] = set()
    for path in paths:
        words.update(_words_of_labels(path) if path.is_dir() else _words_of_list(path))
    return words


def _words_of_list(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"the words {path} cannot be read: {error}") from error
    return (word for line in lines for word in line.partition("#")[0].split())


def _words_of_labels(folder: Path) -> Iterator[str]:
    """Return the words of labels to train on, in lower case: labels are often all capitals."""
    texts = (
        str(label["text"])
        for _, record in read_labeled(folder)
        if split_of(record) == "train" and has_text(record)
        for label in record.get("texts", [record])
    )
    counts = Counter(word.lower() for text in texts for word in _WORD.findall(text))
    return (word for word, count in counts.items() if count >= _LEAST)


def _vocabulary(options: argparse.Namespace) -> None:
    phrases = [phrase for section in options.phrases for phrase in PHRASES[section]]
    lists = map(_words_of, (options.words, *options.more_frequent))
    vocabulary = Vocabulary(*lists, phrases=phrases)
    if not len(vocabulary):
        raise TrainingError("no list holds a word of three or more letters a to z")
    vocabulary.save(options.out)
    print(f"{options.out}: {len(vocabulary):,} words, {options.out.stat().st_size:,} bytes")
