"""``python -m training lines prepare``."""

from __future__ import annotations

import argparse
from pathlib import Path

from sdk.charset import Charset
from sdk.charsets import CHARSETS

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="lines", required=True)
    prepare = commands.add_parser(
        "prepare", help="write a labeled folder from pictures of lines and their labels"
    )
    _add_prepare_arguments(prepare)


def _add_prepare_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, help="folder of pictures")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--labels",
        type=Path,
        help="file of labels: CSV, TSV, TXT, JSONL, JSON, COCO (default: the one in the folder)",
    )
    source.add_argument(
        "--from-filename",
        default="",
        metavar="REGEX",
        help="the text is in the names of the files: its first group",
    )
    source.add_argument(
        "--from-folder", action="store_true", help="the text is the name of the picture's folder"
    )
    add("--out", type=Path, required=True, metavar="DATASET", help="labeled folder to write")
    add("--image-column", default="", metavar="NAME", help="column of the picture in a table")
    add("--text-column", default="", metavar="NAME", help="column of the text in a table")
    add("--encoding", default="utf-8", help="encoding of the file of labels (default: utf-8)")
    add(
        "--charset",
        default="ascii",
        metavar="NAME",
        help="characters that may occur: auto for those of the texts, the characters, or a "
        f"name: {', '.join(CHARSETS)} (default: ascii)",
    )
    add("--null-text", default="", help="text of lines without a text (default: leave them out)")
    add(
        "--null-values",
        nargs="*",
        default=["###"],
        metavar="TEXT",
        help="texts that stand for no text (default: ###)",
    )
    add("--split", default="80/10/10", help="shares of train/validation/test, in percent")
    add(
        "--group",
        default="",
        metavar="REGEX",
        help="lines of one photo stay in one split: the photo is the first group in the path",
    )
    add(
        "--check-labels",
        action="store_true",
        help="read all lines with the packaged model to find wrong labels",
    )
    parser.set_defaults(call=_prepare, threads=None)


def _charset(text: str) -> Charset | None:
    if text == "auto":
        return None
    return CHARSETS[text] if text in CHARSETS else Charset(text)


def _prepare(options: argparse.Namespace) -> None:
    from training.prepare.dataset import Preparation, prepare_lines
    from training.prepare.examine import TextRules
    from training.prepare.source import Wanted
    from training.prepare.tables import Columns

    rules = TextRules(
        charset=_charset(options.charset),
        null_text=options.null_text,
        null_values=tuple(options.null_values),
    )
    wanted = Wanted(
        labels=options.labels,
        names=options.from_filename,
        folders=options.from_folder,
        encoding=options.encoding,
        columns=Columns(options.image_column, options.text_column),
    )
    summary = prepare_lines(
        Preparation(
            folder=options.folder,
            out=options.out,
            wanted=wanted,
            rules=rules,
            shares=options.split,
            group=options.group,
            check=options.check_labels,
        )
    )
    print(summary.table())
    print(f"wrote {options.out}: labels.jsonl, manifest.csv, statistics.json, samples.png, …")
