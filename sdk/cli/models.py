"""`fots-lite models`: the installed bundles, by name."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sdk.cli.options import add_command, print_json
from sdk.cli.status import OK, UNUSABLE


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "models", "List the installed models.")
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the installed bundles, and return 0, or 3 if one of them cannot be used."""
    # a late import, because --help must not wait for NumPy
    from sdk.model.store import installed, search_path

    rows = {name: _describe(folder) for name, folder in installed().items()}
    if args.json:
        print_json({"models": rows, "search_path": [str(path) for path in search_path()]})
    else:
        width = max([len(name) for name in rows] + [4]) + 2
        for name, row in rows.items():
            print(f"{name:<{width}}{_text(row)}")
    return UNUSABLE if any("error" in row for row in rows.values()) else OK


def _describe(folder: Path) -> dict[str, Any]:
    from sdk.charsets import CHARSETS
    from sdk.errors import ModelError
    from sdk.model.bundle import Bundle

    try:
        bundle = Bundle.open(folder)
    except ModelError as error:
        return {"folder": str(folder), "error": str(error)}
    manifest = bundle.manifest
    known = [name for name, charset in CHARSETS.items() if charset == manifest.charset]
    return {
        "folder": str(folder),
        "name": manifest.name,
        "version": manifest.version,
        "charset": known[0] if known else None,
        "characters": len(manifest.charset),
        "bytes": sum(spec.bytes for spec in manifest.variants[bundle.variant].values()),
        "detector_of": None if bundle.lender is None else bundle.lender.folder.name,
        "graphs": list(bundle.roles),
    }


def _text(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"unusable: {row['error']}"
    charset = f"{row['characters']} characters"
    charset += f" ({row['charset']})" if row["charset"] else ""
    parts = [f"{row['name']} {row['version']}", charset, f"{row['bytes'] / 1e6:.2f} MB"]
    if row["detector_of"]:
        parts.append(f"detector of {row['detector_of']}")
    elif "detector" not in row["graphs"]:
        parts.append("single lines only")
    return ", ".join([*parts, row["folder"]])
