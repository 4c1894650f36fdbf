"""Find an installed TFLite interpreter."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from sdk.errors import DeviceError

__all__ = ["Found", "construction_error", "find_interpreter", "first_line"]

# Distribution and its module. ai-edge-litert is first, because it runs int8 models about five times
# faster than tflite-runtime 2.14.
CANDIDATES = (
    ("ai-edge-litert", "ai_edge_litert.interpreter"),
    ("tflite-runtime", "tflite_runtime.interpreter"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """An interpreter that was imported.

    Attributes:
        name: Distribution and version, such as "ai-edge-litert 2.3.0".
        module: The Python module with the class `Interpreter`.
    """

    name: str
    module: Any


@lru_cache(maxsize=1)
def find_interpreter() -> Found:
    """Return the first interpreter that can be imported.

    Raises:
        DeviceError: No interpreter can be imported. The message has the commands to install one.
    """
    reasons = []
    for distribution, module in CANDIDATES:
        try:
            loaded = import_module(module)
        except Exception as error:  # a binary for another NumPy or libc fails in many ways
            reasons.append(f"{distribution}: {first_line(error)}")
            continue
        return Found(f"{distribution} {_version(distribution)}", loaded)
    advice = (
        "Install one: pip install ai-edge-litert, or, where it has no wheel, "
        'pip install tflite-runtime "numpy<2".'
    )
    if getattr(sys, "frozen", False):
        advice = "This program was packed without an interpreter: install one and pack it again."
    raise DeviceError(f"No TFLite interpreter can be used ({'; '.join(reasons)}). {advice}")


def construction_error(found: Found, error: BaseException) -> DeviceError:
    """Return the error for an interpreter that can be imported but not constructed."""
    advice = "Install it again, or the other one: pip install --force-reinstall ai-edge-litert."
    # tflite-runtime is built for NumPy 1 and fails with NumPy 2 at its first use only
    if found.name.startswith("tflite-runtime") and int(np.__version__.split(".")[0]) >= 2:
        advice = (
            f"It was built for NumPy 1 and NumPy {np.__version__} is installed: "
            'pip install "numpy<2", or pip install ai-edge-litert.'
        )
    return DeviceError(
        f"The interpreter {found.name} does not start: {first_line(error)}. {advice}"
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of unknown version"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text without its full stop, or the error's name."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
