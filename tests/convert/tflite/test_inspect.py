from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.errors import ConvertError
from convert.tflite.inspect import inspect_file, inspect_path, loose_arithmetic, table
from convert.tflite.operators import Op

Converted = Callable[[str, str], Path]


def test_multiplications_are_those_counted_by_hand(converted: Converted) -> None:
    graph = inspect_file(converted("recognizer", "fp32"))
    macs = (4 * 32) * 9 * 16 * 16 + (2 * 32) * 9 * 16 * 16 + 32 * 2 * 16 * 32  # 8 rows to 1
    macs += (4 * 32 + 2 * 32) * 9 * 16 * 16  # residual blocks at 4 and 2 rows
    macs += 2 * 32 * (5 * 32 + 32 * 32)  # temporal blocks
    macs += 32 * 32 * 96  # logits
    assert graph.macs == macs
    assert inspect_file(converted("recognizer", "int8")).macs == macs


def test_tensors_have_the_names_of_the_contract(converted: Converted) -> None:
    graph = inspect_file(converted("detector", "int8"))
    assert [t.name for t in graph.inputs] == ["image"]
    shapes = {t.name: t.shape for t in graph.outputs}
    assert shapes == {
        "score": (1, 16, 24, 1),
        "vertical": (1, 16, 24, 2),
        "horizontal": (1, 16, 24, 2),
        "angle": (1, 16, 24, 2),
        "features": (1, 16, 24, 16),
    }
    assert all(t.scale and t.zero_point is not None for t in graph.outputs)


def test_histogram_counts_every_operation(converted: Converted) -> None:
    graph = inspect_file(converted("detector", "int8"))
    histogram = graph.histogram()
    assert sum(count for count, _ in histogram.values()) == len(graph.ops)
    assert histogram["DEPTHWISE_CONV_2D", 3, "int8"][0] == 4
    assert histogram["RESIZE_BILINEAR", 3, "int8"] == (3, 0)
    text = table(graph)
    assert "RESIZE_BILINEAR" in text
    assert "1x64x96x3" in text
    assert "not folded" not in text


def test_arithmetic_after_a_convolution_is_found(converted: Converted) -> None:
    graph = inspect_file(converted("line", "fp32"))
    assert "ADD" in {op.name for op in graph.ops}  # the residual and the normalization
    assert loose_arithmetic(graph) == []
    left = Op("MUL", 1, "float32", (1, 8, 8, 4), 0, "CONV_2D", True)
    broken = type(graph)(**{**vars(graph), "ops": (*graph.ops, left)})
    assert loose_arithmetic(broken) == [left]
    assert "not folded into the convolution before: 1 MUL" in table(broken)


def test_float16_weights_count_as_constants(converted: Converted) -> None:
    assert loose_arithmetic(inspect_file(converted("line", "fp16"))) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a TFLite model"),
        (b"plain text, no model", "not a TFLite model"),
        (b"\x1c\0\0\0TFL3", "is damaged"),
    ],
)
def test_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(content)
    with pytest.raises(ConvertError, match=message):
        inspect_file(path)


def test_truncated_model_is_refused(converted: Converted, tmp_path: Path) -> None:
    path = tmp_path / "x.tflite"
    path.write_bytes(converted("line", "fp32").read_bytes()[:200])
    with pytest.raises(ConvertError, match="is damaged"):
        inspect_file(path)


def test_missing_file_and_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="Cannot read"):
        inspect_path(tmp_path / "missing.tflite")
    with pytest.raises(ConvertError, match=r"No \.tflite file"):
        inspect_path(tmp_path)


def test_command_prints_table_and_json(
    converted: Converted, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = converted("line", "int8")
    assert main(["inspect", str(path)]) == 0
    assert "CONV_2D" in capsys.readouterr().out
    assert main(["inspect", str(path), "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["file"] == path.name
    assert record["bytes"] == path.stat().st_size
    assert sum(row["count"] for row in record["histogram"]) == len(record["ops"])
    assert main(["inspect", str(tmp_path / "no.tflite")]) == 1
    assert "Cannot read" in capsys.readouterr().err
