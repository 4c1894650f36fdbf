"""Inspection of TFLite files: operations with their versions, tensors, arithmetic, bytes.

The flatbuffer is parsed without an interpreter, so that graphs for other devices can be inspected.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from convert.errors import ConvertError
from convert.tflite.arena import arena_bytes, lifetimes
from convert.tflite.operators import CONVOLUTIONS, Op, count_macs, shape_of
from convert.tflite.targets import TARGETS
from sdk.errors import SdkError
from sdk.model.bundle import Bundle
from sdk.model.manifest import TensorSpec

__all__ = [
    "Graph",
    "inspect_file",
    "inspect_path",
    "inspect_variant",
    "loose_arithmetic",
    "table",
]


@dataclass(frozen=True)
class Graph:
    """The graph of a TFLite file.

    Attributes:
        file: Name of the file.
        bytes: Size of the file.
        weight_bytes: Size of the constants.
        inputs: Inputs, with their names in the signature.
        outputs: Outputs, with their names in the signature, in the interpreter's order.
        ops: Operations in the order of execution.
        arena_bytes: Size of the interpreter's arena for the tensors between operations, placed by
            decreasing size (Pisarchyk & Lee 2020, "Efficient Memory Management for Deep Neural Net
            Inference", section 5.2); kernels may add buffers.
    """

    file: str
    bytes: int
    weight_bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    ops: tuple[Op, ...]
    arena_bytes: int = 0

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations (MACs) of one run at the static shapes."""
        return sum(op.macs for op in self.ops)

    def histogram(self) -> dict[tuple[str, int, str], tuple[int, int]]:
        """Return (number, MACs) of each (operation, version, output type)."""
        number: Counter[tuple[str, int, str]] = Counter()
        macs: Counter[tuple[str, int, str]] = Counter()
        for op in self.ops:
            key = (op.name, op.version, op.dtype)
            number[key] += 1
            macs[key] += op.macs
        return {key: (number[key], macs[key]) for key in sorted(number)}

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        rows = [
            {"op": op, "version": version, "dtype": dtype, "count": count, "macs": macs}
            for (op, version, dtype), (count, macs) in self.histogram().items()
        ]
        targets = {name: t.missing(self.ops) for name, t in TARGETS.items()}
        return {**asdict(self), "macs": self.macs, "histogram": rows, "left_by": targets}


def inspect_path(path: Path | str) -> list[Graph]:
    """Return the graph of a .tflite file, or all graphs of a bundle's folder.

    Raises:
        ConvertError: There is no graph, or one is damaged.
    """
    path = Path(path)
    if not path.is_dir():
        return [inspect_file(path)]
    files = sorted(path.glob("*.tflite"))
    if not files:
        raise ConvertError(f"No .tflite file in {path}. Give a bundle's folder or a .tflite file.")
    return [inspect_file(file) for file in files]


def inspect_variant(path: Path, variant: str) -> list[Graph]:
    """Return the graphs of a bundle's variant, or the graph of a .tflite file.

    Raises:
        ConvertError: The bundle has no such variant, or a file is damaged.
    """
    if not path.is_dir():
        return [inspect_file(path)]
    try:
        bundle = Bundle.open(path, variant)
    except SdkError as error:
        raise ConvertError(str(error)) from error
    return [inspect_file(bundle.graph(role).path) for role in bundle.roles]


def inspect_file(path: Path) -> Graph:
    """Return the graph of a .tflite file.

    Raises:
        ConvertError: The file is missing or not a TFLite model.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConvertError(f"Cannot read {path}: {error.strerror or error}.") from error
    if data[4:8] != b"TFL3":
        raise ConvertError(
            f"{path} is not a TFLite model: it starts with {data[:8]!r}, without the mark TFL3."
        )
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
        return _graph(model, schema, path.name, len(data))
    except (struct.error, IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConvertError(
            f"{path} is damaged: {type(error).__name__}: {error}. Export it again."
        ) from error


def _graph(model: Any, schema: Any, name: str, size: int) -> Graph:
    op_names = _names(schema.BuiltinOperator)
    type_names = {code: text.lower() for code, text in _names(schema.TensorType).items()}
    graph = model.subgraphs[0]
    tensors = graph.tensors
    filled = {i for i, b in enumerate(model.buffers) if b.data is not None and len(b.data)}
    constant = {i for i, t in enumerate(tensors) if t.buffer in filled}
    names = _signature_names(model)

    def describe(position: int, index: int) -> TensorSpec:
        t = tensors[index]
        q = t.quantization
        quantized = q is not None and q.scale is not None and len(q.scale) > 0
        return TensorSpec(
            names.get(index, _text(t.name)),
            position,
            shape_of(t),
            type_names[t.type],
            float(q.scale[0]) if quantized else None,
            int(q.zeroPoint[0]) if quantized else None,
        )

    made_by: dict[int, str] = {}
    ops = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        op = op_names[builtin]
        if op == "CUSTOM":
            op = _text(code.customCode)
        inputs = [int(i) for i in operator.inputs if i >= 0]
        outputs = [int(i) for i in operator.outputs]
        varying = [i for i in inputs if i not in constant]
        ops.append(
            Op(
                op,
                code.version,
                type_names[tensors[outputs[0]].type],
                shape_of(tensors[outputs[0]]),
                count_macs(
                    op, [shape_of(tensors[i]) for i in inputs], shape_of(tensors[outputs[0]])
                ),
                made_by.get(varying[0], "") if varying else "",
                len(varying) < len(inputs),
                tuple(shape_of(tensors[i]) for i in varying),
                tuple(type_names[tensors[i].type] for i in varying),
                all(_is_static(tensors[i]) for i in (*inputs, *outputs)),
                _options(operator),
            )
        )
        made_by.update(dict.fromkeys(outputs, op))
        if op == "DEQUANTIZE" and not varying:  # unpacked float16 weights are constants too
            constant.update(outputs)
    return Graph(
        name,
        size,
        sum(len(b.data) for b in model.buffers if b.data is not None),
        tuple(describe(n, int(i)) for n, i in enumerate(graph.inputs)),
        tuple(describe(n, int(i)) for n, i in enumerate(graph.outputs)),
        tuple(ops),
        arena_bytes(lifetimes(graph, constant)),
    )


def _is_static(tensor: Any) -> bool:
    signature = tensor.shapeSignature
    return signature is None or all(n >= 0 for n in signature)


def _options(operator: Any) -> dict[str, int]:
    options = vars(operator.builtinOptions) if operator.builtinOptions is not None else {}
    return {key: int(value) for key, value in options.items() if isinstance(value, (bool, int))}


def loose_arithmetic(graph: Graph) -> list[Op]:
    """Return the MUL, ADD and SUB with a constant that follow a convolution.

    The converter folds batch normalization into the convolution before it. Each remaining operation
    costs a pass over the map.
    """
    return [
        op
        for op in graph.ops
        if op.name in {"MUL", "ADD", "SUB"} and op.constant and op.after in CONVOLUTIONS
    ]


def table(graph: Graph) -> str:
    """Return a readable report of a graph."""
    lines = [
        f"{graph.file}: {graph.bytes / 1e6:.2f} MB (constants {graph.weight_bytes / 1e6:.2f} MB), "
        f"{len(graph.ops)} operations, {graph.macs / 1e6:.1f} MMACs, "
        f"arena {graph.arena_bytes / 1e6:.2f} MB"
    ]
    for word, tensors in (("input", graph.inputs), ("output", graph.outputs)):
        for t in tensors:
            shape = "x".join(map(str, t.shape))
            quantization = "" if t.scale is None else f"  scale {t.scale:.6g} zero {t.zero_point}"
            lines.append(f"  {word:<7}{t.name:<12}{t.dtype:<8} {shape}{quantization}")
    lines.append(f"  {'operation':<26}{'version':>7}  {'type':<8}{'count':>6}{'MMACs':>10}")
    for (op, version, dtype), (count, macs) in graph.histogram().items():
        arithmetic = f"{macs / 1e6:10.2f}" if macs else f"{'-':>10}"
        lines.append(f"  {op:<26}{version:>7}  {dtype:<8}{count:>6}{arithmetic}")
    loose = loose_arithmetic(graph)
    if loose:
        found = Counter(op.name for op in loose)
        lines.append(
            "  not folded into the convolution before: "
            + ", ".join(f"{count} {name}" for name, count in sorted(found.items()))
        )
    return "\n".join(lines + _target_lines(graph))


def _target_lines(graph: Graph) -> list[str]:
    lines = []
    for target in TARGETS.values():
        left = target.missing(graph.ops)
        taken = len(graph.ops) - sum(left.values())
        lines.append(f"  {target.title:<14}takes {taken} of {len(graph.ops)} operations")
        lines += [f"    {count} {reason}" for reason, count in left.items()]
    return lines


def _names(enumeration: Any) -> dict[int, str]:
    return {value: key for key, value in vars(enumeration).items() if isinstance(value, int)}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _signature_names(model: Any) -> dict[int, str]:
    if not model.signatureDefs:
        return {}
    signature = model.signatureDefs[0]
    pairs = [*(signature.inputs or ()), *(signature.outputs or ())]
    return {int(pair.tensorIndex): _text(pair.name) for pair in pairs}
