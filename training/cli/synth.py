"""``python -m training synth``: write shards of generated photos or strips, and preview sheets."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sdk.arguments import positive_int
from sdk.errors import SdkError
from sdk.files import write_atomically
from training.data.shards import ShardError, read_encoded, shard_path
from training.synth.fonts import FontError
from training.synth.generator import Generator, SynthConfig
from training.synth.preview import sheet
from training.synth.workers import write_shards

SETTINGS = "synth.json"
"""File beside the shards that says how they were made."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training synth", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder of the shards")
    parser.add_argument(
        "--count", type=positive_int, default=1000, help="samples over all machines"
    )
    parser.add_argument("--per-shard", type=positive_int, help="samples a shard (500; strips 2000)")
    parser.add_argument("--shard", default="0/1", help="i/n: this machine makes every n-th shard")
    parser.add_argument("--kind", choices=("photo", "strip"), default="photo")
    parser.add_argument("--size", default="512x512", help="WxH of a photo in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", default="", help="comma-separated scenes; all by default")
    parser.add_argument("--fonts", help="folder of fonts; the system's by default")
    parser.add_argument("--photos", help="folder of your own photos as backgrounds")
    parser.add_argument("--severity", type=float, default=1.0, help="strength of degradations")
    parser.add_argument(
        "--scans", type=float, default=0.05, help="share of scans in black and white"
    )
    parser.add_argument("--workers", type=positive_int, default=os.cpu_count() or 1)
    parser.add_argument("--preview", type=Path, help="write a sheet of samples to this picture")
    return parser


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise ValueError(f"--size {text}: want WIDTHxHEIGHT in pixels, such as 512x512.") from None
    if min(width, height) < 64 or max(width, height) > 4096:
        raise ValueError(f"--size {text}: each side must be 64 to 4096 pixels.")
    return width, height


def _part(text: str) -> tuple[int, int]:
    try:
        part, parts = (int(number) for number in text.split("/"))
    except ValueError:
        part, parts = 0, 0
    if not 0 <= part < parts:
        raise ValueError(f"--shard {text}: want i/n with 0 <= i < n, such as 0/1.")
    return part, parts


def main(argv: Sequence[str]) -> int:
    """Generate what the command line asks for; return the exit code.

    0: done, 1: a failure, 2: wrong usage, 130: interrupted.
    """
    options = _parser().parse_args(argv)
    try:
        size, (part, parts) = _size(options.size), _part(options.shard)
        if options.out is None and options.preview is None:
            raise ValueError("Give --out DIR for shards, --preview FILE.png for a sheet, or both.")
        config = SynthConfig(
            seed=options.seed,
            fonts=options.fonts,
            photos=options.photos,
            scenes=tuple(filter(None, options.scenes.split(","))),
            severity=options.severity,
            scans=options.scans,
        )
        generator = Generator(config)
        if options.preview is not None:
            sheet(generator, options.kind, size, options.preview)
        if options.out is not None:
            _generate(options, config, size, part, parts)
    except (ValueError, FontError) as error:
        print(f"synth: {error}", file=sys.stderr)
        return 2
    except (ShardError, SdkError) as error:
        print(f"synth: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("synth: interrupted; whole shards are kept, run it again to go on", file=sys.stderr)
        return 130
    return 0


def _settings(
    options: argparse.Namespace, config: SynthConfig, size: tuple[int, int], per_shard: int
) -> dict[str, Any]:
    """Return all that the content of a shard follows from but its number; folders by name."""
    values = {**asdict(config), "kind": options.kind, "per_shard": per_shard}
    values["size"] = size if options.kind == "photo" else None
    for name in ("fonts", "photos"):
        values[name] = values[name] and Path(values[name]).name
    settings: dict[str, Any] = json.loads(json.dumps(values))
    return settings


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Write down how a folder's shards are made; refuse one whose were made otherwise."""
    path = folder / SETTINGS
    if path.exists():
        saved = json.loads(path.read_text(encoding="utf-8"))
        other = [
            f"{name} is {value!r} there, not {settings.get(name)!r}"
            for name, value in saved.items()
            if value != settings.get(name)
        ]
        if other:
            raise ValueError(
                f"{folder} holds shards made with other settings: {'; '.join(other)}. "
                "Choose another --out."
            )
    elif not any(folder.glob("shard-*.tar")):  # older shards may have been made anyhow
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ShardError(f"Could not make {folder}: {error.strerror or error}.") from error
        write_atomically(path, json.dumps(settings, indent=1).encode())


def _generate(
    options: argparse.Namespace, config: SynthConfig, size: tuple[int, int], part: int, parts: int
) -> None:
    per_shard = options.per_shard or (2000 if options.kind == "strip" else 500)
    _claim(options.out, _settings(options, config, size, per_shard))
    starts = range(0, options.count, per_shard)[part::parts]
    wanted = {
        shard_path(options.out, start // per_shard): range(
            start, min(start + per_shard, options.count)
        )
        for start in starts
    }
    # a shard that exists is whole: an interrupted run goes on
    there = [path for path in wanted if path.exists()]
    # but the last one ends where an earlier, smaller --count did
    if there and sum(1 for _ in read_encoded(there[-1])) < len(wanted[there[-1]]):
        there.pop().unlink()
    if there:
        print(f"synth: {len(there)} of {len(wanted)} shards are there already", file=sys.stderr)
    jobs = [(path, indices) for path, indices in wanted.items() if path not in there]
    began, made, number = time.perf_counter(), 0, 0

    def tell(count: int) -> None:
        nonlocal made, number
        made, number = made + count, number + 1
        seconds = time.perf_counter() - began
        print(
            f"synth: shard {number}/{len(jobs)}, {made} samples, {made / seconds:.0f}/s, "
            f"{(len(jobs) - number) * seconds / number:.0f} s left",
            file=sys.stderr,
        )

    write_shards(jobs, config, options.kind, size, options.workers, tell)
