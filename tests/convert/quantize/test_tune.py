from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from convert.__main__ import main
from convert.errors import ConvertError
from convert.export.export import Options, export
from convert.quantize.adam import GridAdam
from convert.quantize.distillation_loss import distance
from convert.quantize.tune import Tuning, tune
from convert.quantize.tuned_graphs import TunedGraph, open_tuned, read_graph, write_graph
from convert.source.run import TrainedRun, merge, open_run, owners
from convert.source.samples import VERIFICATION_SEED, generate
from convert.tflite.inspect import inspect_file
from convert.verify.floors import FLOORS
from convert.verify.verify import verify_bundle
from sdk.charset import DEFAULT_CHARSET
from sdk.model.bundle import Bundle
from tests.convert.conftest import CONFIG
from tests.convert.interruptions import content, fail_on_full_disk, kill_at
from training.config import parse_config
from training.models.build import build_models
from training.runs.folder import save_weights

SMALL = Tuning(steps=6, count=8, frame=(64, 96), crop=64, batch=1)


@pytest.fixture(scope="module")
def sources(models: dict[str, Any]) -> list[TrainedRun]:
    found = []
    for kind, names in (("fots", ("detector", "recognizer")), ("line", ("line",))):
        part = {name: models[name] for name in names}
        config = parse_config(CONFIG.format(kind=kind)).model
        found.append(TrainedRun(kind, DEFAULT_CHARSET, part, {}, config))
    return found


@pytest.fixture(scope="module")
def tuned(sources: list[TrainedRun], tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("tune") / "tuned"
    tune(sources, target, SMALL)
    return target


@pytest.fixture(scope="module")
def line_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "line-run"
    folder.mkdir()
    text = CONFIG.format(kind="line")
    (folder / "config.toml").write_text(text)
    built = build_models(parse_config(text).model)
    save_weights(built, built.trained.get_weights(), folder / "ema.weights.h5")
    return folder


def command(run: Path, target: Path, *more: str) -> list[str]:
    sizes = ["--frame", "96x64", "--crop", "64", "--batch", "1", "--count", "4"]
    return ["tune", str(run), "--out", str(target), *sizes, *more]


def test_folder_holds_the_graphs_and_how_they_were_made(tuned: Path) -> None:
    names = {"detector.npz", "recognizer.npz", "line.npz", "tune.json"}
    assert set(content(tuned)) == names
    assert [path.name for path in tuned.parent.iterdir()] == ["tuned"]
    record = json.loads((tuned / "tune.json").read_text())
    assert record["options"]["steps"] == 6
    assert record["tools"]["tensorflow-model-optimization"]
    for graph in record["graphs"].values():
        assert 0 < graph["distance"]["after"] <= graph["distance"]["before"]
        assert len(graph["weights_sha256"]) == 64


def test_tuned_graphs_become_the_integer_variant(
    sources: list[TrainedRun], tuned: Path, tmp_path: Path
) -> None:
    options = Options(
        precisions=("int8",),
        frame=(96, 128),
        columns=32,
        line_width=128,
        count=4,
        held_back=4,
        tuned=tuned,
        floors={name: replace(floor, same=0.0) for name, floor in FLOORS.items()},
    )
    reports = export(sources, tmp_path / "bundle", options)
    bundle = Bundle.open(tmp_path / "bundle")
    for role, name in (("detector", "image"), ("line", "strip")):
        spec = bundle.manifest.variants["int8"][role].input(name)
        assert (spec.dtype, spec.zero_point) == ("uint8", 128)
        assert spec.scale == pytest.approx(1 / 127.5)
    for role in bundle.roles:
        graph = inspect_file(bundle.graph(role).path)
        assert {op.dtype for op in graph.ops} == {"int8"}
        assert {t.dtype for t in graph.outputs} == {"int8"}
        assert {op.name for op in graph.ops} <= {
            "ADD",
            "CONV_2D",
            "DEPTHWISE_CONV_2D",
            "QUANTIZE",
            "RESIZE_BILINEAR",
        }
    for tensors in reports["held back"]["int8"].tensors.values():
        for agreement in tensors.values():
            assert agreement.correlation > 0.97
    recipe = json.loads((tmp_path / "bundle" / "recipe.json").read_text())
    assert set(recipe["tuned"]) == {"detector", "recognizer", "line"}
    assert recipe["options"]["tuned"] == "tuned"
    # a recognizer that no setting of the bundle makes use of may stay away
    target = tmp_path / "smaller"
    reports = export(sources, target, replace(options, graphs=("detector", "line")))
    assert Bundle.open(target).roles == ("detector", "line")
    for role in ("detector", "line"):
        name = f"{role}-int8.tflite"
        assert (target / name).read_bytes() == (tmp_path / "bundle" / name).read_bytes()
    recipe = json.loads((target / "recipe.json").read_text())
    assert set(recipe["tuned"]) == {"detector", "line"}
    assert [sorted(run["weights_sha256"]) for run in recipe["runs"]] == [["detector"], ["line"]]
    again = verify_bundle(target, merge(sources)[0], generate(2, 2, (96, 128), VERIFICATION_SEED))
    assert set(again["int8"].tensors) == {"detector", "line"}


def test_tuning_brings_a_network_nearer(sources: list[TrainedRun], tmp_path: Path) -> None:
    options = replace(SMALL, steps=60, count=24, graphs=("line",))
    records = tune(sources, tmp_path / "tuned", options)
    gained = records["line"]["distance"]
    assert gained["after"] < 0.95 * gained["before"]


def test_later_call_goes_on_where_the_first_was_stopped(
    sources: list[TrainedRun], tmp_path: Path
) -> None:
    def stop(message: str) -> None:
        if "step 6/6" in message:
            raise KeyboardInterrupt

    options = replace(SMALL, graphs=("recognizer", "line"))
    with pytest.raises(KeyboardInterrupt):
        tune(sources, tmp_path / "tuned", options, say=stop)
    assert [path.name for path in tmp_path.iterdir()] == [".tuned.unfinished"]
    told: list[str] = []
    tune(sources, tmp_path / "tuned", options, say=told.append)
    assert any("recognizer: distance" in message and "from step 6" in message for message in told)
    assert [path.name for path in tmp_path.iterdir()] == ["tuned"]
    straight = tmp_path / "straight"
    tune(sources, straight, options)
    for name in ("recognizer", "line"):
        found = read_graph(tmp_path / "tuned" / f"{name}.npz").weights
        for a, b in zip(found, read_graph(straight / f"{name}.npz").weights, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_checkpoint_of_the_graph_before_is_not_gone_on_with(
    sources: list[TrainedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_die(path: Path, graph: TunedGraph) -> None:
        write_graph(path, graph)
        raise KeyboardInterrupt

    options = replace(SMALL, steps=1, graphs=("recognizer", "line"))
    for _ in options.graphs:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("convert.quantize.tune.write_graph", write_and_die)
            tune(sources, tmp_path / "tuned", options)
    tune(sources, tmp_path / "tuned", options)
    assert set(content(tmp_path / "tuned")) == {"recognizer.npz", "line.npz", "tune.json"}


def test_unfinished_work_of_other_options_is_not_gone_on_with(
    sources: list[TrainedRun], tmp_path: Path
) -> None:
    unfinished = tmp_path / ".tuned.unfinished"
    unfinished.mkdir()
    (unfinished / "unfinished.json").write_text("{}")
    (unfinished / "line.npz").write_text("of other weights")
    tune(sources, tmp_path / "tuned", replace(SMALL, steps=1, graphs=("line",)))
    assert read_graph(tmp_path / "tuned" / "line.npz").weights


def test_unlabelled_photos_without_text_are_told(
    sources: list[TrainedRun], tmp_path: Path, picture: Callable[[int, int, int], np.ndarray]
) -> None:
    import cv2

    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(number, 64, 96))
    options = replace(SMALL, photos=(tmp_path,), graphs=("line",))
    with pytest.raises(ConvertError, match="line images, or photos with lines are required"):
        tune(sources[1:], tmp_path / "tuned", options)
    records = tune(sources, tmp_path / "tuned", replace(options, steps=1, graphs=("detector",)))
    assert set(records) == {"detector"}


def test_graphs_of_other_weights_are_refused(
    sources: list[TrainedRun], tuned: Path, line_run: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConvertError, match=r"line\.npz was tuned from other weights"):
        open_tuned(tuned, {**owners(sources), "line": open_run(line_run)})
    with pytest.raises(ConvertError, match="not a folder of tuned graphs"):
        open_tuned(tmp_path, {})
    (tmp_path / "line.npz").write_bytes((tuned / "line.npz").read_bytes()[:1000])
    with pytest.raises(ConvertError, match="Cannot read the tuned graph"):
        read_graph(tmp_path / "line.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "At least one step"),
        ({"graphs": ("words",)}, "Unknown graphs"),
        ({"count": 1}, "two photos"),
        ({"frame": (640, 650)}, "multiples of 32 px, not 650x640"),
        ({"crop": 100}, "multiple of 32"),
        ({"crop": 128}, "inside the frame"),
        ({"batch": 0}, "needs crops"),
        ({"rate": 0.0}, "must be positive"),
    ],
)
def test_wrong_options_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConvertError, match=message):
        replace(SMALL, **change).check()


def test_graph_that_no_run_has_is_refused(sources: list[TrainedRun], tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="no detector"):
        tune(sources[1:], tmp_path / "tuned", replace(SMALL, graphs=("detector",)))
    assert list(tmp_path.iterdir()) == []


def test_command_tunes_and_replaces_only_by_force(
    line_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "tuned"
    assert main(command(line_run, target, "--steps", "2")) == 0
    captured = capsys.readouterr()
    assert "line: step 2/2" in captured.err
    assert captured.out.splitlines()[1].startswith("line")
    before = content(target)
    assert main(command(line_run, target, "--steps", "2")) == 1
    assert "--force" in capsys.readouterr().err
    assert content(target) == before


def old_output(tmp_path: Path) -> Path:
    target = tmp_path / "tuned"
    target.mkdir()
    (target / "tune.json").write_text("old")
    return target


def test_kill_leaves_the_old_output(line_run: Path, tmp_path: Path) -> None:
    target = old_output(tmp_path)
    arguments = command(line_run, target, "--steps", "100000", "--force")
    kill_at("before tuning", arguments)
    assert content(target) == {"tune.json": b"old"}
    assert main(command(line_run, target, "--steps", "1", "--force")) == 0
    assert set(content(target)) == {"tune.json", "line.npz"}
    assert [path.name for path in tmp_path.iterdir()] == ["tuned"]


def test_full_disk_leaves_the_old_output(line_run: Path, tmp_path: Path) -> None:
    target = old_output(tmp_path)
    fail_on_full_disk(command(line_run, target, "--steps", "1", "--force"), 20_000)
    assert content(target) == {"tune.json": b"old"}


def test_distance_is_zero_only_where_networks_agree() -> None:
    rng = np.random.default_rng(1)
    maps = {
        name: tf.constant(rng.uniform(0.1, 5, (1, 4, 4, channels)), tf.float32)
        for name, channels in (
            ("score", 1),
            ("vertical", 2),
            ("horizontal", 2),
            ("angle", 2),
            ("features", 8),
        )
    }
    assert float(distance(maps, maps)) == pytest.approx(0, abs=1e-6)
    for name in maps:
        assert float(distance(maps, {**maps, name: maps[name] * 1.1})) > 1e-4, name
    logits = {"logits": tf.constant(rng.normal(size=(2, 1, 5, 9)), tf.float32)}
    assert float(distance(logits, logits)) == pytest.approx(0, abs=1e-6)
    # a distribution does not change with all of its logits
    same = {"logits": logits["logits"] + 3.0}
    assert float(distance(logits, same)) == pytest.approx(0, abs=1e-5)
    assert float(distance(logits, {"logits": 2 * logits["logits"]})) > 0.01


def test_steps_are_counted_on_the_grid_of_each_channel() -> None:
    kernel = tf.Variable(np.array([[[[1.27, 0.0127]]]], np.float32), name="kernel")
    bias = tf.Variable(np.array([12.7, 0.0], np.float32), name="bias")
    before = [v.numpy() for v in (kernel, bias)]
    adam = GridAdam([kernel, bias])
    gradients = [tf.constant([[[[5.0, -1e-3]]]]), tf.constant([2.0, -2.0])]
    adam.apply(gradients, 0.5, tf.constant(1.0))
    moved = [v.numpy() - old for v, old in zip((kernel, bias), before, strict=True)]
    np.testing.assert_allclose(moved[0].ravel(), [-0.5 * 0.01, 0.5 * 0.0001], rtol=1e-3)
    np.testing.assert_allclose(moved[1], [-0.5 * 0.1, 0.5 * 0.1], rtol=1e-3)
