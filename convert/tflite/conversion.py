"""One TFLite conversion in a child process.

TensorFlow's converter leaks memory in every call and can end with a segmentation fault, so each
conversion runs in a child process. Child processes are forked from a server that has imported
TensorFlow and has run nothing: a start takes a fraction of a second, and a crash of the child does
not affect the caller.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from convert.errors import ConvertError

__all__ = ["PRECISIONS", "Conversion", "convert_apart"]

PRECISIONS = ("fp32", "fp16", "dynamic", "int8")
"""float32; float16 weights; int8 weights with float activations; integers only."""


@dataclass(frozen=True)
class Conversion:
    """Job of a conversion.

    Attributes:
        saved_model: Folder of the SavedModel.
        target: The .tflite file to write.
        precision: One of `PRECISIONS`.
        is_image: Whether the input is pixels (uint8); otherwise the input is features.
        calibration: A .npy file (samples, height, width, channels): uint8 pixels or float32
            features; for int8 only. None if the SavedModel holds its ranges.
        scale: Factor from pixels to the SavedModel's input; for int8 images only.
        offset: Offset after this factor.
    """

    saved_model: Path
    target: Path
    precision: str
    is_image: bool
    calibration: Path | None = None
    scale: float = 1.0
    offset: float = 0.0


def convert_apart(job: Conversion) -> None:
    """Convert in a child process.

    Args:
        job: The job. `job.target` exists afterwards only after a success; the converter's messages
            are in the file ``<target>.log`` beside it.

    Raises:
        ConvertError: The converter failed or crashed; the error holds the end of its log.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["convert.tflite.converter_process"])
    log = job.target.with_name(f"{job.target.name}.log")
    process = context.Process(target=_run, args=(job, log), name=f"convert {job.target.name}")
    process.start()
    try:
        process.join()
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    code = process.exitcode
    if code == 0 and job.target.is_file():
        return
    job.target.unlink(missing_ok=True)
    raise ConvertError(
        f"Converting {job.target.stem} to {job.precision} failed: {_reason(code)}.\n{_tail(log)}"
    )


def _run(job: Conversion, log: Path) -> None:
    """Convert, in the child process."""
    _die_with_parent()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    from convert.tflite.converter_process import convert

    convert(job)


def _die_with_parent() -> None:
    """Let the kernel end this process if its parent is killed."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the converter stopped with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; perhaps memory ran out" if name == "SIGKILL" else ""
    return f"the converter crashed ({name}{hint})"


def _tail(log: Path, lines: int = 12) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "It left no log."
    kept = [line[:400] for line in text.splitlines() if line.strip()]
    return "The end of its log:\n  " + "\n  ".join(kept[-lines:]) if kept else "Its log is empty."
