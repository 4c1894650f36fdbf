"""Arguments of ``python -m training sweep``."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from sdk.arguments import positive_int

__all__ = ["add_arguments"]

_log = logging.getLogger("training")

# Names of earlier versions, still accepted.
_RENAMED = {
    "second look": ("lines from pixels", "candidate views"),
    "turned look": ("doubtful lines turned",),
    "cuts of a crop": ("candidate views of a crop",),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("--bundle", required=True, help="exported bundle")
    parser.add_argument(
        "--data", required=True, help="folder of photo shards that were not trained on"
    )
    parser.add_argument(
        "--only", default="", help="groups of settings, separated by commas (default: all)"
    )
    parser.add_argument("--limit", type=positive_int, help="greatest number of photos")
    parser.add_argument("--write", action="store_true", help="store the choice in the bundle")
    parser.set_defaults(call=_call, threads=None)


def _call(options: argparse.Namespace) -> None:
    from training.errors import TrainingError
    from training.evaluate.sweep.plan import GROUPS
    from training.evaluate.sweep.run import sweep

    known = {group.name: group for group in GROUPS}
    asked = options.only.split(",") if options.only else list(known)
    for old in set(asked) & set(_RENAMED):
        _log.warning("The group %r is called %s now.", old, " and ".join(map(repr, _RENAMED[old])))
    names = [new for name in asked for new in _RENAMED.get(name, (name,))]
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
