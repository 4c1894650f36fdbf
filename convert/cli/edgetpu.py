"""``python -m convert edgetpu``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from convert.cli.arguments import say

__all__ = ["add_arguments"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command and its function."""
    add = parser.add_argument
    add("path", type=Path, metavar="BUNDLE|FILE")
    add("--variant", default="int8", metavar="NAME", help="variant to compile (default: int8)")
    add("--out", type=Path, metavar="BUNDLE", help="bundle to write (default: the given bundle)")
    add("--force", action="store_true", help="replace an existing bundle")
    add("--check-only", action="store_true", help="check only, without compilation")
    add("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(call=_edgetpu)


def _edgetpu(options: argparse.Namespace) -> int:
    from convert.tflite.edgetpu import (
        check,
        check_record,
        check_table,
        compile_bundle,
        mapped_share,
    )
    from convert.tflite.inspect import inspect_variant

    graphs = inspect_variant(options.path, options.variant)
    if options.json:
        print(json.dumps(check_record(graphs), indent=2))
    else:
        print("\n\n".join(check_table(graph) for graph in graphs))
    if options.check_only or not options.path.is_dir():
        return 1 if any(check(graph) for graph in graphs) else 0
    target = options.out or options.path
    force = options.force or options.out is None
    reports = compile_bundle(options.path, target, options.variant, force=force)
    tell = say if options.json else print
    for role, report in reports.items():
        tell(f"{role}: {mapped_share(report):.0%} of the operations mapped by the compiler")
    say(f"wrote {target}")
    return 0
