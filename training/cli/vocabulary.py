"""``python -m training vocabulary``: the words of the packaged reader."""

from __future__ import annotations

import argparse
from pathlib import Path

from sdk.recognize.vocabulary import Vocabulary
from training.errors import TrainingError

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("words", type=Path, nargs="+", help="lists of words; # begins a comment")
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    parser.set_defaults(call=_vocabulary, threads=None)


def _vocabulary(options: argparse.Namespace) -> None:
    words: set[str] = set()
    for path in options.words:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise TrainingError(f"the words {path} cannot be read: {error}") from error
        words.update(w for line in lines for w in line.partition("#")[0].split())
    vocabulary = Vocabulary(words)
    if not len(vocabulary):
        raise TrainingError("no list holds a word of three or more letters a to z")
    vocabulary.save(options.out)
    print(f"{options.out}: {len(vocabulary):,} words, {options.out.stat().st_size:,} bytes")
