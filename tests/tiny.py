"""A tiny model bundle that really reads, with weights set by hand instead of trained.

Its script: a line is a rectangle full of red on black, a character is a bar in it whose green and
blue are a point on a circle, a symbol each; the middle of the circle is the CTC blank. Finding the
edges of a rectangle is counting red cells to each side, reading a bar is a linear classifier of its
color: both are convolutions, so that these are TFLite graphs like any others, in floats and int8.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sdk.charset import Charset
from sdk.model.bundle import write_manifest
from sdk.model.manifest import GraphSpec, Manifest, TensorSpec
from sdk.model.settings import DecodeSettings
from sdk.model.views import COLOR

CHARSET = Charset("ABCDEFGH")
FRAME = 128
CHANNELS = 4
SHARPNESS = 20.0

INPUTS = {
    "detector": {"image": (1, FRAME, FRAME, 3)},
    "recognizer": {"features": (1, 8, 64, CHANNELS)},
    "line": {"strip": (1, 32, 256, 3)},
}
OUTPUTS = {
    "detector": ("score", "vertical", "horizontal", "angle", "features"),
    "recognizer": ("logits",),
    "line": ("logits",),
}
SETTINGS = DecodeSettings().changed(
    {
        "detect.score_threshold": 0.5,
        "detect.nms_iou": 0.3,
        "detect.max_scale": 1.0,
        "detect.box_margin": 0.0,
        "detect.coarse.below_score": 0.0,
        "detect.tiles.small_height_px": 7.0,
        "detect.tiles.small_share": 0.3,
        # this network knows its characters by their colors
        "retry.crop.views": [x for x in DecodeSettings().retry.crop.views if x.tone == COLOR],
        "recognize.features_min_height_px": 0.0,
        "recognize.line_widths": (64, 128, 256),
        "recognize.crop_margin": 0.0,
        "recognize.crop_side": 0.0,
        "recognize.digit_odds": 1.0,
        "recognize.min_confidence": 0.0,
        "retry.photo.confidence": 0.3,
        "retry.crop.confidence": 0.3,
        "retry.vote.lead": 1.2,
        "retry.flip.confidence": 0.2,
        "retry.direction.probability": 0.0,
    }
)


def colors() -> np.ndarray:
    """Return the green and blue of each class, float (classes, 2), -1..1."""
    turns = np.arange(len(CHARSET)) * 2 * np.pi / len(CHARSET)
    circle = 0.9 * np.stack([np.cos(turns), np.sin(turns)], 1)
    return np.concatenate([np.zeros((1, 2)), circle])


def draw_line(text: str, height: int = 32, bar: int = 16, gap: int = 8) -> np.ndarray:
    """Return a line in the tiny script, uint8 RGB (height, width, 3)."""
    classes = [0] * gap
    for symbol in CHARSET.encode(text):
        classes += [int(symbol)] * bar + [0] * gap
    line = np.full((height, len(classes), 3), 255, np.uint8)
    line[..., 1:] = np.round(127.5 * (colors()[classes] + 1))
    return line


def draw_photo(lines: Sequence[tuple[str, int, int]], size: tuple[int, int], **shape: int) -> Any:
    """Return a photo, uint8 RGB (height, width, 3), of lines (text, x, y)."""
    photo = np.zeros((*size, 3), np.uint8)
    for text, x, y in lines:
        line = draw_line(text, **shape)
        photo[y : y + line.shape[0], x : x + line.shape[1]] = line
    return photo


def build(folder: Path, precisions: Sequence[str] = ("fp32", "int8"), **manifest: Any) -> Path:
    """Write a bundle and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    variants = {
        precision: {role: _export(folder, role, precision) for role in INPUTS}
        for precision in precisions
    }
    values: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "created": "2026-01-01T00:00:00Z",
        "charset": CHARSET,
        "default_variant": precisions[0],
        "variants": variants,
        "decode": SETTINGS,
    }
    write_manifest(folder, Manifest(**{**values, **manifest}))
    return folder


def _detector(image: Any) -> dict[str, Any]:
    import tensorflow as tf

    cells = tf.nn.avg_pool2d(image, 4, 4, "VALID")  # -1..1
    # 1 on full red, 0 on black and on the gray beside the photo
    kernel = np.zeros((1, 1, 3, 1), np.float32)
    kernel[0, 0, 0, 0] = 1.0
    red = tf.nn.relu6(tf.nn.conv2d(cells, kernel, 1, "VALID"))
    # lines are at most 36 px high and as far apart
    vertical = tf.nn.conv2d(red, _steps(8)[:, None], 1, "SAME")
    horizontal = tf.nn.conv2d(red, _steps(31)[None], 1, "SAME")
    score = tf.nn.bias_add(
        tf.nn.conv2d(red, np.full((1, 1, 1, 1), 12, np.float32), 1, "SAME"), [-6.0]
    )
    angle = tf.nn.bias_add(
        tf.nn.conv2d(red, np.zeros((1, 1, 1, 2), np.float32), 1, "SAME"), [1.0, 0.0]
    )
    features = tf.nn.conv2d(cells, np.eye(3, CHANNELS, dtype=np.float32)[None, None], 1, "SAME")
    return {
        "score": score,
        "vertical": vertical,
        "horizontal": horizontal,
        "angle": angle,
        "features": features,
    }


def _steps(reach: int) -> np.ndarray:
    """Count red cells to either side: distances from a cell's middle, (2 * reach + 1, 1, 2)."""
    steps = np.zeros((2 * reach + 1, 1, 2), np.float32)
    steps[:reach, 0, 0] = steps[reach + 1 :, 0, 1] = 4.0
    steps[reach] = 2.0
    return steps


def _logits(strip: Any, rows: int) -> Any:
    """Classify columns by -(color - class color)^2, linear but for a part all classes share."""
    import tensorflow as tf

    kernel = np.zeros((rows, 1, strip.shape[-1], CHARSET.classes), np.float32)
    kernel[:, 0, 1:3] = 2 * SHARPNESS * colors().T / rows
    bias = (-SHARPNESS * (colors() ** 2).sum(1)).astype(np.float32)
    return tf.nn.bias_add(tf.nn.conv2d(strip, kernel, 1, "VALID"), bias)


def _recognizer(features: Any) -> dict[str, Any]:
    return {"logits": _logits(features, 8)}


def _line(strip: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {"logits": _logits(tf.nn.avg_pool2d(strip, 4, 4, "VALID"), 8)}


GRAPHS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "detector": _detector,
    "recognizer": _recognizer,
    "line": _line,
}


def _samples(shape: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    rng = np.random.default_rng(0)
    for _ in range(8):
        texts = ["".join(rng.choice(list(CHARSET.symbols), 4)) for _ in range(2)]
        photo = draw_photo([(text, 8, 72 * i) for i, text in enumerate(texts)], (FRAME, FRAME))
        x = np.tile(photo, (1, 2, 1))[None, : shape[1], : shape[2]] / 127.5 - 1
        yield [np.pad(x, [(0, 0)] * 3 + [(0, shape[3] - 3)]).astype(np.float32)]


def _export(folder: Path, role: str, precision: str) -> GraphSpec:
    import tensorflow as tf

    ((name, shape),) = INPUTS[role].items()
    graph = GRAPHS[role]
    pixels = role != "recognizer"
    raw = precision == "fp32" and pixels

    def serve(x: Any) -> dict[str, Any]:
        return graph(tf.cast(x, tf.float32) * (1 / 127.5) - 1 if raw else x)

    dtype = tf.uint8 if raw else tf.float32
    module = tf.Module()
    module.serve = tf.function(serve, input_signature=[tf.TensorSpec(shape, dtype, name)])
    saved = folder / f".{role}-{precision}"
    tf.saved_model.save(module, str(saved), signatures=module.serve.get_concrete_function())
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    if precision == "int8":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _samples(shape)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8 if pixels else tf.int8
        converter.inference_output_type = tf.int8
    path = folder / f"{role}-{precision}.tflite"
    path.write_bytes(converter.convert())
    shutil.rmtree(saved)
    return _describe(path, name, OUTPUTS[role])


def _describe(path: Path, name: str, outputs: Sequence[str]) -> GraphSpec:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))
    named = interpreter.get_signature_runner().get_output_details()
    made = interpreter.get_output_details()
    order = [found["index"] for found in made]
    return GraphSpec.of_file(
        path,
        [_tensor(name, 0, interpreter.get_input_details()[0])],
        [_tensor(key, order.index(named[key]["index"]), named[key]) for key in outputs],
    )


def _tensor(name: str, index: int, found: dict[str, Any]) -> TensorSpec:
    scales = found["quantization_parameters"]["scales"]
    zeros = found["quantization_parameters"]["zero_points"]
    return TensorSpec(
        name,
        index,
        tuple(int(n) for n in found["shape"]),
        np.dtype(found["dtype"]).name,
        float(scales[0]) if len(scales) else None,
        int(zeros[0]) if len(zeros) else None,
    )
