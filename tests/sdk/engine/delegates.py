"""Delegate libraries and graphs for them, made for tests."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np

from sdk.engine.equivalence import sample_inputs
from sdk.model.bundle import MANIFEST_NAME, Bundle
from sdk.model.manifest import GraphSpec

SOURCE = Path(__file__).with_name("delegate_stub.c")


def build_stub(path: Path) -> Path:
    """Compile the stub delegate to a library of that name."""
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", str(path), str(SOURCE)], check=True
    )
    return path


def build_library(path: Path, source: str) -> Path:
    """Compile C source to a library of that name."""
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-x", "c", "-o", str(path), "-"],
        input=source,
        text=True,
        check=True,
    )
    return path


def compile_for_edgetpu(source: Path, target: Path) -> None:
    """Write a graph as the Edge TPU compiler does: all operators in one of its own."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(source.read_bytes()))
    graph = model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = schema.BuiltinOperator.CUSTOM
    code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = b"edgetpu-custom-op"
    code.version = 1
    model.operatorCodes = [code]
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = graph.inputs, graph.outputs
    graph.operators = [operator]
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    target.write_bytes(bytes(builder.Output()))


def add_edgetpu_variant(bundle: Path) -> Path:
    """Add the variant "edgetpu" to a bundle with an int8 one: its graphs compiled, all of them."""
    path = bundle / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    compiled = {}
    for role, graph in manifest["variants"]["int8"].items():
        source = GraphSpec.from_dict(graph)
        target = bundle / f"{role}-edgetpu.tflite"
        compile_for_edgetpu(bundle / source.file, target)
        compiled[role] = GraphSpec.of_file(target, source.inputs, source.outputs).to_dict()
    manifest["variants"]["edgetpu"] = compiled
    path.write_text(json.dumps(manifest))
    return bundle


def record_answers(bundle: Path, folder: Path, image: np.ndarray | None = None) -> Path:
    """Write what the int8 detector computes, a file for each output, as the stub gives it."""
    from ai_edge_litert.interpreter import Interpreter

    graph = Bundle.open(bundle, "int8").graph("detector")
    frame = sample_inputs(graph.spec)["image"] if image is None else image[None]
    interpreter = Interpreter(str(graph.path))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], frame)
    interpreter.invoke()
    folder.mkdir()
    for output in interpreter.get_output_details():
        index = output["index"]
        (folder / f"{index}.bin").write_bytes(interpreter.get_tensor(index).tobytes())
    return folder
