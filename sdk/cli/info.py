"""`fots-lite info`: versions, machine, model, and the devices that can be used."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

from sdk import __version__
from sdk.cli.devices import device_rows, survey
from sdk.cli.options import add_command, add_reader_options, model_source, print_json
from sdk.cli.status import OK, UNUSABLE
from sdk.errors import DeviceError, ModelError
from sdk.machine import cpu_name

if TYPE_CHECKING:
    from sdk.model.bundle import Bundle

# Distributions with modules that the runtime uses, in order of preference.
PACKAGES = (
    "ai-edge-litert",
    "tflite-runtime",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "opencv-python",
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    summary = "Show versions, machine, model, and which devices can be used."
    parser = add_command(commands, "info", summary)
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_reader_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the report, and return 0 if the model can be used on the device, else 3."""
    # a late import, because --help must not wait for NumPy
    from sdk.engine import check_options

    check_options(args.device, args.threads)
    model = _model(args)
    devices = {} if "error" in model else survey(args)
    result: dict[str, Any] = {
        "fots_lite": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "packages": {name: _version(name) for name in PACKAGES},
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "interpreter": _interpreter(),
        "model": model,
        "devices": devices,
    }
    if args.json:
        print_json(result)
    else:
        print(_table(result))
    return OK if devices.get(args.device, {}).get("usable") else UNUSABLE


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _interpreter() -> dict[str, Any]:
    from sdk.engine.interpreter import find_interpreter

    try:
        return {"usable": True, "name": find_interpreter().name}
    except DeviceError as error:
        return {"usable": False, "reason": str(error)}


def _model(args: argparse.Namespace) -> dict[str, Any]:
    from sdk.model.bundle import Bundle

    try:
        return _describe(Bundle.open(model_source(args), args.variant))
    except ModelError as error:
        return {"error": str(error)}


def _describe(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "created": manifest.created,
        "folder": str(bundle.folder),
        "detector_folder": None if bundle.lender is None else str(bundle.lender.folder),
        "characters": len(manifest.charset),
        "default_variant": manifest.default_variant,
        "variants": {
            variant: {role: graph.bytes for role, graph in graphs.items()}
            for variant, graphs in manifest.variants.items()
        },
    }


def _table(result: dict[str, Any]) -> str:
    rows = [
        ("fots-lite", result["fots_lite"]),
        ("python", result["python"]),
        *((name, version or "not installed") for name, version in result["packages"].items()),
        ("system", result["system"]),
        ("cpu", f"{result['cpu']}, {result['cores']} cores"),
        ("interpreter", _interpreter_text(result["interpreter"])),
        *_model_rows(result["model"]),
        *device_rows(result["devices"]),
    ]
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in rows)


def _interpreter_text(about: dict[str, Any]) -> str:
    return str(about["name"]) if about["usable"] else f"no: {about['reason']}"


def _model_rows(model: dict[str, Any]) -> list[tuple[str, str]]:
    if "error" in model:
        return [("model", f"no: {model['error']}")]
    made = model["created"][:10]
    rows = [
        ("model", f"{model['name']} {model['version']} of {made}"),
        ("  folder", model["folder"]),
        *([("  detector of", model["detector_folder"])] if model["detector_folder"] else []),
        ("  characters", str(model["characters"])),
    ]
    for variant, graphs in model["variants"].items():
        sizes = ", ".join(f"{role} {size / 1e6:.2f} MB" for role, size in graphs.items())
        mark = ", default" if variant == model["default_variant"] else ""
        rows.append((f"  {variant}", f"{sizes}{mark}"))
    return rows
