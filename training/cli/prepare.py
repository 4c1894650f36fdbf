"""``python -m training lines prepare`` and ``photos prepare``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sdk.charset import Charset
from sdk.charsets import CHARSETS

if TYPE_CHECKING:
    from training.prepare.form import Form
    from training.prepare.source import Wanted

__all__ = ["add_line_arguments", "add_photo_arguments"]


def add_line_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of lines."""
    prepare = _prepare_parser(
        parser, "write a labeled folder from pictures of lines and their labels"
    )
    _add_source_arguments(prepare)
    prepare.add_argument(
        "--null-text", default="", help="text of lines without a text (default: leave them out)"
    )
    prepare.set_defaults(call=_prepare_lines)


def add_photo_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of photos."""
    prepare = _prepare_parser(
        parser, "write a labeled folder from photos and their texts with boxes"
    )
    prepare.add_argument(
        "--labels",
        type=Path,
        help="file of labels: JSONL, JSON, COCO, PaddleOCR (default: the one in the folder)",
    )
    prepare.set_defaults(call=_prepare_photos)


def _prepare_parser(parser: argparse.ArgumentParser, description: str) -> argparse.ArgumentParser:
    commands = parser.add_subparsers(dest="prepare", required=True)
    prepare = commands.add_parser("prepare", help=description, description=description)
    _add_common_arguments(prepare)
    return prepare


def _add_source_arguments(parser: argparse.ArgumentParser) -> None:
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
    add = parser.add_argument
    add("--image-column", default="", metavar="NAME", help="column of the picture in a table")
    add("--text-column", default="", metavar="NAME", help="column of the text in a table")


def _add_common_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", type=Path, help="folder of pictures")
    add("--out", type=Path, required=True, metavar="DATASET", help="labeled folder to write")
    add("--encoding", default="utf-8", help="encoding of the file of labels (default: utf-8)")
    add(
        "--charset",
        default="ascii",
        metavar="NAME",
        help="characters that may occur: auto for those of the texts, the characters, or a "
        f"name: {', '.join(CHARSETS)} (default: ascii)",
    )
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
        help="pictures of one source stay in one split: its name is the first group in the path",
    )
    add(
        "--check-labels",
        action="store_true",
        help="read all lines with the packaged model to find wrong labels",
    )
    parser.set_defaults(threads=None)


def _charset(text: str) -> Charset | None:
    if text == "auto":
        return None
    return CHARSETS[text] if text in CHARSETS else Charset(text)


def _prepare_lines(options: argparse.Namespace) -> None:
    from training.prepare.lines import LINES
    from training.prepare.source import Wanted
    from training.prepare.tables import Columns

    wanted = Wanted(
        labels=options.labels,
        names=options.from_filename,
        folders=options.from_folder,
        encoding=options.encoding,
        columns=Columns(options.image_column, options.text_column),
    )
    _prepare(LINES, wanted, options.null_text, options)


def _prepare_photos(options: argparse.Namespace) -> None:
    from training.prepare.photos import PHOTOS
    from training.prepare.source import Wanted

    _prepare(PHOTOS, Wanted(labels=options.labels, encoding=options.encoding), "", options)


def _prepare(form: Form, wanted: Wanted, null_text: str, options: argparse.Namespace) -> None:
    from training.prepare.dataset import Preparation, prepare
    from training.prepare.examine import TextRules

    rules = TextRules(
        charset=_charset(options.charset),
        null_text=null_text,
        null_values=tuple(options.null_values),
    )
    summary = prepare(
        Preparation(
            form=form,
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
