"""``python -m training language``: the character language model of the packaged reader."""

from __future__ import annotations

import argparse
from pathlib import Path

from sdk.arguments import positive_int
from sdk.charsets import CHARSETS
from sdk.recognize.language import LanguageModel
from training.synth.trigrams import log_trigrams, usual_texts

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    parser.add_argument("--count", type=positive_int, default=200_000, help="number of texts")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(call=_language, threads=None)


def _language(options: argparse.Namespace) -> None:
    symbols = CHARSETS["industrial"].symbols
    table = log_trigrams(usual_texts(options.count, options.seed), symbols)
    LanguageModel.save(options.out, symbols, table)
    print(f"{options.out}: {options.out.stat().st_size:,} bytes")
