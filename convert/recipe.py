"""The recipe of a bundle: its sources, tools and options.

The recipe is the file ``recipe.json`` beside the graphs. Runs are identified by the digests of
their weights, which do not depend on their folder; the recipe holds no path of the machine.
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

RECIPE_SCHEMA = 2

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
    """Return the versions of Python and of the packages that affect a conversion."""
    installed = {d.name: d.version for d in importlib.metadata.distributions() if d.name in _TOOLS}
    return {"python": platform.python_version(), **dict(sorted(installed.items()))}


def array_sha256(arrays: Iterable[np.ndarray]) -> str:
    """Return one digest of the shapes, types and values of arrays, in order."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def weights_sha256(model: Any) -> str:
    """Return one digest of all weights of a Keras model, in the model's order."""
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
        runs: A record for each run: name, digests of its graphs, training.
        options: Options of the export as given.
        calibration: Source, number and digest of the samples.
        tuned: Record of the tuning, by name of the tuned graph.
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
