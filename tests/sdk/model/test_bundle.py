"""Bundles: written and read by the same classes; damaged ones are refused with a reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdk.errors import ModelError
from sdk.model import bundle as bundle_module
from sdk.model.bundle import MANIFEST_NAME, Bundle, write_manifest
from sdk.model.line_probability import LineProbability
from sdk.model.manifest import GraphSpec, Manifest, TensorSpec
from sdk.model.settings import DecodeSettings
from tests import tiny


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / MANIFEST_NAME
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_open_gives_what_was_written(tiny_bundle: Path) -> None:
    bundle = Bundle.open(tiny_bundle)
    assert bundle.manifest.name == "tiny"
    assert bundle.manifest.charset == tiny.CHARSET
    assert bundle.manifest.decode == tiny.SETTINGS
    assert (bundle.variant, bundle.roles) == ("fp32", ("detector", "recognizer", "line"))
    graph = bundle.graph("detector")
    assert graph.path.is_file()
    assert graph.spec.input("image").shape == (1, 128, 128, 3)
    assert [t.name for t in graph.spec.outputs] == list(tiny.OUTPUTS["detector"])
    assert Bundle.open(str(tiny_bundle), "int8").graph("line").spec.output("logits").dtype == "int8"


def test_manifest_survives_json(tiny_bundle: Path) -> None:
    manifest = Bundle.open(tiny_bundle).manifest
    manifest = replace(manifest, temperature={"line": 1.5}, training={"steps": [1, {"a": None}]})
    for probable in (None, LineProbability(-1.858, 1.178)):
        manifest = replace(manifest, line_probability=probable)
        assert Manifest.from_dict(json.loads(json.dumps(manifest.to_dict()))) == manifest


def test_optional_parts_have_defaults(own_bundle: Path) -> None:
    def drop(data: dict[str, Any]) -> None:
        for key in ("decode", "calibration", "training"):
            del data[key]

    edit(own_bundle, drop)
    manifest = Bundle.open(own_bundle).manifest
    assert manifest.decode == DecodeSettings()
    assert (manifest.temperature, manifest.training) == ({}, {})
    assert manifest.line_probability is None


def test_a_changed_byte_is_found(own_bundle: Path) -> None:
    path = own_bundle / "recognizer-fp32.tflite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"recognizer-fp32\.tflite is damaged: SHA-256"):
        Bundle.open(own_bundle)
    # the other variant does not use that file
    assert Bundle.open(own_bundle, "int8").variant == "int8"


def test_a_shortened_file_is_found(own_bundle: Path) -> None:
    path = own_bundle / "line-fp32.tflite"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ModelError, match=r"line-fp32\.tflite is damaged: \d+ bytes instead of"):
        Bundle.open(own_bundle)


def test_a_missing_file_is_named(own_bundle: Path) -> None:
    (own_bundle / "detector-fp32.tflite").unlink()
    with pytest.raises(ModelError, match=r"detector-fp32\.tflite is missing"):
        Bundle.open(own_bundle)


def test_missing_folder_and_manifest(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"nowhere.*not found.*Name a folder that holds model\.json"
    ):
        Bundle.open(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="not found"):
        Bundle.open(tmp_path)
    (tmp_path / MANIFEST_NAME).mkdir()
    with pytest.raises(ModelError, match="Cannot open the model bundle"):
        Bundle.open(tmp_path)


def test_missing_packaged_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "DEFAULT_BUNDLE", tmp_path / "models" / "default")
    with pytest.raises(ModelError, match="Install the package again"):
        Bundle.open()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\x00", b"not json", b"[" * 200_000, b"1" * 5000]
)
def test_no_json(own_bundle: Path, content: bytes) -> None:
    (own_bundle / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.json is not valid JSON"):
        Bundle.open(own_bundle)


def test_a_huge_manifest_is_not_read(own_bundle: Path) -> None:
    os.truncate(own_bundle / MANIFEST_NAME, 1 << 33)
    with pytest.raises(ModelError, match="larger than"):
        Bundle.open(own_bundle)


def test_a_name_that_none_can_have() -> None:
    with pytest.raises(ModelError, match=r"null byte.*Name a folder"):
        Bundle.open("a\0b")


def test_a_pipe_is_no_file_of_a_bundle(own_bundle: Path) -> None:
    graph = own_bundle / "line-fp32.tflite"
    graph.unlink()
    os.mkfifo(graph)
    for size in (1, 0):
        edit(own_bundle, at(*LINE, "bytes", value=size))
        with pytest.raises(ModelError, match="line-fp32"):
            Bundle.open(own_bundle)
    (own_bundle / MANIFEST_NAME).unlink()
    os.mkfifo(own_bundle / MANIFEST_NAME)
    with pytest.raises(ModelError, match="regular file"):
        Bundle.open(own_bundle)


def test_newer_schema(own_bundle: Path) -> None:
    edit(own_bundle, lambda data: data.update(schema=3, something="new"))
    with pytest.raises(ModelError, match=r"schema 3; this SDK reads up to 2\. Update the SDK"):
        Bundle.open(own_bundle)


def test_unknown_variant(tiny_bundle: Path) -> None:
    with pytest.raises(ModelError, match=r"no variant 'int4'\. Use one of fp32, int8"):
        Bundle.open(tiny_bundle, "int4")


def at(*keys: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return change


LINE = ("variants", "fp32", "line")
DETECTOR = ("variants", "fp32", "detector")
DETECT, RECOGNIZE = ("decode", "detect"), ("decode", "recognize")
PHOTO = ("decode", "retry", "photo")
LINES = ("calibration", "line_probability")


def quantized(scale: float, zero_point: int) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        tensor = data["variants"]["fp32"]["line"]["inputs"][0]
        tensor.update(scale=scale, zero_point=zero_point)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("schema", value="1"), "schema is '1'"),
        (at("schema", value=True), "schema is True"),
        (at("name", value=5), '"name" is 5; it must be a string'),
        (at("charset", value="ABA"), "charset of model.json is not usable"),
        (at("charset", value="ABC"), r"must be \[1, 1, 64, 4\], for .* and 3 characters"),
        (at("default_variant", value="fp64"), "must be a variant"),
        (at("extra", value=1), "Unknown extra in the bundle's model.json"),
        (at("decode", "thresh", value=1), "Unknown settings thresh in decode; known are detect"),
        (at(*DETECT, "thresh", value=1), "thresh in decode.detect; known are score_threshold"),
        (at("decode", "detect", value=7), "decode.detect is 7; it must be an object"),
        (at(*DETECT, "score_threshold", value=7), '"score_threshold" is 7; it must be a number'),
        (at(*DETECT, "max_lines", value=2.5), "max_lines.*whole number"),
        (at(*DETECT, "max_scale", value=10**400), r'"max_scale" is 10+\.\.\.; it must be'),
        (at(*RECOGNIZE, "line_widths", value=[64, 33]), "ascending multiples of 32"),
        (at(*RECOGNIZE, "line_widths", value=[]), "ascending multiples of 32"),
        (at(*RECOGNIZE, "line_widths", value=7), "ascending multiples of 32"),
        (at(*RECOGNIZE, "line_widths", value=[32 * 10**6]), "ascending multiples.*up to 4096"),
        (at(*RECOGNIZE, "source", value="air"), "one of pixels, features, features_first"),
        (at(*PHOTO, "until_fit", value=1), "until_fit.*true or false"),
        (at(*PHOTO, "views", value={"part": {}}), "views.*a list of views"),
        (at(*PHOTO, "views", value=[{"part": {}, "band": {}}]), "views.*a list of views"),
        (at(*PHOTO, "views", value=[{"slice": {}}]), "views.*a list of views"),
        (at(*PHOTO, "views", value=[{"part": {"width": 1}}]), "views.*a list of views"),
        (at(*PHOTO, "views", value=[{"band": {"bent": "no"}}]), "views.*a list of views"),
        (at("calibration", "temperature", "line", value=10**400), "must be a finite number"),
        (at("calibration", "temperature", "line", value=1e-300), r"must be 0\.01 to 100"),
        (at("name", value="\x1b[2J"), "free of control characters"),
        (at("version", value="\ud800"), "free of control characters"),
        (at("charset", value="ABCDEFG\n"), "free of control characters"),
        (at("variants", "\x1b[2J", value={}), "free of control characters"),
        (at("calibration", "temperature", "line", value=0), "temperature of line is 0"),
        (at("calibration", "temperature", "lines", value=1), "temperature of lines"),
        (at("calibration", "temperature", "line", value="x"), "must be a finite number"),
        (at(*LINES, value=None), "line_probability is None; it must be an object"),
        (at(*LINES, value={"offset": 1}), "slope of line_probability is None.*a finite number"),
        (at(*LINES, value={"slope": 1}), "offset of line_probability is None.*a finite number"),
        (at(*LINES, value={"offset": 0, "slope": 0}), "slope.*is 0.*a finite number above 0"),
        (at(*LINES, value={"offset": 0, "slope": True}), "slope of line_probability is True"),
        (at(*LINES, value={"offset": 10**400, "slope": 1}), "offset.*a finite number"),
        (at(*LINES, value={"offset": 0, "slope": 1, "a": 2}), "Unknown a in .* line_probability"),
        (at("calibration", "other", value=1), "Unknown other in the bundle's calibration"),
        (at("variants", value=[]), '"variants" is'),
        (at("variants", "fp32", value={}), 'must be with "line"'),
        (at("variants", "fp32", "line", value={}), '"file" is None; it must be a string'),
        (at(*LINE, "file", value="../line.tflite"), "must be a name inside the bundle"),
        (at(*LINE, "file", value="/etc/passwd"), "must be a name inside the bundle"),
        (at(*LINE, "file", value="a\0b"), "must be a name inside the bundle"),
        (at(*LINE, "file", value="\ud800"), "must be a name inside the bundle"),
        (at(*LINE, "bytes", value="9"), '"bytes" is'),
        (at(*LINE, "bytes", value=0), "bytes of line-fp32.tflite is 0"),
        (at(*LINE, "inputs", value=[]), r"inputs of line-fp32.tflite is \[\]"),
        (at(*LINE, "inputs", 0, "name", value="image"), 'must be the one named "strip"'),
        (at(*LINE, "inputs", 0, "shape", value=[]), r"shape of strip of line-fp32.tflite is \[\]"),
        (at(*LINE, "inputs", 0, "shape", value=[1, 48, 256, 3]), r"must be \[1, 32, any, 3\]"),
        (at(*LINE, "inputs", 0, "shape", value=[1, 32, 10**30, 3]), "for at most 268435456"),
        (
            at(*LINE, "outputs", 0, "shape", value=[]),
            r"logits of line-fp32.tflite is \[\]",
        ),
        (at(*LINE, "outputs", value=[]), 'with one named "logits"'),
        (at(*DETECTOR, "inputs", value=[]), r"inputs of detector-fp32.tflite is \[\]"),
        (at(*DETECTOR, "outputs", value=[]), 'with one named "score"'),
        (at(*DETECTOR, "outputs", 0, "name", value="scores"), 'with one named "score"'),
        (
            at(*DETECTOR, "outputs", 1, "shape", value=[1, 32, 32, 1]),
            r"\[1, 32, 32, 2\], for image",
        ),
        (at(*DETECTOR, "outputs", 4, "shape", value=[1, 32, 32, 5]), "features is"),
        (at(*DETECTOR, "outputs", 4, "shape", value=[4]), "features is"),
        (at(*LINE, "note", value=""), "Unknown note in the bundle's graph"),
        (at(*LINE, "inputs", 0, "shape", value=[1, 32, -1, 3]), "shape of tensor strip"),
        (at(*LINE, "inputs", 0, "dtype", value="int64"), "dtype of tensor strip"),
        (at(*LINE, "inputs", 0, "scale", value=0.5), "quantization of tensor strip"),
        (quantized(10**400, 0), "scale of tensor strip"),
        (quantized(-1, 0), "quantization of tensor strip"),
        (quantized(1, 10**400), "quantization of tensor strip"),
        (at(*LINE, "outputs", 0, "name", value="text"), 'with one named "logits"'),
    ],
)
def test_wrong_entries_are_named(
    own_bundle: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    edit(own_bundle, change)
    with pytest.raises(ModelError, match=message):
        Bundle.open(own_bundle)


def test_unknown_and_lonely_graphs(own_bundle: Path) -> None:
    graphs = Bundle.open(own_bundle).manifest.to_dict()["variants"]["fp32"]
    edit(own_bundle, at("variants", "fp32", value={**graphs, "reader": graphs["line"]}))
    with pytest.raises(ModelError, match=r"\['reader'\]; it must be of detector, recognizer, line"):
        Bundle.open(own_bundle)
    del graphs["detector"]
    edit(own_bundle, at("variants", "fp32", value=graphs))
    with pytest.raises(ModelError, match='must be with "detector"'):
        Bundle.open(own_bundle)


def test_a_list_is_no_manifest(own_bundle: Path) -> None:
    (own_bundle / MANIFEST_NAME).write_text("[1]")
    with pytest.raises(ModelError, match=r"model\.json is 'list'; it must be an object"):
        Bundle.open(own_bundle)


def test_a_graph_the_variant_lacks(own_bundle: Path) -> None:
    def only_line(data: dict[str, Any]) -> None:
        data["variants"]["fp32"] = {"line": data["variants"]["fp32"]["line"]}

    edit(own_bundle, only_line)
    bundle = Bundle.open(own_bundle)
    assert bundle.roles == ("line",)
    with pytest.raises(ModelError, match="no detector graph; it has line"):
        bundle.graph("detector")


def test_a_manifest_that_does_not_fit_its_files_is_not_written(own_bundle: Path) -> None:
    manifest = Bundle.open(own_bundle).manifest
    before = (own_bundle / MANIFEST_NAME).read_bytes()
    path = own_bundle / "line-int8.tflite"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelError, match="line-int8"):
        write_manifest(own_bundle, manifest)
    assert (own_bundle / MANIFEST_NAME).read_bytes() == before


def test_a_file_describes_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(b"abc")
    tensor = TensorSpec("strip", 0, (1, 32, 64, 3), "uint8", 0.5, 3)
    spec = GraphSpec.of_file(path, [tensor], [])
    assert (spec.file, spec.bytes) == ("a.tflite", 3)
    assert spec.sha256.startswith("ba7816bf8f01cfea")
    assert GraphSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
