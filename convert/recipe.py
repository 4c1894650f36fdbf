"""The recipe of a bundle: what it was made of, with which tools and options.

It lies beside the graphs as ``recipe.json``. Runs are known by the digests of their weights, which
do not change with the folder they lie in; no path of the machine is written down.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

__all__ = ["array_sha256", "recipe_json", "tool_versions", "weights_sha256"]

RECIPE_SCHEMA = 1

_TOOLS = {
    "fots-lite",
    "tensorflow",
    "keras",
    "tf_keras",
    "tensorflow-model-optimization",
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
}


def tool_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that shape a conversion."""
    installed = {d.name: d.version for d in importlib.metadata.distributions() if d.name in _TOOLS}
    return {"python": platform.python_version(), **dict(sorted(installed.items()))}


def array_sha256(arrays: Iterable[np.ndarray]) -> str:
    """Return one digest over shapes, types and values of arrays, in order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def weights_sha256(model: Any) -> str:
    """Return one digest over all weights of a Keras model, in its own order."""
    return array_sha256(np.asarray(value) for value in model.get_weights())


def recipe_json(
    *,
    created: str,
    runs: list[dict[str, Any]],
    options: Mapping[str, Any],
    calibration: Mapping[str, Any],
    tuned: Mapping[str, Mapping[str, Any]],
) -> bytes:
    """Return the recipe as JSON text.

    Args:
        created: Time of the export, ISO 8601.
        runs: One record a run: name, digests, graphs taken.
        options: Options of the export as given.
        calibration: Where the samples came from, how many, and their digest.
        tuned: How the graphs were tuned that were; by name.
    """
    recipe = {
        "schema": RECIPE_SCHEMA,
        "created": created,
        "runs": runs,
        "options": dict(options),
        "calibration": dict(calibration),
        "tuned": {name: dict(record) for name, record in tuned.items()},
        "tools": tool_versions(),
    }
    return (json.dumps(recipe, indent=2, ensure_ascii=False) + "\n").encode()
