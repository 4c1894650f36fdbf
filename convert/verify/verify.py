"""Comparison of converted graphs with their Keras models.

The graphs run in the SDK's engine, as on a device. The comparison includes the mapping of names to
tensors, the (de)quantization of inputs and outputs, and resized batches and widths. The report has
the fidelity of each output tensor and the number of lines with the same text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import ConvertError
from convert.source.graphs import GRAPHS
from convert.source.line_features import line_features
from convert.source.recurrent import is_recurrent
from convert.source.samples import LineSample, PhotoSample, Samples
from convert.verify.fidelity import Fidelity
from convert.verify.floors import FLOORS
from convert.verify.report import Report, TextMatches
from sdk.charset import Charset
from sdk.engine import Engine, open_engine
from sdk.errors import SdkError
from sdk.model.bundle import Bundle
from sdk.model.manifest import Manifest
from sdk.recognize.crops import COLUMN_PX
from sdk.recognize.ctc import decode
from sdk.rectify.crop import pad_crops

__all__ = ["bundle_frame", "bundle_manifest", "variants_left_out", "verify", "verify_bundle"]

Arrays = Mapping[str, np.ndarray]

_WIDTH_STEP = 128
_COLUMN_STEP = 32
_COLUMNS_MOST = 256
_BATCH = 8


def bundle_frame(manifest: Manifest) -> tuple[int, int]:
    """Return (height, width) of the detector's frame of a bundle, in pixels.

    Bundles without a detector have a default frame.
    """
    for variant in manifest.variants.values():
        if "detector" in variant:
            _, height, width, _ = variant["detector"].input("image").shape
            return height, width
    return 640, 640


def variants_left_out(manifest: Manifest) -> list[str]:
    """Return the variants of a bundle without a floor: those compiled for a device."""
    return [variant for variant in manifest.variants if variant not in FLOORS]


def bundle_manifest(folder: Path) -> Manifest:
    """Return the manifest of a bundle.

    Raises:
        ConvertError: The bundle is missing or damaged.
    """
    try:
        return Bundle.open(folder).manifest
    except SdkError as error:
        raise ConvertError(str(error)) from error


def verify_bundle(
    folder: Path, models: Mapping[str, Any], samples: Samples, threads: int | None = None
) -> dict[str, Report]:
    """Compare a bundle's variants with the Keras models; see `verify`.

    Variants without a floor are left out.

    Args:
        folder: The bundle's folder.
        models: Keras models by graph name.
        samples: Photos, in the detector's frame, and line images.
        threads: Number of CPU threads of the engines; None takes the SDK's default.

    Raises:
        ConvertError: The bundle is damaged or a graph cannot run.
    """
    variants: dict[str, dict[str, Engine]] = {}
    try:
        manifest = Bundle.open(folder).manifest
        for variant in manifest.variants:
            if variant not in FLOORS:
                continue
            bundle = Bundle.open(folder, variant)
            variants[variant] = {
                name: open_engine(bundle.graph(name), "cpu", threads) for name in bundle.roles
            }
        return verify(variants, models, samples, manifest.charset)
    except SdkError as error:
        raise ConvertError(f"The bundle cannot run: {error}") from error
    finally:
        for engines in variants.values():
            for engine in engines.values():
                engine.close()


def verify(
    variants: Mapping[str, Mapping[str, Engine]],
    models: Mapping[str, Any],
    samples: Samples,
    charset: Charset,
) -> dict[str, Report]:
    """Compare variants with the Keras models.

    Args:
        variants: Engines by variant and graph name.
        models: Keras models by graph name; graphs without a model are left out.
        samples: Photos and line images. Photos without labeled lines serve the detector only.
        charset: Charset of the recognizer and of the line graph.

    Returns:
        A report for each variant.
    """
    reports = {
        name: Report(
            {
                graph: {output: Fidelity() for output in GRAPHS[graph].outputs}
                for graph in engines
                if graph in models
            },
            {
                graph: TextMatches()
                for graph in engines
                if graph in models and "logits" in GRAPHS[graph].outputs
            },
        )
        for name, engines in variants.items()
    }
    if "detector" in models:
        for photo in samples.photos:
            _compare_photo(photo, variants, models, charset, reports)
    if "line" in models:
        for width, batch in _line_batches(samples.lines):
            _compare_lines(batch, width, variants, models["line"], charset, reports)
    return reports


def _reference(model: Any, x: np.ndarray, graph: str) -> dict[str, np.ndarray]:
    result = model(x, training=False)
    if not isinstance(result, Mapping):
        result = {GRAPHS[graph].outputs[0]: result[0] if isinstance(result, list) else result}
    return {name: np.asarray(result[name], np.float32) for name in GRAPHS[graph].outputs}


def _update(report: Report, graph: str, reference: Arrays, result: Arrays) -> None:
    for name, values in reference.items():
        report.tensors[graph][name].update(values, result[name])


def _texts(logits: np.ndarray, columns: Iterable[int], charset: Charset) -> list[str]:
    """Return the greedy texts of logits (N, 1, T, classes), with ``columns`` valid in each."""
    return [
        decode(line[0, :taken], charset).text for line, taken in zip(logits, columns, strict=True)
    ]


def _compare_photo(
    photo: PhotoSample,
    variants: Mapping[str, Mapping[str, Engine]],
    models: Mapping[str, Any],
    charset: Charset,
    reports: Mapping[str, Report],
) -> None:
    frame = photo.frame[None]
    reference = _reference(models["detector"], frame, "detector")
    results = {}
    for name, engines in variants.items():
        if "detector" in engines:
            results[name] = engines["detector"].run({"image": frame})
            _update(reports[name], "detector", reference, results[name])
    if "recognizer" not in models or not len(photo.quads):
        return
    _, widths = line_features(reference["features"][0], photo.quads, _COLUMNS_MOST)
    columns = int(-(-widths.max() // _COLUMN_STEP) * _COLUMN_STEP)
    lines, widths = line_features(reference["features"][0], photo.quads, columns)
    logits = _reference(models["recognizer"], lines, "recognizer")
    expected = _texts(logits["logits"], widths, charset)
    for name, engines in variants.items():
        if "recognizer" not in engines:
            continue
        _update(reports[name], "recognizer", logits, engines["recognizer"].run({"features": lines}))
        if name in results:
            own, _ = line_features(results[name]["features"][0], photo.quads, columns)
            read = _texts(engines["recognizer"].run({"features": own})["logits"], widths, charset)
            for texts in zip(expected, read, photo.texts, strict=True):
                reports[name].readings["recognizer"].update(*texts)


def _line_batches(lines: Sequence[LineSample]) -> Iterator[tuple[int, list[LineSample]]]:
    """Yield (frame width, line images of this width) in small batches."""
    groups: dict[int, list[LineSample]] = defaultdict(list)
    for line in lines:
        groups[-(-line.pixels.shape[1] // _WIDTH_STEP) * _WIDTH_STEP].append(line)
    for width, group in sorted(groups.items()):
        for start in range(0, len(group), _BATCH):
            yield width, group[start : start + _BATCH]


def _run_lines(engine: Engine, x: np.ndarray, model: Any) -> np.ndarray:
    """Return the logits of line images (N, 32, W, 3); a recurrent graph has a fixed batch of 1."""
    parts = np.split(x, len(x)) if is_recurrent(model) else [x]
    return np.concatenate([engine.run({"strip": part})["logits"] for part in parts])


def _compare_lines(
    batch: Sequence[LineSample],
    width: int,
    variants: Mapping[str, Mapping[str, Engine]],
    model: Any,
    charset: Charset,
    reports: Mapping[str, Report],
) -> None:
    x = pad_crops([line.pixels for line in batch], width)
    columns = [-(-line.pixels.shape[1] // COLUMN_PX) for line in batch]
    reference = _reference(model, x, "line")
    expected = _texts(reference["logits"], columns, charset)
    for name, engines in variants.items():
        if "line" not in engines:
            continue
        result = {"logits": _run_lines(engines["line"], x, model)}
        fidelity = reports[name].tensors["line"]["logits"]
        for row, taken in enumerate(columns):  # the columns after a line's end are not decoded
            fidelity.update(*(r["logits"][row, :, :taken] for r in (reference, result)))
        read = _texts(result["logits"], columns, charset)
        for before, after, line in zip(expected, read, batch, strict=True):
            reports[name].readings["line"].update(before, after, line.text)
