"""`fots-lite bench`: time and memory that this machine needs to read a picture.

Each device and variant is measured in its own process, so that its memory is measured alone.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sdk import __version__
from sdk.arguments import positive_int
from sdk.cli.devices import NAMES
from sdk.cli.log import logger
from sdk.cli.measure import measure
from sdk.cli.options import add_command, add_reader_options, model_source, print_json
from sdk.cli.status import OK, UNUSABLE
from sdk.errors import DeviceError, SdkError
from sdk.image.load import load_image
from sdk.machine import cpu_name
from sdk.selftest import draw_sample

if TYPE_CHECKING:
    from sdk.image.load import ImageSource


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "bench", "Measure how fast this machine reads.")
    parser.set_defaults(run=run)
    parser.add_argument("image", nargs="?", help="picture to read (default: a drawn sample)")
    parser.add_argument("--runs", type=positive_int, default=20, metavar="N", help="default: 20")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_reader_options(parser)
    # without a device all devices are measured
    parser.set_defaults(device=None)


def run(args: argparse.Namespace) -> int:
    """Measure and print."""
    source: ImageSource = draw_sample() if args.image is None else args.image
    height, width = load_image(source).shape[:2]  # a bad picture fails before the model is loaded
    if args.device is not None and args.variant is not None:
        results, failures = [measure(args, source)], dict[str, str]()
    else:
        results, failures = _measure_all(args)
    result: dict[str, Any] = {
        "fots_lite": __version__,
        "system": platform.platform(),
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "image": args.image or "drawn sample",
        "width": width,
        "height": height,
        "runs": args.runs,
        "results": results,
        "unusable": failures,
    }
    if args.json:
        print_json(result)
    else:
        print(_table(result))
    return OK if results else UNUSABLE


def _measure_all(args: argparse.Namespace) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Measure all devices and variants, or the requested ones.

    Returns:
        The measurements, and the reason of failure for each device that cannot be used.

    Raises:
        DeviceError: The requested device cannot be used.
        ModelError: The bundle cannot be used, or has no such variant.
        OptionError: There is no such device.
    """
    from sdk.engine import check_options
    from sdk.engine.edgetpu import is_compiled
    from sdk.model.bundle import Bundle, read_manifest

    if args.device is not None:
        check_options(args.device, args.threads)
    source = model_source(args)
    folder, manifest = read_manifest(source)
    if args.variant is not None:
        Bundle.open(source, args.variant)
    results: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for device in NAMES if args.device is None else (args.device,):
        failures[device] = "The model has no variant for this device."
        for variant, graphs in manifest.variants.items():
            if args.variant not in (None, variant):
                continue
            path = folder / graphs.get("detector", graphs["line"]).file
            compiled = path.is_file() and is_compiled(path)
            if compiled != device.startswith("edgetpu"):
                continue
            try:
                results.append(_measure_apart(args, device, variant))
            except SdkError as error:
                failures[device] = str(error)
                break
            failures.pop(device, None)
    if not results and args.device is not None:
        raise DeviceError(failures[args.device])
    return results, failures


def _measure_apart(args: argparse.Namespace, device: str, variant: str) -> dict[str, Any]:
    """Return the measurement of a child process.

    Raises:
        SdkError: The child failed. The message is that of the child.
    """
    from sdk.engine.probe import child_environment

    command = [sys.executable, "-m", "sdk", "bench", "--json", "--runs", str(args.runs)]
    command += ["--device", device, "--variant", variant]
    command += ["--model", args.model] if args.model else []
    command += ["--detector", args.detector] if args.detector else []
    command += ["--threads", str(args.threads)] if args.threads else []
    command += ["--", args.image] if args.image else []
    done = subprocess.run(
        command, env=child_environment(), capture_output=True, text=True, check=False
    )
    said = done.stderr.strip().splitlines()
    if done.returncode:
        last = said[-1] if said else f"exit code {done.returncode}"
        raise SdkError(last.removeprefix("fots-lite: error: "))
    for line in said:
        if line.startswith("fots-lite: warning: "):
            logger.warning("%s", line.removeprefix("fots-lite: warning: "))
    result: dict[str, Any] = json.loads(done.stdout)["results"][0]
    return result


def _table(result: dict[str, Any]) -> str:
    rows = [
        f"image   {result['image']}, {result['width']} x {result['height']}",
        f"cpu     {result['cpu']}, {result['cores']} cores",
    ]
    for one in result["results"]:
        rows += ["", *_rows(one, result["runs"])]
    rows += [""] * bool(result["unusable"])
    rows += [f"device {name}: no: {reason}" for name, reason in result["unusable"].items()]
    return "\n".join(rows)


def _rows(one: dict[str, Any], runs: int) -> list[str]:
    threads = f"{one['threads']} thread" + ("s" if one["threads"] > 1 else "")
    rows = [
        f"{one['device']} {one['variant']}: {one['model']}, {one['interpreter']}, {threads}, "
        f"{one['lines']} lines",
        f"{'open':<12}{one['open_ms']:>9.1f} ms   (modules, interpreter, model)",
        f"{'first':<12}{one['first_ms']:>9.1f} ms",
        f"{'stage':<12}{'median':>12}{'p90':>12}   over {runs} runs",
    ]
    for name, spread in one["stages"].items():
        label = name.removesuffix("_ms")
        rows.append(f"{label:<12}{spread['median_ms']:>9.1f} ms{spread['p90_ms']:>9.1f} ms")
    if one["peak_rss_mib"] is not None:
        rows.append(f"peak memory {one['peak_rss_mib']:.0f} MiB")
    return rows
