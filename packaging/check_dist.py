"""Install a built wheel into an empty environment outside the checkout, and read a photo with it.

    python packaging/check_dist.py DIST LOCK PHOTO

DIST holds one wheel and one source distribution, LOCK names the runtime's packages with hashes.
Prints what was read and the sizes. Exit code 1: something is missing, too much, or does not work.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

NEEDED = (
    "sdk/models/default/model.json",
    "sdk/models/default/detector-int8.tflite",
    "sdk/models/default/line-int8.tflite",
    "sdk/models/digits/model.json",
    "sdk/models/digits/line-int8.tflite",
    "sdk/models/latin/model.json",
    "sdk/models/latin/line-int8.tflite",
    "sdk/recognize/trigrams.npz",
    "sdk/recognize/words.npz",
    "sdk/recognize/words-license.txt",
    "sdk/py.typed",
    "training/configs/line.toml",
    "demo_app/app.kv",
)
UNWANTED = ("tests/", "benchmarks/", "training/weights/", "docs/")
SIZES = """
import importlib.metadata
package = importlib.metadata.distribution("fots-lite")
print(sum(file.locate().stat().st_size for file in package.files))
"""


def main(dist: Path, lock: Path, photo: Path) -> None:
    """Check what was built, and print its sizes."""
    wheel, source = only(dist, "*.whl"), only(dist, "*.tar.gz")
    check_names(wheel, zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as archive:
        check_names(source, [name.partition("/")[2] for name in archive.getnames()])
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "environment")
        venv.create(home, with_pip=True)
        command = home / "bin" / "fots-lite"
        python = str(home / "bin" / "python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*pip, "--require-hashes", "--requirement", str(lock)], folder)
        run([*pip, "--no-deps", str(wheel)], folder)
        print(run([str(command), "--version"], folder), end="")
        text = run([str(command), "read", str(photo)], folder)
        if not text.strip():
            sys.exit(f"The installed package reads nothing on {photo}.")
        print(text, end="")
        installed = int(run([python, "-c", SIZES], folder))
    for name, size in (
        (wheel.name, wheel.stat().st_size),
        (source.name, source.stat().st_size),
        ("installed", installed),
    ):
        print(f"{name:<36}{size / 1e6:6.2f} MB")


def only(folder: Path, pattern: str) -> Path:
    """Return the one file of a pattern, or end."""
    found = sorted(folder.resolve().glob(pattern))
    if len(found) != 1:
        sys.exit(f"{folder} holds {len(found)} files {pattern}, not one.")
    return found[0]


def check_names(archive: Path, names: list[str]) -> None:
    """End if an archive lacks what the package needs, or holds what it does not."""
    missing = [name for name in NEEDED if name not in names]
    surplus = [name for name in names if name.startswith(UNWANTED)]
    if missing or surplus:
        sys.exit(f"{archive.name} lacks {missing or 'nothing'}; it should not hold {surplus}.")


def run(command: list[str], folder: str) -> str:
    """Return what a program prints, run where no checkout is found; end if it fails."""
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command, cwd=folder, env=clean, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}.")
    return done.stdout


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*(Path(argument).resolve() for argument in sys.argv[1:]))
