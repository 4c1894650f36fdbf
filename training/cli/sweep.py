"""Arguments of ``python -m training sweep``."""

from __future__ import annotations

import argparse
from pathlib import Path

from sdk.arguments import positive_int

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments and what it calls."""
    parser.add_argument("--bundle", required=True, help="exported bundle")
    parser.add_argument("--data", required=True, help="folder of photo shards, never trained on")
    parser.add_argument(
        "--only", default="", help="groups of settings, by commas; all if not given"
    )
    parser.add_argument("--limit", type=positive_int, help="most photos")
    parser.add_argument("--write", action="store_true", help="store the choice in the bundle")
    parser.set_defaults(call=_call, threads=None)


def _call(options: argparse.Namespace) -> None:
    from training.errors import TrainingError
    from training.evaluate.sweep.plan import GROUPS
    from training.evaluate.sweep.run import sweep

    known = {group.name: group for group in GROUPS}
    names = options.only.split(",") if options.only else list(known)
    if set(names) - set(known):
        raise TrainingError(
            f"Unknown groups {', '.join(sorted(set(names) - set(known)))}; "
            f"known are {', '.join(known)}."
        )
    sweep(
        Path(options.bundle),
        Path(options.data),
        [group for group in GROUPS if group.name in names],
        limit=options.limit,
        write=options.write,
        progress=lambda text: print(text, flush=True),
    )
