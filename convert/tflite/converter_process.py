"""What runs inside a conversion's child process: the only user of TensorFlow's converter."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A conversion calculates nothing a GPU would help with, and forked children cannot share one.
os.environ["CUDA_VISIBLE_DEVICES"] = ""


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep native code from writing to standard error."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


# It greets with the libraries it did not find, before any log level counts.
with _silent():
    import tensorflow as tf

if TYPE_CHECKING:
    from convert.tflite.conversion import Conversion

__all__ = ["convert"]


def convert(job: Conversion) -> None:
    """Convert a SavedModel to a .tflite file.

    Args:
        job: What to convert; its target appears whole or not at all.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(job.saved_model))
    if job.precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job.precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if job.precision == "int8":
        if job.calibration is not None:  # a tuned graph brings its ranges
            converter.representative_dataset = lambda: _samples(job)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8 if job.is_image else tf.int8
        converter.inference_output_type = tf.int8
    data = converter.convert()
    temporary = job.target.with_name(f".{job.target.name}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(job.target)
    finally:
        temporary.unlink(missing_ok=True)


def _samples(job: Conversion) -> Iterator[list[np.ndarray]]:
    samples = np.load(str(job.calibration), mmap_mode="r")
    for number in range(len(samples)):
        x = samples[number : number + 1].astype(np.float32)
        if job.is_image:
            if number == 0:
                # Fixes the input's range to all of 0..255, whatever the pictures hold.
                x[0, 0, 0], x[0, 0, 1] = 0.0, 255.0
            x = x * np.float32(job.scale) + np.float32(job.offset)
        yield [x]
