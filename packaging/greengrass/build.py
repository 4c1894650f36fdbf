"""Builds the artifacts and recipes of the Greengrass components.

python packaging/greengrass/build.py --bucket my-bucket --out build/greengrass

The wheel holds the runtime alone. Artifacts go to s3://BUCKET/io.fotslite/VERSION/.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ("service", "station")
LOCKS = ("serve", "station")
# What the runtime's wheel is made from.
SOURCES = ("pyproject.toml", "README.md", "LICENSE")


def build(out: Path, bucket: str) -> str:
    """Write artifacts and recipes into a folder, and return the version.

    Args:
        out: The folder; what it held is replaced.
        bucket: S3 bucket that the recipes name.
    """
    text = (ROOT / "sdk" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("There is no version in sdk/__init__.py.")
    version = found[1]
    shutil.rmtree(out, ignore_errors=True)
    artifacts, recipes = out / "artifacts" / "io.fotslite" / version, out / "recipes"
    artifacts.mkdir(parents=True)
    recipes.mkdir()
    build_wheel(artifacts)
    for lock in LOCKS:
        shutil.copy(ROOT / "locks" / f"{lock}.txt", artifacts)
    for recipe in RECIPES:
        source = ROOT / "packaging" / "greengrass" / f"{recipe}.yaml"
        filled = source.read_text(encoding="utf-8").replace("BUCKET/", f"{bucket}/")
        target = recipes / f"io.fotslite.{recipe.capitalize()}-{version}.yaml"
        target.write_text(filled.replace("VERSION", version), encoding="utf-8")
    return version


def build_wheel(folder: Path) -> None:
    """Write the wheel of the runtime into a folder."""
    with tempfile.TemporaryDirectory() as copy:
        for name in SOURCES:
            shutil.copy(ROOT / name, copy)
        caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "sdk", Path(copy, "sdk"), ignore=caches)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        subprocess.run(
            [*command, "--no-build-isolation", "--wheel-dir", str(folder), copy], check=True
        )


def main() -> None:
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description="Build the Greengrass components.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "greengrass")
    parser.add_argument("--bucket", required=True, help="S3 bucket of the artifacts")
    args = parser.parse_args()
    version = build(args.out, args.bucket)
    print(f"{args.out}: artifacts and recipes of version {version}. Next:")
    print(f"  aws s3 cp --recursive {args.out}/artifacts s3://{args.bucket}")
    for recipe in sorted((args.out / "recipes").iterdir()):
        print(f"  aws greengrassv2 create-component-version --inline-recipe fileb://{recipe}")


if __name__ == "__main__":
    main()
