"""``python -m training synth``: shards of generated photos or line images, and preview sheets."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sdk.arguments import positive_int, share
from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.charsets import CHARSETS
from sdk.errors import SdkError
from sdk.files import write_atomically
from training.data.shards import ShardError, read_encoded, shard_path
from training.progress import Progress
from training.synth.fonts import FontError
from training.synth.generator import Generator, SynthConfig
from training.synth.origin import origin
from training.synth.preview import sheet
from training.synth.workers import write_shards

SETTINGS = "synth.json"
"""File beside the shards with the settings of the generator."""


_OLD_LINE = "strip"  # the kind "line" of earlier versions


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m training synth", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder of the shards")
    parser.add_argument(
        "--count", type=positive_int, default=1000, help="number of samples of all machines"
    )
    parser.add_argument(
        "--per-shard",
        type=positive_int,
        help="samples in a shard (default: a 16th of --count, 25 to 500 photos, 100 to 2000 lines)",
    )
    parser.add_argument("--shard", default="0/1", help="i/n: this machine writes every n-th shard")
    parser.add_argument("--kind", type=_kind, choices=("photo", "line"), default="photo")
    parser.add_argument("--size", default="512x512", help="WxH of a photo in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scenes", default="", help="comma-separated scenes (default: all)")
    parser.add_argument("--fonts", help="folder of fonts (default: the system's)")
    parser.add_argument("--photos", help="folder of your own photos as backgrounds")
    parser.add_argument(
        "--charset",
        type=_charset,
        default=DEFAULT_CHARSET.symbols,
        help=f"characters of the labels, or one of {', '.join(CHARSETS)} (default: ascii)",
    )
    parser.add_argument("--severity", type=float, default=1.0, help="strength of degradations")
    parser.add_argument(
        "--likeness",
        type=_likeness,
        default=-1.0,
        metavar="R",
        help="least correlation of each character with its ink in line images, up to 0.95, such "
        "as 0.6 (default: -1, any)",
    )
    parser.add_argument(
        "--scans", type=share, default=0.05, help="share of scans in black and white"
    )
    parser.add_argument("--workers", type=positive_int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--cluster",
        metavar="HOST:PORT",
        help="Ray cluster that writes the shards, one task a shard, instead of --workers",
    )
    parser.add_argument("--preview", type=Path, help="picture to write, with a sheet of samples")
    return parser


def _kind(text: str) -> str:
    if text == _OLD_LINE:
        print(f"synth: --kind {text} is deprecated: use --kind line", file=sys.stderr)
        return "line"
    return text


def _charset(text: str) -> str:
    try:
        return (CHARSETS[text] if text in CHARSETS else Charset(text)).symbols
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _likeness(text: str) -> float:
    value = float(text)
    if not -1 <= value <= 0.95:  # hardly a line is more like its ink
        raise argparse.ArgumentTypeError(f"{text}: want a number from -1 to 0.95")
    return value


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
    """Run the command and return its exit code.

    0: success, 1: failure, 2: wrong usage, 130: interrupted.
    """
    options = build_parser().parse_args(argv)
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
            likeness=options.likeness,
            scans=options.scans,
            charset=options.charset,
        )
        generator = Generator(config)
        if options.preview is not None:
            sheet(generator, options.kind, size, options.preview)
        if options.out is not None:
            _generate(options, generator, size, part, parts)
    except (ValueError, FontError) as error:
        print(f"synth: {error}", file=sys.stderr)
        return 2
    except (ShardError, SdkError) as error:
        print(f"synth: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "synth: interrupted; complete shards are kept, run it again to resume", file=sys.stderr
        )
        return 130
    return 0


def _settings(
    options: argparse.Namespace,
    config: SynthConfig,
    size: tuple[int, int],
    per_shard: int,
    made_with: dict[str, str],
) -> dict[str, Any]:
    """Return all that determines a shard except its number, with the names of folders."""
    values = {**asdict(config), "kind": options.kind, "per_shard": per_shard}
    values["size"] = size if options.kind == "photo" else None
    for name in ("fonts", "photos"):
        values[name] = values[name] and Path(values[name]).name
    values.update(made_with)
    settings: dict[str, Any] = json.loads(json.dumps(values))
    return settings


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Record the settings of a folder's shards; refuse a folder with other settings."""
    path = folder / SETTINGS
    if path.exists():
        saved = json.loads(path.read_text(encoding="utf-8"))
        if saved.get("kind") == _OLD_LINE:
            saved["kind"] = "line"
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
    elif not any(folder.glob("shard-*.tar")):  # shards of earlier versions have no record
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ShardError(f"Could not make {folder}: {error.strerror or error}.") from error
        write_atomically(path, json.dumps(settings, indent=1).encode())


def _default_per_shard(options: argparse.Namespace) -> int:
    """Return the samples in a shard: as in the folder's other shards, or a 16th of all samples."""
    path = options.out / SETTINGS
    if path.exists():
        return int(json.loads(path.read_text(encoding="utf-8"))["per_shard"])
    least, most = (100, 2000) if options.kind == "line" else (25, 500)
    if any(options.out.glob("shard-*.tar")):  # of an earlier version, which kept no record
        return most
    return min(most, max(least, -(-options.count // 16)))


def _generate(
    options: argparse.Namespace,
    generator: Generator,
    size: tuple[int, int],
    part: int,
    parts: int,
) -> None:
    config, made_with = generator.config, origin(generator)
    per_shard = options.per_shard or _default_per_shard(options)
    _claim(options.out, _settings(options, config, size, per_shard, made_with))
    starts = range(0, options.count, per_shard)[part::parts]
    wanted = {
        shard_path(options.out, start // per_shard): range(
            start, min(start + per_shard, options.count)
        )
        for start in starts
    }
    # existing shards are complete: an interrupted run resumes
    there = [path for path in wanted if path.exists()]
    # the last one may end at an earlier, smaller --count
    if there and sum(1 for _ in read_encoded(there[-1])) < len(wanted[there[-1]]):
        there.pop().unlink()
    if there:
        print(f"synth: {len(there)} of {len(wanted)} shards exist already", file=sys.stderr)
    jobs = [(path, indices) for path, indices in wanted.items() if path not in there]
    if not jobs:
        return
    progress = Progress("synth", "samples", sum(len(indices) for _, indices in jobs))
    if options.cluster is None:
        write_shards(jobs, generator, options.kind, size, options.workers, progress.reach)
    else:
        from training.synth.cluster import write_shards_on_cluster

        # every node finds the folders at the same place
        placed = replace(config, fonts=_absolute(config.fonts), photos=_absolute(config.photos))
        write_shards_on_cluster(
            jobs, placed, options.kind, size, options.cluster, made_with, progress.advance
        )
    progress.finish()


def _absolute(folder: str | None) -> str | None:
    return folder and str(Path(folder).absolute())
