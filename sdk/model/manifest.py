"""`model.json`: the description of a bundle, its graphs and their tensors.

The SDK reads the file with these classes, and the converter writes the file with them.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from sdk.charset import Charset
from sdk.errors import ModelError
from sdk.files import open_regular
from sdk.model.contract import GRAPHS, check_graphs
from sdk.model.faults import wrong
from sdk.model.line_probability import LineProbability
from sdk.model.schema1 import read_schema1
from sdk.model.settings import DecodeSettings
from sdk.model.store import is_name

__all__ = ["SCHEMA", "GraphSpec", "Manifest", "TensorSpec", "file_digest"]

SCHEMA = 2
"""Version of the file structure that this SDK writes. The SDK also reads version 1."""

DTYPES = ("float32", "int8", "uint8")

# Limit for one tensor. A detector's features have 1.6 million values.
_MOST_VALUES = 1 << 28

_T = TypeVar("_T")


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits.

    Raises:
        OSError: The file cannot be read, or is a pipe or a device.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of a graph.

    Attributes:
        name: Role of the tensor: "image", "score", "vertical", "horizontal", "angle", "features",
            "strip" or "logits".
        index: Position among the interpreter's inputs or outputs.
        shape: Static shape.
        dtype: "float32", "int8" or "uint8".
        scale: Quantization step. None for a float tensor.
        zero_point: Quantized value of zero. None for a float tensor.
    """

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"shape": list(self.shape)}

    @classmethod
    def from_dict(cls, data: Any) -> TensorSpec:
        """Read a tensor of the manifest.

        Raises:
            ModelError: A key is missing, unknown or has a value of the wrong kind.
        """
        entry = _entry(data, cls, "tensor")
        name = _typed(entry, "name", str)
        shape = _typed(entry, "shape", list)
        if not all(type(n) is int and n > 0 for n in shape) or math.prod(shape) > _MOST_VALUES:
            few = f"positive whole numbers, for at most {_MOST_VALUES} values"
            raise wrong(f"shape of tensor {name}", shape, few)
        dtype = _typed(entry, "dtype", str)
        if dtype not in DTYPES:
            raise wrong(f"dtype of tensor {name}", dtype, f"one of {', '.join(DTYPES)}")
        scale, zero_point = entry.get("scale"), entry.get("zero_point")
        if (scale is None) != (zero_point is None):
            raise wrong(f"quantization of tensor {name}", (scale, zero_point), "both or neither")
        if scale is not None:
            scale = _number(scale, f"scale of tensor {name}")
            zero_point = _typed(entry, "zero_point", int)
            if not scale > 0 or not -128 <= zero_point <= 255:
                found = (scale, zero_point)
                raise wrong(f"quantization of tensor {name}", found, "a step and -128 to 255")
        return cls(name, _typed(entry, "index", int), tuple(shape), dtype, scale, zero_point)


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """A TFLite file of a bundle.

    Attributes:
        file: File name inside the bundle.
        sha256: SHA-256 of the file as hexadecimal digits.
        bytes: File size.
        inputs: Input tensors.
        outputs: Output tensors.
        sizes: Byte offsets in the file. Each offset leads to a pair of int32, the height and width
            of a map, which must change with the input size. Empty if the input size is fixed.
    """

    file: str
    sha256: str
    bytes: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sizes: tuple[int, ...] = ()

    @classmethod
    def of_file(
        cls,
        path: Path,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        sizes: Sequence[int] = (),
    ) -> GraphSpec:
        """Return the entry of a file that is already in its bundle.

        Raises:
            OSError: The file cannot be read.
        """
        size = path.stat().st_size
        digest = file_digest(path)
        return cls(path.name, digest, size, tuple(inputs), tuple(outputs), tuple(sizes))

    def input(self, name: str) -> TensorSpec:
        """Return an input by name.

        Raises:
            ModelError: No input has this name.
        """
        return _named(self.inputs, name, f"input of {self.file}")

    def output(self, name: str) -> TensorSpec:
        """Return an output by name.

        Raises:
            ModelError: No output has this name.
        """
        return _named(self.outputs, name, f"output of {self.file}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "inputs": [t.to_dict() for t in self.inputs],
            "outputs": [t.to_dict() for t in self.outputs],
        } | ({"sizes": list(self.sizes)} if self.sizes else {})

    @classmethod
    def from_dict(cls, data: Any) -> GraphSpec:
        """Read a graph of the manifest.

        Raises:
            ModelError: A key is missing, unknown or has a value of the wrong kind.
        """
        entry = _entry(data, cls, "graph")
        file = _typed(entry, "file", str)
        path = PurePosixPath(file)
        # a manifest must not make the SDK open files outside its folder
        outside = path.is_absolute() or ".." in path.parts or "\\" in file or ":" in file
        if not file or outside or not file.isprintable():
            raise wrong("file of a graph", file, "a name inside the bundle")
        sizes = _typed(entry, "sizes", list) if "sizes" in entry else []
        if not all(type(n) is int and n >= 0 for n in sizes):
            raise wrong(f"sizes of {file}", sizes, "whole numbers")
        size = _typed(entry, "bytes", int)
        if size < 1:
            raise wrong(f"bytes of {file}", size, "a positive whole number")
        return cls(
            file,
            _typed(entry, "sha256", str),
            size,
            tuple(TensorSpec.from_dict(t) for t in _typed(entry, "inputs", list)),
            tuple(TensorSpec.from_dict(t) for t in _typed(entry, "outputs", list)),
            tuple(sizes),
        )


@dataclass(frozen=True, slots=True)
class Manifest:
    """Contents of `model.json`.

    Attributes:
        name: Name of the model, such as "fots-lite-small".
        version: Version of the model.
        created: Date and time of export, ISO 8601.
        charset: Characters that the model reads.
        default_variant: Variant that is used if the caller names none.
        variants: Graphs by role ("detector", "recognizer", "line"), by variant ("int8", ...).
        decode: Settings of decoding.
        temperature: Calibration of the confidences by graph, see `sdk.recognize.ctc`. An absent
            graph has 1.
        line_probability: Calibration of `TextLine.probability`. None for none.
        training: Record of how the model was made, without a fixed structure.
        detector_of: Name of an installed bundle, whose detector serves the variants without one.
            Empty for none.
    """

    name: str
    version: str
    created: str
    charset: Charset
    default_variant: str
    variants: Mapping[str, Mapping[str, GraphSpec]]
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    temperature: Mapping[str, float] = field(default_factory=dict)
    line_probability: LineProbability | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    detector_of: str = ""

    def __post_init__(self) -> None:
        """Check that the parts fit together.

        Raises:
            ModelError: The default variant, a graph or a tensor is missing, or does not fit the
                other parts.
        """
        if self.default_variant not in self.variants:
            known = ", ".join(self.variants) or "none"
            raise wrong("default_variant", self.default_variant, f"a variant ({known})")
        if self.detector_of and not is_name(self.detector_of):
            raise wrong("detector_of", self.detector_of, "the name of an installed bundle")
        for variant, graphs in self.variants.items():
            self._check_variant(variant, graphs)
        for graph, value in self.temperature.items():
            if graph not in GRAPHS or not 0.01 <= value <= 100:
                raise wrong(f"temperature of {graph}", value, "0.01 to 100, for a graph")

    def _check_variant(self, variant: str, graphs: Mapping[str, GraphSpec]) -> None:
        unknown = sorted(set(graphs) - set(GRAPHS))
        if unknown:
            raise wrong(f"graphs of variant {variant}", unknown, f"of {', '.join(GRAPHS)}")
        if "line" not in graphs:
            raise wrong(f"graphs of variant {variant}", sorted(graphs), 'with "line"')
        if "recognizer" in graphs and "detector" not in graphs:
            raise wrong(f"graphs of variant {variant}", sorted(graphs), 'with "detector"')
        check_graphs(graphs, self.charset.classes)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        calibration: dict[str, Any] = {"temperature": dict(self.temperature)}
        if self.line_probability is not None:
            calibration["line_probability"] = asdict(self.line_probability)
        return {
            "schema": SCHEMA,
            "name": self.name,
            "version": self.version,
            "created": self.created,
            "charset": self.charset.symbols,
            "default_variant": self.default_variant,
            "variants": {
                variant: {role: graph.to_dict() for role, graph in graphs.items()}
                for variant, graphs in self.variants.items()
            },
            "decode": self.decode.to_dict(),
            "calibration": calibration,
            "training": dict(self.training),
        } | ({"detector_of": self.detector_of} if self.detector_of else {})

    @classmethod
    def from_dict(cls, data: Any) -> Manifest:
        """Read a manifest.

        Raises:
            ModelError: This SDK does not know the schema, or an entry is missing, unknown or has a
                value of the wrong kind.
        """
        if not isinstance(data, Mapping):
            raise wrong("model.json", type(data).__name__, "an object")
        schema = data.get("schema")
        if type(schema) is not int or schema < 1:
            raise wrong("schema", schema, f"a whole number (this SDK writes {SCHEMA})")
        if schema > SCHEMA:
            raise ModelError(
                f"The bundle has schema {schema}; this SDK reads up to {SCHEMA}. "
                "Update the SDK: pip install --upgrade fots-lite."
            )
        known = {"schema", "name", "version", "created", "charset", "default_variant", "variants"}
        known |= {"decode", "calibration", "training", "detector_of"}
        _refuse_unknown(data, known, "model.json")
        try:
            charset = Charset(_typed(data, "charset", str))
        except ValueError as error:
            raise ModelError(f"The charset of model.json is not usable: {error}") from error
        if any(unicodedata.category(symbol) in ("Cc", "Cs") for symbol in charset.symbols):
            raise wrong("charset", charset.symbols, "free of control characters")
        variants = _typed(data, "variants", dict)
        for variant in variants:
            if not variant.isprintable():
                raise wrong("name of a variant", variant, "free of control characters")
        specs = {
            variant: {
                role: GraphSpec.from_dict(graph)
                for role, graph in _typed(variants, variant, dict).items()
            }
            for variant in variants
        }
        decode_entry = _optional(data, "decode")
        if schema == 1:
            decode = read_schema1(decode_entry)
        else:
            decode = DecodeSettings.from_dict(decode_entry)
        calibration = _optional(data, "calibration")
        _refuse_unknown(calibration, {"temperature", "line_probability"}, "calibration")
        temperature = _optional(calibration, "temperature")
        return cls(
            name=_printable(data, "name"),
            version=_printable(data, "version"),
            created=_printable(data, "created"),
            charset=charset,
            default_variant=_typed(data, "default_variant", str),
            variants=specs,
            decode=decode,
            temperature={
                graph: _number(value, f"temperature of {graph}")
                for graph, value in temperature.items()
            },
            line_probability=_line_probability(calibration),
            training=_optional(data, "training"),
            detector_of=_typed(data, "detector_of", str) if "detector_of" in data else "",
        )


def _refuse_unknown(data: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(str(key) for key in set(data) - known)
    if unknown:
        raise ModelError(
            f"Unknown {', '.join(unknown)} in the bundle's {what}; known are "
            f"{', '.join(sorted(known))}. Update the SDK if the bundle is newer."
        )


def _entry(data: Any, kind: type, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise wrong(what, data, "an object")
    _refuse_unknown(data, {f.name for f in fields(kind)}, what)
    return data


def _typed(data: Mapping[str, Any], key: str, kind: type[_T]) -> _T:
    value = data.get(key)
    # bool is a subclass of int in Python
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        names = {str: "a string", int: "a whole number", list: "a list", dict: "an object"}
        raise wrong(f'"{key}"', value, names[kind])
    return value


def _printable(data: Mapping[str, Any], key: str) -> str:
    value = _typed(data, key, str)
    if not value.isprintable():  # these texts appear in logs and on terminals
        raise wrong(f'"{key}"', value, "free of control characters")
    return value


def _optional(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    return _typed(data, key, dict) if key in data else {}


def _line_probability(calibration: Mapping[str, Any]) -> LineProbability | None:
    if "line_probability" not in calibration:
        return None
    entry = _entry(calibration["line_probability"], LineProbability, "line_probability")
    return LineProbability(
        _number(entry.get("offset"), "offset of line_probability"),
        _number(entry.get("slope"), "slope of line_probability"),
    )


def _number(value: Any, what: str) -> float:
    number = math.nan
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        with contextlib.suppress(OverflowError):  # an int may be greater than any float
            number = float(value)
    if not math.isfinite(number):
        raise wrong(what, value, "a finite number")
    return number


def _named(tensors: Sequence[TensorSpec], name: str, what: str) -> TensorSpec:
    for tensor in tensors:
        if tensor.name == name:
            return tensor
    raise wrong(what, [t.name for t in tensors], f'with one named "{name}"')
