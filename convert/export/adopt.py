"""A detector or a line graph taken over from another bundle, byte for byte.

Who trains a line network of their own on the codes of one line needs no detector of their own, nor
photos to train and calibrate one; a detector that is trained alone goes with the lines that are
there.
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
    """Copy a graph of a bundle, in each variant, beside the graphs of a new one.

    Args:
        role: "detector" or "line".
        source: The bundle that has it.
        variants: Graphs of the new bundle by variant, without this one.
        folder: Where these lie.

    Returns:
        The graphs with those taken over, by variant.

    Raises:
        ConvertError: The bundle is missing or damaged, or lacks a variant or its graph.
        OSError: A file cannot be written.
    """
    found: dict[str, Variant] = {}
    for variant, graphs in variants.items():
        try:
            graph = Bundle.open(source, variant).graph(role)
        except SdkError as error:
            raise ConvertError(f"No {variant} {role} to take over. {error}") from error
        shutil.copyfile(graph.path, folder / graph.spec.file)
        found[variant] = {**graphs, role: graph.spec}
    return found


def graph_runs(role: str, source: Path) -> list[dict[str, Any]]:
    """Return the records of the runs that gave a bundle a graph, as far as it tells.

    Raises:
        ConvertError: The bundle is missing or damaged.
    """
    runs = bundle_manifest(source).training.get("runs", [])
    return [run for run in runs if role in run.get("weights_sha256", {})]
