"""Damaged manifests of the packaged bundle: in their values, and in their bytes."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from sdk.model.bundle import DEFAULT_BUNDLE, MANIFEST_NAME
from tests.fuzz.mutations import checked, mutate
from tests.fuzz.opening import opener

VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 2, 3, 64, 65536, 2**31, 2**63, 10**400, 0.0, 0.5, -0.5, 1e-300),
    *(1e300, float("nan"), float("inf"), "", "\0", "a\0b", "\ud800", "\x1b[2J", "../model.json"),
    *("/dev/zero", ".", "x" * 100_000, [], [[]], [0], [1] * 1000, [10**9] * 4, {}, {"": {}}),
)


def run(count: int, seed: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name, opener(Path(name)) as opening:
        folder = opening.check(shutil.copytree(DEFAULT_BUNDLE, Path(name, "bundle")))
        path = folder / MANIFEST_NAME
        whole = path.read_bytes()
        for number in range(count):
            rng = np.random.default_rng((seed, number))
            path.write_bytes(_edited(whole, rng) if rng.random() < 0.8 else mutate(whole, rng))
            outcomes[opening.outcome(folder)] += 1
    return checked(outcomes)


def _edited(whole: bytes, rng: np.random.Generator) -> bytes:
    manifest = json.loads(whole)
    for _ in range(int(rng.integers(1, 3))):
        places = list(_places(manifest))
        home, key = places[int(rng.integers(len(places)))]
        kind = rng.integers(8)
        if kind == 0:
            del home[key]
        elif kind == 1:
            other, name = places[int(rng.integers(len(places)))]
            home[key] = json.loads(json.dumps(other[name]))
        else:
            home[key] = VALUES[int(rng.integers(len(VALUES)))]
    text = json.dumps(manifest)
    if rng.random() < 0.02:
        text = text.replace("{", '{"deep": ' + "[" * 100_000 + "]" * 100_000 + ", ", 1)
    return text.encode()


def _places(value: Any) -> Any:
    """Yield (container, key) of all values in a value."""
    keys = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], (dict, list)):
            yield from _places(value[key])
