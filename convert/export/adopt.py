"""A detector or a line graph copied from another bundle, byte by byte.

A user's own line network requires no detector of its own and no photos to train and calibrate one.
A detector that was trained alone is combined with an existing line graph.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.verify.verify import bundle_manifest
from sdk.errors import SdkError
from sdk.model.bundle import Bundle
from sdk.model.manifest import GraphSpec

__all__ = ["Variant", "adopt_graph", "graph_runs"]

Variant = Mapping[str, GraphSpec]


def adopt_graph(
    role: str, source: Path, variants: Mapping[str, Variant], folder: Path
) -> dict[str, Variant]:
    """Copy a graph of a bundle, in each variant, to the graphs of a new bundle.

    Args:
        role: "detector" or "line".
        source: The other bundle.
        variants: Graphs of the new bundle by variant, without this graph.
        folder: Folder of the new bundle.

    Returns:
        All graphs of the new bundle by variant.

    Raises:
        ConvertError: The bundle is missing or damaged, or lacks a variant or its graph.
        OSError: A file cannot be written.
    """
    found: dict[str, Variant] = {}
    for variant, graphs in variants.items():
        try:
            graph = Bundle.open(source, variant).graph(role)
        except SdkError as error:
            raise ConvertError(f"Cannot copy the {variant} {role}. {error}") from error
        shutil.copyfile(graph.path, folder / graph.spec.file)
        found[variant] = {**graphs, role: graph.spec}
    return found


def graph_runs(role: str, source: Path) -> list[dict[str, Any]]:
    """Return the records of a graph's runs in a bundle, if the bundle has them.

    Raises:
        ConvertError: The bundle is missing or damaged.
    """
    runs = bundle_manifest(source).training.get("runs", [])
    return [run for run in runs if role in run.get("weights_sha256", {})]
