"""Tuned graphs on disk, and frozen for the converter.

A folder of tuned graphs holds ``tune.json`` and a ``<graph>.npz`` for each graph with its weights
and ranges. The QAT model is rebuilt from this file and the run of the graph.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.recipe import weights_sha256
from convert.source.graphs import GRAPHS, GraphKind
from convert.source.run import TrainedRun
from convert.source.saved_model import save_function
from sdk.errors import SdkError
from sdk.files import write_atomically

__all__ = [
    "RECORD",
    "TunedGraph",
    "freeze_tuned",
    "open_tuned",
    "read_graph",
    "read_graphs",
    "write_graph",
]

RECORD = "tune.json"


@dataclass(frozen=True)
class TunedGraph:
    """A tuned graph.

    Attributes:
        weights: Weights of the QAT model, including its ranges.
        input_range: Least and greatest value of the input's grid.
        record: Source and options of the tuning.
    """

    weights: list[np.ndarray]
    input_range: tuple[float, float]
    record: Mapping[str, Any]


def write_graph(path: Path, graph: TunedGraph) -> None:
    """Write a tuned graph atomically.

    Raises:
        ConvertError: The disk is full or the folder not writable.
    """
    arrays: dict[str, Any] = {f"weight_{i:04d}": w for i, w in enumerate(graph.weights)}
    arrays["input_range"] = np.array(graph.input_range)
    arrays["record"] = np.array(json.dumps(graph.record))
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    try:
        write_atomically(path, buffer.getvalue())
    except SdkError as error:
        raise ConvertError(str(error)) from error


def read_graph(path: Path) -> TunedGraph:
    """Return the tuned graph of a file.

    Raises:
        ConvertError: The file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            weights = [file[n] for n in sorted(file.files) if n.startswith("weight_")]
            low, high = (float(v) for v in file["input_range"])
            return TunedGraph(weights, (low, high), json.loads(str(file["record"])))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConvertError(
            f"Cannot read the tuned graph {path}: {error}. Tune it again."
        ) from error


def read_graphs(folder: Path) -> dict[str, TunedGraph]:
    """Return the tuned graphs of a folder by name.

    Raises:
        ConvertError: One is damaged.
    """
    files = {name: folder / f"{name}.npz" for name in GRAPHS}
    return {name: read_graph(path) for name, path in files.items() if path.exists()}


def open_tuned(folder: Path, owners: Mapping[str, TrainedRun]) -> dict[str, tuple[Any, TunedGraph]]:
    """Return the tuned graphs of a finished folder with their QAT models, by name.

    Args:
        folder: Folder of the tuned graphs.
        owners: The run of each wanted graph; other graphs in the folder are ignored.

    Raises:
        ConvertError: The folder is of another kind, or a graph is damaged or was tuned from other
            weights.
    """
    if not (folder / RECORD).is_file():
        raise ConvertError(
            f"{folder} is not a folder of tuned graphs: it holds no {RECORD}. Create one with: "
            "python -m convert tune RUN... --photos DIR... --out DIR"
        )
    from convert.quantize.qat_model import build_float_model, quantize

    found = {}
    for name, graph in read_graphs(folder).items():
        if name not in owners:
            continue
        source = owners[name]
        if graph.record["weights_sha256"] != weights_sha256(source.models[name]):
            raise ConvertError(
                f"{folder / name}.npz was tuned from other weights than those of the runs: "
                "tune it again."
            )
        model = quantize(build_float_model(name, source.config, source.models[name]))
        model.set_weights(graph.weights)
        found[name] = (model, graph)
    return found


def freeze_tuned(
    quantized: Any,
    kind: GraphKind,
    shape: tuple[int, int, int, int],
    input_range: tuple[float, float],
    folder: Path,
) -> None:
    """Write a QAT model as a SavedModel of one function with a fixed input shape.

    Args:
        quantized: QAT model with its weights and ranges.
        kind: Contract of the graph.
        shape: Input shape (batch, height, width, channels).
        input_range: Least and greatest value of the input's grid.
        folder: Folder of the SavedModel.

    Raises:
        ConvertError: TensorFlow could not write the model.
    """
    import tensorflow as tf

    from convert.quantize.qat_model import run_named, to_grid

    def serve(x: Any) -> dict[str, Any]:
        return run_named(quantized, to_grid(x, input_range))

    spec = tf.TensorSpec(shape, tf.float32, name=kind.input)
    save_function(serve, spec, quantized.weights, kind, folder)
