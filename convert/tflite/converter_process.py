"""Code of the child process of a conversion, the only user of TensorFlow's converter."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# A conversion does not profit from a GPU, and forked processes cannot share one.
os.environ["CUDA_VISIBLE_DEVICES"] = ""


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Suppress output of native code to standard error."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


# The import reports missing libraries before any log level applies.
with _silent():
    import tensorflow as tf

if TYPE_CHECKING:
    from convert.tflite.conversion import Conversion

__all__ = ["convert"]


def convert(job: Conversion) -> None:
    """Convert a SavedModel to a .tflite file.

    Args:
        job: The job; its target is written atomically.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(job.saved_model))
    if job.precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if job.precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if job.precision == "int8":
        if job.calibration is not None:  # a tuned graph has its own ranges
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
                # sets the input's range to 0..255, independent of the pictures
                x[0, 0, 0], x[0, 0, 1] = 0.0, 255.0
            x = x * np.float32(job.scale) + np.float32(job.offset)
        yield [x]
