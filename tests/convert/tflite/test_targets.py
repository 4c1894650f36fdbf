from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from convert.tflite.arena import arena_bytes
from convert.tflite.inspect import inspect_file
from convert.tflite.operators import Op
from convert.tflite.targets import TARGETS, edgetpu_reason

Converted = Callable[[str, str], Path]

CONV = Op(
    "CONV_2D",
    3,
    "int8",
    (1, 8, 8, 4),
    0,
    "",
    True,
    inputs=((1, 8, 8, 3),),
    input_dtypes=("int8",),
)


@pytest.mark.parametrize("graph", ["detector", "recognizer", "line"])
def test_every_target_takes_the_integer_graphs(graph: str, converted: Converted) -> None:
    ops = inspect_file(converted(graph, "int8")).ops
    assert TARGETS["edgetpu"].missing(ops) == {}
    assert TARGETS["gpu"].missing(ops) == {}
    # the interpreter itself turns uint8 pixels to int8
    assert set(TARGETS["cpu"].missing(ops)) <= {"QUANTIZE: it only changes uint8 to int8"}


def test_edge_tpu_takes_no_floats(converted: Converted) -> None:
    missing = TARGETS["edgetpu"].missing(inspect_file(converted("line", "fp32")).ops)
    assert "CONV_2D: float32; only quantized values run there" in missing
    assert "CAST: the Edge TPU has no such operation" in missing


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 6}, "version 6, the compiler reads up to 5"),
        ({"name": "GELU"}, "the compiler knows no such operation"),
        ({"name": "ARG_MAX", "version": 1}, "the Edge TPU has no such operation"),
        ({"static": False}, "its shape is open"),
        ({"input_dtypes": ("float32",)}, "float32"),
        ({"shape": (2, 8, 8, 4)}, "a batch of 2"),
        ({"inputs": ((3, 2, 8, 8, 4),)}, "a batch of 3"),
        ({"inputs": ((1, 2, 8, 8, 4),)}, "more than three dimensions"),
        ({"options": {"dilationWFactor": 2, "dilationHFactor": 1}}, "dilated differently"),
        ({"name": "MAX_POOL_2D", "options": {"fusedActivationFunction": 3}}, "fused rectifier"),
        ({"name": "SOFTMAX"}, "more than one row"),
        ({"name": "FULLY_CONNECTED"}, "more than one row"),
        ({"name": "RESIZE_BILINEAR", "shape": (1, 32, 32, 3)}, "from 8x8 to 32x32"),
        ({"name": "RESIZE_BILINEAR", "options": {"alignCorners": 1}}, "aligned corners"),
    ],
)
def test_limits_of_the_edge_tpu(change: dict[str, object], reason: str) -> None:
    assert edgetpu_reason(CONV) == ""
    assert reason in edgetpu_reason(replace(CONV, **change))  # type: ignore[arg-type]


def test_arena_reuses_what_is_free() -> None:
    # a chain of three: the last tensor can lie where the first was
    assert arena_bytes([(0, 0, 640), (0, 1, 640), (1, 2, 640)]) == 1280
    # all at once
    assert arena_bytes([(0, 2, 64), (0, 2, 64), (0, 2, 64)]) == 192
    # a small one fits between the large ones that it does not meet
    assert arena_bytes([(0, 3, 640), (0, 0, 128), (1, 1, 64), (2, 2, 128)]) == 768
    assert arena_bytes([(0, 0, 1)]) == 64
    assert arena_bytes([]) == 0


def test_arena_is_at_least_what_one_operation_needs(converted: Converted) -> None:
    graph = inspect_file(converted("detector", "int8"))
    stem = 32 * 48 * 8
    assert graph.arena_bytes >= stem + 64 * 96 * 3
    # half of it four bytes wide and kept by nothing else would be more than all tensors
    assert graph.arena_bytes < inspect_file(converted("detector", "fp32")).arena_bytes
