from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from convert.__main__ import main
from convert.errors import ConvertError
from convert.export.export import BelowFloorError, Options, export
from convert.source.run import TrainedRun, merge, open_run
from convert.verify.floors import FLOORS, Floor
from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.engine import open_engine
from sdk.model.bundle import Bundle, write_manifest
from tests.convert.conftest import CONFIG
from tests.convert.interruptions import content, fail_on_full_disk, kill_at
from training.config import parse_config
from training.models.build import build_models
from training.runs.folder import save_weights

# Untrained networks are unsure of every character, so their integer graphs read other characters.
UNTRAINED = {name: replace(floor, same=0.0) for name, floor in FLOORS.items()}
SMALL = Options(
    precisions=("fp32", "int8"),
    frame=(96, 128),
    columns=32,
    line_width=128,
    count=12,
    held_back=4,
    floors=UNTRAINED,
)


@pytest.fixture(scope="module")
def source(models: dict[str, Any]) -> TrainedRun:
    return TrainedRun("run", DEFAULT_CHARSET, models, {"step": 7})


@pytest.fixture(scope="module")
def bundle(source: TrainedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("export") / "small"
    export([source], target, SMALL)
    return target


@pytest.fixture(scope="module")
def line_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as training leaves it."""
    folder = tmp_path_factory.mktemp("runs") / "line-run"
    folder.mkdir()
    text = CONFIG.format(kind="line")
    (folder / "config.toml").write_text(text)
    (folder / "run.json").write_text('{"step": 3, "seconds": NaN, "command": ["fit", "/home"]}')
    built = build_models(parse_config(text).model)
    save_weights(built, built.trained.get_weights(), folder / "ema.weights.h5")
    return folder


def command(run: Path, target: Path, *more: str) -> list[str]:
    sizes = ["--line-width", "64", "--calibration-count", "4", "--count", "2", "--min-same", "0"]
    return ["export", str(run), "--precision", "fp32", "--out", str(target), *sizes, *more]


def test_bundle_is_what_the_sdk_opens(bundle: Path, source: TrainedRun) -> None:
    opened = Bundle.open(bundle)
    manifest = opened.manifest
    assert opened.variant == "int8"
    assert manifest.name == "small"
    assert set(manifest.variants) == {"fp32", "int8"}
    assert manifest.charset == DEFAULT_CHARSET
    detector = manifest.variants["int8"]["detector"]
    assert detector.input("image").shape == (1, 96, 128, 3)
    assert detector.input("image").dtype == "uint8"
    assert detector.output("features").shape == (1, 24, 32, 16)
    assert manifest.variants["int8"]["recognizer"].input("features").dtype == "int8"
    assert manifest.variants["fp32"]["line"].input("strip").dtype == "uint8"
    names = {
        f"{g}-{v}.tflite" for g in ("detector", "recognizer", "line") for v in SMALL.precisions
    }
    assert set(content(bundle)) == names | {"model.json", "recipe.json"}
    assert [path.name for path in bundle.parent.iterdir()] == ["small"]


@pytest.mark.parametrize(("variant", "least"), [("fp32", 0.99999), ("int8", 0.98)])
def test_outputs_have_the_right_names(
    bundle: Path,
    models: dict[str, Any],
    picture: Callable[[int, int, int], np.ndarray],
    variant: str,
    least: float,
) -> None:
    opened = Bundle.open(bundle, variant)
    photo = picture(90, 96, 128)[None]
    found = open_engine(opened.graph("detector"), threads=1).run({"image": photo})
    expected = {name: np.asarray(value) for name, value in models["detector"](photo).items()}
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert np.corrcoef(found[name].ravel(), value.ravel())[0, 1] > least, name
    # Another batch and width than the file's.
    images = np.stack([picture(seed, 32, 192) for seed in (91, 92)])
    logits = open_engine(opened.graph("line"), threads=1).run({"strip": images})["logits"]
    expected_logits = np.asarray(models["line"](images))
    assert logits.shape == expected_logits.shape == (2, 1, 48, 96)
    assert np.corrcoef(logits.ravel(), expected_logits.ravel())[0, 1] > least
    features = np.concatenate([expected["features"][:, 8 * k : 8 * k + 8] for k in range(3)])
    read = open_engine(opened.graph("recognizer"), threads=1).run({"features": features})
    expected_logits = np.asarray(models["recognizer"](features))
    assert np.corrcoef(read["logits"].ravel(), expected_logits.ravel())[0, 1] > least


def test_manifest_and_recipe_tell_where_it_came_from(bundle: Path, source: TrainedRun) -> None:
    training = Bundle.open(bundle).manifest.training
    assert training["runs"][0]["name"] == "run"
    assert training["runs"][0]["step"] == 7
    verified = training["verification"]["held back"]
    assert set(verified) == {"fp32", "int8"}
    assert verified["fp32"]["tensors"]["detector"]["score"]["relative"] < 1e-3
    assert verified["int8"]["tensors"]["line"]["logits"]["correlation"] > 0.95
    assert verified["int8"]["readings"]["line"]["lines"] == SMALL.held_back
    assert verified["int8"]["readings"]["recognizer"]["lines"] > 0
    recipe = json.loads((bundle / "recipe.json").read_text())
    assert recipe["options"]["frame"] == [96, 128]
    assert recipe["calibration"]["photos"] == recipe["calibration"]["lines"] == SMALL.count
    assert len(recipe["calibration"]["sha256"]) == 64
    assert recipe["tools"]["tensorflow"]
    assert set(recipe["runs"][0]["weights_sha256"]) == set(source.models)


def test_existing_bundle_is_refused_before_any_work(
    bundle: Path, source: TrainedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(bundle)
    told: list[str] = []
    with pytest.raises(ConvertError, match="--force"):
        export([source], bundle, SMALL, told.append)
    assert told == []
    assert content(bundle) == before


def test_variant_below_its_floor_leaves_the_old_bundle(bundle: Path, source: TrainedRun) -> None:
    before = content(bundle)
    strict = {"fp32": Floor(relative=1e-12, correlation=0.0, same=0.0, lost=1.0)}
    only_line = replace(source, models={"line": source.models["line"]})
    options = replace(SMALL, precisions=("fp32",), floors=strict, force=True, count=2)
    with pytest.raises(BelowFloorError, match=r"fp32 line logits: greatest difference") as failure:
        export([only_line], bundle, options)
    assert failure.value.reports["held back"]["fp32"].tensors["line"]["logits"].count > 0
    assert content(bundle) == before
    assert [path.name for path in bundle.parent.iterdir()] == ["small"]


def test_later_run_gives_the_graph(source: TrainedRun) -> None:
    other = keras.models.clone_model(source.models["line"])
    later = TrainedRun("later", DEFAULT_CHARSET, {"line": other})
    models, charset = merge([source, later])
    assert models["line"] is other
    assert models["detector"] is source.models["detector"]
    assert charset == DEFAULT_CHARSET


def test_runs_that_do_not_fit_are_refused(source: TrainedRun) -> None:
    models = dict(source.models)
    with pytest.raises(ConvertError, match="different charsets"):
        merge([source, replace(source, charset=Charset("abc"))])
    line = models.pop("line")
    with pytest.raises(ConvertError, match="No line graph in run"):
        merge([replace(source, models=models)])
    lines = {"detector": models["detector"]}
    features = keras.Input((8, None, 5), name="features")
    head = keras.Model(features, keras.layers.Conv2D(96, (8, 1))(features))
    with pytest.raises(ConvertError, match="5 feature channels, the detector gives 16"):
        merge([replace(source, models={**models, "line": line, "recognizer": head})])
    with pytest.raises(ConvertError, match=r"no recognizer; they have \['detector', 'line'\]"):
        merge([replace(source, models=lines | {"line": line})], ("line", "recognizer"))
    with pytest.raises(ConvertError, match="'other'; known"):
        merge([replace(source, models={"line": line, "other": head})])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"precisions": ("int4",)}, "Unknown precision"),
        ({"precisions": ()}, "at least one precision"),
        ({"frame": (100, 128)}, "multiples of 32 px, not 128x100"),
        ({"line_width": 100}, "multiple of 32"),
        ({"columns": 0}, "columns"),
        ({"default_variant": "fp16"}, "not among those exported"),
        ({"held_back": 0}, "At least one sample"),
        ({"photos": (Path("a/photos"), Path("b/photos"))}, "rename b/photos"),
        ({"photos": (Path("held back"),)}, "Two sets have the name 'held back'"),
        ({"graphs": ("detector",)}, "add line to --graphs"),
        ({"graphs": ("recognizer", "line")}, "add detector to --graphs"),
    ],
)
def test_wrong_options_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConvertError, match=message):
        replace(SMALL, **change).check()


def test_folder_that_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConvertError, match="not a run folder"):
        open_run(tmp_path)
    assert main(command(tmp_path, tmp_path / "bundle")) == 1
    assert "not a run folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_earlier_name_of_line_width_is_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "run", "--out", str(tmp_path / "b"), "--strip-width", "33"]) == 1
    said = capsys.readouterr().err
    assert "--strip-width is deprecated: use --line-width" in said
    assert "must be a multiple of 32 px, not 33" in said


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "run"]) == 2
    assert main(["export", "run", "--out", "x", "--frame", "640"]) == 2
    assert main(["export", "run", "--out", "x", "--min-same", "2"]) == 2
    assert "640x640" in capsys.readouterr().err
    for command, option in (("verify", "--count"), ("compare", "--limit")):
        for number in ("0", "-1"):
            assert main([command, "b", "r", option, number]) == 2
            assert f"'{number}' is not a whole number" in capsys.readouterr().err


def test_commands_export_and_verify(
    line_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "bundle"
    assert main(command(line_run, target)) == 0
    captured = capsys.readouterr()
    assert "converting line to fp32" in captured.err
    assert "line        logits" in captured.out
    training = Bundle.open(target).manifest.training
    # Neither what JSON cannot hold nor a path of this machine.
    assert training["runs"][0]["seconds"] is None
    assert "/home" not in (target / "model.json").read_text()
    assert main(["verify", str(target), str(line_run), "--count", "2", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out).values()
    assert report["fp32"]["tensors"]["line"]["logits"]["relative"] < 1e-3
    # what is compiled for a device cannot be compared on the CPU
    manifest = Bundle.open(target).manifest
    variants = {**manifest.variants, "edgetpu": manifest.variants["fp32"]}
    write_manifest(target, replace(manifest, variants=variants))
    assert main(["verify", str(target), str(line_run), "--count", "2", "--json"]) == 0
    captured = capsys.readouterr()
    assert "edgetpu: left out" in captured.err
    assert [list(report) for report in json.loads(captured.out).values()] == [["fp32"]]
    assert main(["verify", str(target), str(line_run), "--photos", "a/x", "b/x"]) == 1
    assert "rename b/x" in capsys.readouterr().err
    (target / "line-fp32.tflite").write_bytes(b"changed")
    assert main(["verify", str(target), str(line_run)]) == 1
    assert "line-fp32.tflite is damaged" in capsys.readouterr().err


def test_detector_of_another_bundle_is_copied(
    bundle: Path, line_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, lender = tmp_path / "own", tmp_path / bundle.name
    shutil.copytree(bundle, lender)
    manifest = json.loads((lender / "model.json").read_text())
    manifest["decode"]["detect"]["score_threshold"] = 0.6
    (lender / "model.json").write_text(json.dumps(manifest))
    assert main(command(line_run, target, "--detector", str(lender))) == 0
    own, given = Bundle.open(target, "fp32"), Bundle.open(lender, "fp32")
    assert own.manifest.decode.detect == given.manifest.decode.detect
    assert own.manifest.decode.detect.score_threshold == 0.6
    assert set(own.roles) == {"line", "detector"}
    assert own.graph("detector").spec == given.graph("detector").spec
    assert own.graph("detector").path.read_bytes() == given.graph("detector").path.read_bytes()
    assert own.graph("line").spec.sha256 != given.graph("line").spec.sha256
    # it is told where both came from
    assert [run["name"] for run in own.manifest.training["runs"]] == ["line-run", "run"]
    assert json.loads((target / "recipe.json").read_text())["options"]["detector"] == "small"
    assert main(["verify", str(target), str(line_run), "--count", "2"]) == 0
    capsys.readouterr()
    missing = command(line_run, target, "--force", "--detector", str(target))
    assert main([*missing, "--precision", "fp16"]) == 1
    error = capsys.readouterr().err
    assert "Cannot copy the fp16 detector" in error
    assert "has no variant 'fp16'" in error
    assert Bundle.open(target).variant == "fp32"


CRNN = """
[model.crnn]
widths = [4, 8, 8, 8, 8, 8, 16]
hidden = 8
"""


def test_a_recurrent_network_is_fused_and_each_line_begins_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "crnn-run"
    run.mkdir()
    text = CONFIG.format(kind="crnn") + CRNN
    (run / "config.toml").write_text(text)
    built = build_models(parse_config(text).model)
    save_weights(built, built.trained.get_weights(), run / "ema.weights.h5")
    target = tmp_path / "own"
    assert main(command(run, target, "--precision", "int8")) == 1
    assert "no int8 form" in capsys.readouterr().err
    options = ("--precision", "fp32", "fp16")
    assert main(command(run, target, *options)) == 0
    captured = capsys.readouterr()
    assert "line-fp16.tflite has 4 fused LSTM operations" in captured.err
    lines = np.random.default_rng(0).integers(0, 256, (3, 1, 32, 192, 3), np.uint8)
    want = [np.asarray(built.parts["line"](line, training=False)) for line in lines]
    engine = open_engine(Bundle.open(target, "fp32").graph("line"))
    for line, logits in zip(lines, want, strict=True):  # the width differs from the static one
        np.testing.assert_allclose(engine.run({"strip": line})["logits"], logits, atol=1e-4)
    engine.close()


def test_lines_of_another_bundle_are_copied(
    bundle: Path, source: TrainedRun, tmp_path: Path
) -> None:
    alone = replace(source, models={"detector": source.models["detector"]})
    target = tmp_path / "own"
    with pytest.raises(ConvertError, match="every bundle needs one"):
        export([alone], target, SMALL)
    export([alone], target, replace(SMALL, line=bundle))
    own, given = Bundle.open(target, "fp32"), Bundle.open(bundle, "fp32")
    assert set(own.roles) == {"line", "detector"}
    assert own.graph("line").spec == given.graph("line").spec
    other = replace(alone, charset=Charset("01"))
    export([other], tmp_path / "other", replace(SMALL, line=bundle))
    charset = Bundle.open(bundle, "fp32").manifest.charset
    assert Bundle.open(tmp_path / "other", "fp32").manifest.charset == charset != other.charset
    models = {name: source.models[name] for name in ("detector", "recognizer")}
    with pytest.raises(ConvertError, match="other characters than the runs"):
        export([replace(other, models=models)], tmp_path / "both", replace(SMALL, line=bundle))


def test_two_graphs_of_a_role_are_refused(bundle: Path, source: TrainedRun, tmp_path: Path) -> None:
    for role in ("detector", "line"):
        with pytest.raises(ConvertError, match=f"leave --{role} out"):
            export([source], tmp_path / "two", replace(SMALL, **{role: bundle}))


def old_bundle(tmp_path: Path) -> Path:
    target = tmp_path / "bundle"
    target.mkdir()
    (target / "model.json").write_text("old")
    return target


def test_kill_leaves_the_old_bundle(line_run: Path, tmp_path: Path) -> None:
    target = old_bundle(tmp_path)
    kill_at("converting line", command(line_run, target, "--force"))
    assert content(target) == {"model.json": b"old"}
    assert main(command(line_run, target, "--force")) == 0
    assert Bundle.open(target).variant == "fp32"
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


@pytest.mark.parametrize("most_bytes", [2_000, 40_000])
def test_full_disk_leaves_the_old_bundle(line_run: Path, tmp_path: Path, most_bytes: int) -> None:
    target = old_bundle(tmp_path)
    fail_on_full_disk(command(line_run, target, "--force"), most_bytes)
    assert content(target) == {"model.json": b"old"}
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]
