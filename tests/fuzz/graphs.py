"""Damaged TFLite graphs, the packaged ones and tiny ones.

A graph that `model.json` does not describe must be refused before the interpreter sees it. What
someone does who changes a graph on purpose, put the digest right, is done after that.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from sdk.errors import ModelError
from sdk.model.bundle import DEFAULT_BUNDLE, MANIFEST_NAME, Bundle
from sdk.model.manifest import file_digest
from tests import tiny
from tests.fuzz.mutations import FAULT, checked, mutate
from tests.fuzz.opening import opener


def run(count: int, seed: int) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name, opener(Path(name)) as opening:
        # tiny graphs are structure, nearly all of the packaged ones is weights
        bundles = [opening.check(tiny.build(Path(name, "tiny")))] * 3
        bundles.append(opening.check(shutil.copytree(DEFAULT_BUNDLE, Path(name, "default"))))
        for number in range(count):
            rng = np.random.default_rng((seed, number))
            folder = bundles[number % len(bundles)]
            manifest = (folder / MANIFEST_NAME).read_text()
            entry = json.loads(manifest)
            variant = entry["default_variant"] = str(rng.choice(list(entry["variants"])))
            graphs = entry["variants"][variant]
            graph = graphs[str(rng.choice(list(graphs)))]
            path = folder / graph["file"]
            content = path.read_bytes()
            path.write_bytes(mutate(content, rng))
            if path.read_bytes() != content:
                if not _refused(folder, variant):
                    outcomes[f"{FAULT}: opened against its digest"] += 1
                graph["bytes"], graph["sha256"] = path.stat().st_size, file_digest(path)
                (folder / MANIFEST_NAME).write_text(json.dumps(entry))
                outcomes[opening.outcome(folder)] += 1
            path.write_bytes(content)
            (folder / MANIFEST_NAME).write_text(manifest)
    return checked(outcomes)


def _refused(folder: Path, variant: str) -> bool:
    try:
        Bundle.open(folder, variant)
    except ModelError:
        return True
    return False
