"""FOTS-lite, RapidOCR and Tesseract on the same photos, in one run.

python -m benchmarks.peers [PHOTO ...] [--rounds N] [--json FILE] [--install]

Each engine runs in its own process and waits while another engine reads. In each round every engine
reads each photo once, so that other work on the machine affects all engines equally. Compare the
ratios: on a machine with other work, the milliseconds mean little.

With --install, the first run installs RapidOCR into its own environment (about 400 MB). Tesseract
is the Debian package tesseract-ocr, with English; `tesseract:deu` reads German, by the Debian
package tesseract-ocr-deu. A missing engine is left out with a message.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sdk.arguments import positive_int
from sdk.files import write_atomically
from sdk.machine import cpu_name

ROOT = Path(__file__).resolve().parent.parent
PHOTO = ROOT / "tests" / "pictures" / "generated.jpg"
LARGE = (4000, 3000)
OURS = "fots-lite"
PEERS = ("rapidocr", "onnxocr", "tesseract")


class Worker:
    """The process of an engine."""

    def __init__(self, engine: str, python: str, model: str | None = None) -> None:
        """Start the process, and wait until it is ready.

        Args:
            engine: "fots-lite", one of `PEERS`, or Tesseract with languages, "tesseract:deu+eng".
            python: Python interpreter of an environment with the engine.
            model: Folder of the bundle for FOTS-lite. None uses the packaged bundle.
        """
        self.engine = engine
        self.label = engine if model is None else f"{engine} {model}"
        program, _, languages = engine.partition(":")
        command = [python, str(ROOT / "benchmarks" / "peer_worker.py"), program]
        if argument := languages or model:
            command.append(argument)
        path = {"PYTHONPATH": str(ROOT)} if engine == OURS else {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **path},
        )
        about = self._answer()
        self.name, self.open_ms = about["name"], about["open_ms"]

    def read(self, path: Path, line: bool = False) -> dict[str, Any]:
        """Return time in milliseconds and regions of a picture.

        Args:
            path: The picture.
            line: Whether the picture shows a single line.
        """
        assert self._process.stdin is not None
        request = json.dumps({"path": str(path), "line": line})
        print(request, file=self._process.stdin, flush=True)
        return self._answer()

    def end(self) -> float:
        """End the process, and return its peak memory in MiB."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        peak = self._answer()["peak_rss_mib"]
        self._process.wait()
        self._log.close()
        return float(peak)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._log.seek(0)
            said = self._log.read().decode(errors="replace").strip().splitlines() or ["nothing"]
            sys.exit(
                f"{self.label} ended (exit code {code}) without an answer. It said: {said[-1]}"
            )
        answer: dict[str, Any] = json.loads(line)
        return answer


def find_peer(name: str, folder: Path, install: bool) -> str | None:
    """Return a Python interpreter with a peer: this one, or one in the peer's own environment.

    Args:
        name: Name of the peer and of its package.
        folder: Folder of the peers' environments.
        install: Whether to install a missing peer.
    """
    if importlib.util.find_spec(name):
        return sys.executable
    home = folder / name
    python, ready = home / "bin" / "python", home / ".installed"
    if not ready.exists():
        if not install:
            print(f"{name} is left out: it is not installed. Use --install.", file=sys.stderr)
            return None
        print(f"Installing {name} into {home}", file=sys.stderr)
        try:
            venv.create(home, with_pip=True)
            packages = [name, "onnxruntime", "opencv-python-headless"]
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} is left out: it cannot be installed ({error}).", file=sys.stderr)
            return None
        ready.touch()
    return str(python)


def find_engines(peers: Sequence[str], folder: Path, install: bool) -> dict[str, str]:
    """Return the Python interpreter of each usable engine, FOTS-lite first.

    Args:
        peers: The other engines, see `peer`.
        folder: Folder of the peers' environments.
        install: Whether to install missing peers.
    """
    pythons = {OURS: sys.executable}
    for name in peers:
        program, _, languages = name.partition(":")
        if program != "tesseract":
            python = find_peer(name, folder, install)
        elif packages := _missing_packages(languages):
            python = None
            wanted = " ".join(packages)
            print(
                f"{name} is left out: it is not installed. apt-get install {wanted}",
                file=sys.stderr,
            )
        else:
            python = sys.executable
        if python:
            pythons[name] = python
    return pythons


def _missing_packages(languages: str) -> list[str]:
    """Return the Debian packages that Tesseract needs for languages such as "deu+eng"."""
    wanted = [language for language in languages.split("+") if language]
    names = {language: f"tesseract-ocr-{language.replace('_', '-')}" for language in wanted}
    if not shutil.which("tesseract"):
        return ["tesseract-ocr", *names.values()]
    listed = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=False
    )
    installed = listed.stdout.split()
    return [package for language, package in names.items() if language not in installed]


def peer(text: str) -> str:
    """Return the name of an engine beside FOTS-lite, for argparse."""
    name, colon, languages = text.partition(":")
    fits = not colon or (name == "tesseract" and re.fullmatch(r"[\w+]+", languages))
    if name not in PEERS or not fits:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no reader. Give {', '.join(PEERS)}, or tesseract:deu for its languages."
        )
    return text


def add_peer_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of peers and results."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for the results")
    parser.add_argument(
        "--peers",
        dest="peers_folder",
        type=Path,
        default=Path.home() / ".cache" / "fots-lite" / "peers",
        metavar="FOLDER",
        help="folder of the peers' environments (default: ~/.cache/fots-lite/peers)",
    )
    parser.add_argument("--install", action="store_true", help="install missing packages")


def machine() -> dict[str, Any]:
    """Return the facts on the machine that the results depend on."""
    return {"system": platform.platform(), "cpu": cpu_name(), "cores": os.cpu_count()}


def run(photos: list[Path], pythons: dict[str, str], rounds: int) -> dict[str, Any]:
    """Return time and memory of every engine for every photo."""
    workers = [Worker(engine, python) for engine, python in pythons.items()]
    times: dict[tuple[str, Path], list[float]] = {}
    lines: dict[tuple[str, Path], int] = {}
    for number in range(-1, rounds):  # the first round warms up
        for photo in photos:
            for worker in workers:
                answer = worker.read(photo)
                lines[worker.engine, photo] = len(answer["regions"])
                if number >= 0:
                    times.setdefault((worker.engine, photo), []).append(answer["ms"])
    return {
        worker.engine: {
            "name": worker.name,
            "open_ms": round(worker.open_ms, 1),
            "peak_rss_mib": round(worker.end(), 1),
            "photos": {
                photo.name: {
                    "median_ms": round(statistics.median(times[worker.engine, photo]), 2),
                    "p90_ms": round(float(np.percentile(times[worker.engine, photo], 90)), 2),
                    "best_ms": round(min(times[worker.engine, photo]), 2),
                    "lines": lines[worker.engine, photo],
                }
                for photo in photos
            },
        }
        for worker in workers
    }


def table(engines: dict[str, Any], photos: list[Path]) -> str:
    """Return the results as text, with ratios of the median and of the best times."""
    rows = []
    for photo in photos:
        with Image.open(photo) as image:
            rows.append(f"{photo.name}, {image.width} x {image.height}")
        rows.append(
            f"  {'':<30}{'median':>11}{'p90':>11}{'best':>11}{'ratio':>8}{'best':>7}  lines"
        )
        ours = engines[OURS]["photos"][photo.name]
        for engine in engines.values():
            one = engine["photos"][photo.name]
            ratios = [one[key] / ours[key] for key in ("median_ms", "best_ms")]
            rows.append(
                f"  {engine['name']:<30}{one['median_ms']:>8.0f} ms{one['p90_ms']:>8.0f} ms"
                f"{one['best_ms']:>8.0f} ms{ratios[0]:>7.1f}x{ratios[1]:>6.1f}x{one['lines']:>7}"
            )
        rows.append("")
    rows += [
        f"{e['name']:<32}opens in {e['open_ms']:.0f} ms, peak memory {e['peak_rss_mib']:.0f} MiB"
        for e in engines.values()
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure, print a table, and write JSON on request."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument("--rounds", type=positive_int, default=10, metavar="N", help="default: 10")
    add_peer_arguments(parser)
    args = parser.parse_args()
    if len({photo.name for photo in args.photos}) < len(args.photos):
        parser.error("two photos have the same name; rename one of them")
    pythons = find_engines(("rapidocr", "tesseract"), args.peers_folder, args.install)
    with tempfile.TemporaryDirectory() as folder:
        photos = [photo.resolve() for photo in args.photos]
        if not photos:
            # the same photo in the size of a phone's camera
            large = Path(folder, "photo-12-megapixels.jpg")
            with Image.open(PHOTO) as image:
                image.resize(LARGE, Image.Resampling.BICUBIC).save(large, quality=92)
            photos = [PHOTO, large]
        engines = run(photos, pythons, args.rounds)
        print(table(engines, photos))
    if args.json:
        result = {**machine(), "rounds": args.rounds, "engines": engines}
        write_atomically(args.json, (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
