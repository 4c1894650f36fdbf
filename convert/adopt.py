"""A detector taken over from another bundle, byte for byte.

Who trains a line network of their own on the codes of one line needs no detector of their own, nor
photos to train and calibrate one.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.verify import bundle_manifest
from sdk.errors import SdkError
from sdk.model.bundle import Bundle
from sdk.model.manifest import GraphSpec

__all__ = ["Variant", "adopt_detector", "detector_runs"]

Variant = Mapping[str, GraphSpec]
_ROLE = "detector"


def adopt_detector(
    source: Path, variants: Mapping[str, Variant], folder: Path
) -> dict[str, Variant]:
    """Copy the detectors of a bundle beside the graphs of a new one.

    Args:
        source: The bundle that has them.
        variants: Graphs of the new bundle by variant, without detector.
        folder: Where these lie.

    Returns:
        The graphs with the detectors, by variant.

    Raises:
        ConvertError: The bundle is missing or damaged, or lacks a variant or its detector.
        OSError: A file cannot be written.
    """
    found: dict[str, Variant] = {}
    for variant, graphs in variants.items():
        try:
            graph = Bundle.open(source, variant).graph(_ROLE)
        except SdkError as error:
            raise ConvertError(f"No {variant} detector to take over. {error}") from error
        shutil.copyfile(graph.path, folder / graph.spec.file)
        found[variant] = {**graphs, _ROLE: graph.spec}
    return found


def detector_runs(source: Path) -> list[dict[str, Any]]:
    """Return the records of the runs that gave a bundle its detector, as far as it tells.

    Raises:
        ConvertError: The bundle is missing or damaged.
    """
    runs = bundle_manifest(source).training.get("runs", [])
    return [run for run in runs if _ROLE in run.get("weights_sha256", {})]
