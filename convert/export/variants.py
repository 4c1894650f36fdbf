"""The .tflite files of a bundle's variants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from convert.quantize.calibration import calibration_file
from convert.quantize.tuned_graphs import TunedGraph, freeze_tuned
from convert.source.graphs import GRAPHS, Normalization, freeze, split_normalization
from convert.source.recurrent import FUSED, freeze_recurrent, is_recurrent
from convert.source.samples import Samples
from convert.tflite.conversion import Conversion, convert_apart
from convert.tflite.inspect import inspect_file, loose_arithmetic
from convert.tflite.resizable import size_offsets
from sdk.model.manifest import GraphSpec
from training.config import ModelConfig

__all__ = ["Shape", "Variants"]

Shape = tuple[int, int, int, int]


class Variants:
    """Writes the files of each variant from the same models and samples."""

    def __init__(
        self,
        models: Mapping[str, Any],
        configs: Mapping[str, ModelConfig | None],
        shapes: Mapping[str, Shape],
        calibration: Samples,
        tuned: Mapping[str, tuple[Any, TunedGraph]],
        scratch: Path,
        say: Callable[[str], None],
    ) -> None:
        """Create the writer.

        Args:
            models: Keras models by graph name.
            configs: Configurations of the models.
            shapes: Static input shapes (batch, height, width, channels) by graph name.
            calibration: Calibration samples of the integer graphs that are not tuned.
            tuned: QAT models with their tuning, by graph name; other graphs are quantized after
                training.
            scratch: Folder for intermediate files.
            say: Called with messages on the progress.
        """
        self._models = models
        self._configs = configs
        self._shapes = shapes
        self._calibration = calibration
        self._tuned = tuned
        self._scratch = scratch
        self._say = say

    def write(self, precision: str, folder: Path) -> dict[str, GraphSpec]:
        """Write the files of a variant and return them by graph.

        Args:
            precision: One of `PRECISIONS`.
            folder: Folder of the bundle.

        Raises:
            ConvertError: A model cannot be frozen or the converter fails.
        """
        files = {}
        for name in self._models:
            tuned = precision == "int8" and name in self._tuned
            self._say(f"converting {name} to {precision}" + ", tuned" * tuned)
            target = folder / f"{name}-{precision}.tflite"
            convert_apart(
                self._frozen_tuned(name, target) if tuned else self._frozen(name, precision, target)
            )
            target.with_name(f"{target.name}.log").unlink()
            files[name] = self._described(target)
        return files

    def _described(self, path: Path) -> GraphSpec:
        graph = inspect_file(path)
        loose = loose_arithmetic(graph)
        if loose:
            found = ", ".join(sorted(f"{op.name} {list(op.shape)}" for op in loose))
            self._say(f"  note: {path.name} has operations that were not folded: {found}")
        fused = sum(op.name == FUSED for op in graph.ops)
        if fused:
            self._say(f"  {path.name} has {fused} fused LSTM operations; its batch is fixed")
        sizes = size_offsets(path, graph.ops)
        return GraphSpec.of_file(path, graph.inputs, graph.outputs, sizes)

    def _frozen(self, name: str, precision: str, target: Path) -> Conversion:
        """Freeze a model for a precision, once, and return its conversion."""
        kind, model, shape = GRAPHS[name], self._models[name], self._shapes[name]
        integer = precision == "int8"
        saved = self._scratch / f"{name}-{'integer' if integer else 'float'}"
        core, normalization = model, Normalization()
        if integer and kind.is_image:
            core, normalization = split_normalization(model, kind)
        if not saved.exists() and is_recurrent(model):
            freeze_recurrent(model, self._configs[name], kind, shape, saved)
        elif not saved.exists():
            freeze(core, kind, shape, saved, normalized=integer or not kind.is_image)
        job = Conversion(
            saved,
            target,
            precision,
            kind.is_image,
            scale=normalization.scale,
            offset=normalization.offset,
        )
        if integer:
            samples = self._scratch / f"{name}.npy"
            calibration_file(name, shape, self._calibration, self._models.get("detector"), samples)
            job = replace(job, calibration=samples)
        return job

    def _frozen_tuned(self, name: str, target: Path) -> Conversion:
        """Freeze a QAT model, which has its own ranges, and return its conversion."""
        kind, (model, graph) = GRAPHS[name], self._tuned[name]
        saved = self._scratch / f"{name}-tuned"
        freeze_tuned(model, kind, self._shapes[name], graph.input_range, saved)
        return Conversion(saved, target, "int8", kind.is_image)
