"""The lock files hold what `pyproject.toml` asks for, with hashes, and agree with each other."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What each lock installs beside the runtime.
EXTRAS = {
    "runtime": (),
    "demo": ("demo",),
    "serve": ("serve",),
    "lambda": ("lambda",),
    "station": ("station",),
    "cluster": ("cluster",),
    "all": ("train", "convert", "dev", "basler", "pdf", "serve", "lambda", "station"),
}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, list[str]]:
    """Return the hashes of each line "name==version ; marker"."""
    text = (ROOT / "locks" / f"{lock}.txt").read_text().replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            pin, *hashes = re.split(r"\s+--hash=sha256:", line.strip())
            found[pin.strip()] = hashes
    return found


@pytest.mark.parametrize("lock", EXTRAS)
def test_every_dependency_is_locked_by_hash(lock: str) -> None:
    locked = pins(lock)
    for pin, hashes in locked.items():
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .*)?", pin)
        assert hashes and all(re.fullmatch(r"[0-9a-f]{64}", h) for h in hashes)
    names = {pin.partition("==")[0] for pin in locked}
    optional = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(x for extra in EXTRAS[lock] for x in optional[extra])]
    asked = {normalized(re.match(r"[\w.-]+", x)[0]) for x in wanted} - {"fots-lite"}
    assert asked | {"setuptools"} <= names


def test_the_locks_agree() -> None:
    everything = pins("all")
    # the client of S3 of the extra cluster wants another botocore than boto3 does
    cluster = pins("cluster")
    assert {pin: cluster[pin] for pin in pins("runtime")} == pins("runtime")
    for lock in EXTRAS.keys() - {"cluster"}:
        assert {pin: everything[pin] for pin in pins(lock)} == pins(lock)
