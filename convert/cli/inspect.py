"""``python -m convert inspect``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    parser.add_argument("path", type=Path, metavar="FILE|BUNDLE")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(call=_inspect)


def _inspect(options: argparse.Namespace) -> int:
    from convert.tflite.inspect import inspect_path, table

    graphs = inspect_path(options.path)
    if options.json:
        print(json.dumps([graph.to_dict() for graph in graphs], indent=2))
    else:
        print("\n\n".join(table(graph) for graph in graphs))
    return 0
