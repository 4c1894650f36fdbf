"""``python -m training specialize``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sdk.arguments import positive_int
from training.startup import load_keras

__all__ = ["add_arguments"]

_KINDS = ("outline", "dots", "segments")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    add = parser.add_argument
    add("--photos", type=Path, required=True, help="folder of photos of the product")
    add(
        "--pattern",
        action="append",
        required=True,
        metavar="REGEX",
        help='pattern of a whole line, such as "LOT [0-9]{2}[A-Z][0-9]{3}"; may be repeated',
    )
    add("--out", type=Path, required=True, metavar="BUNDLE", help="bundle to write")
    add("--minutes", type=_minutes, default=60.0, help="time of training (default: 60)")
    add("--base", metavar="BUNDLE", help="bundle to start from (default: packaged)")
    add("--lines", type=positive_int, default=6000, help="lines to generate (default: 6000)")
    add(
        "--general",
        type=Path,
        metavar="SHARDS",
        help="shards of other line images (default: generated)",
    )
    add("--print", dest="kind", choices=_KINDS, help="kind of print (default: the most similar)")
    add("--fonts", type=Path, help="folder of fonts (default: the system's)")
    add(
        "--held",
        type=positive_int,
        default=300,
        help="generated lines in the report (default: 300)",
    )
    add("--threads", type=positive_int, help="CPU threads")
    parser.set_defaults(call=_specialize)


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes above 0")
    return value


def _specialize(options: argparse.Namespace) -> None:
    load_keras()
    from sdk.model.bundle import DEFAULT_BUNDLE
    from sdk.model.store import resolve
    from training.errors import TrainingError
    from training.specialize.work import Options, specialize
    from training.synth.fonts import FontError

    wanted = Options(
        photos=options.photos,
        patterns=tuple(options.pattern),
        out=options.out,
        minutes=options.minutes,
        base=DEFAULT_BUNDLE if options.base is None else resolve(options.base),
        lines=options.lines,
        general=options.general,
        kind=options.kind,
        fonts=options.fonts,
        held=options.held,
        threads=options.threads,
    )
    try:
        specialize(wanted, lambda text: print(text, file=sys.stderr, flush=True))
    except FontError as error:
        raise TrainingError(str(error)) from error
