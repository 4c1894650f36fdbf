"""A new run takes over what a bundle computes, not only its weights."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sdk.charset import DEFAULT_CHARSET, Charset
from sdk.charsets import CHARSETS
from sdk.engine import open_engine
from sdk.model.bundle import DEFAULT_BUNDLE, Bundle
from sdk.selftest import draw_sample
from tests.training.conftest import LINE_TOML
from training.config import load_config
from training.errors import TrainingError
from training.loop.trainer import Trainer
from training.models.build import build_models, layers_by_name
from training.models.separable import separate
from training.runs.warm_start import _assign, start_from_bundle

CONFIGS = Path(__file__).resolve().parents[3] / "training" / "configs"


@pytest.fixture(scope="module")
def bundle():
    return Bundle.open(DEFAULT_BUNDLE)


def likeness(have, want):
    return np.corrcoef(np.ravel(have), np.ravel(want))[0, 1]


def test_line_network_computes_what_the_graph_does(bundle):
    picture = draw_sample()
    images = np.stack([picture[120 * i + 44 : 120 * i + 76, 60:316] for i in range(4)])
    charset = CHARSETS["industrial"]
    config = replace(load_config(CONFIGS / "line.toml").model, charset=charset.symbols)
    network = build_models(config).trained
    copied = start_from_bundle(DEFAULT_BUNDLE, network, images, charset)
    assert len(copied) == 29
    assert {"line_stem0_conv", "rec_time0_dw_conv", "rec_logits"} <= {*copied}
    with closing(open_engine(bundle.graph("line"))) as engine:
        want = np.concatenate([engine.run({"strip": s[None]})["logits"] for s in images])
    for training in (False, True):  # averages of the batch are those just taken
        have = np.asarray(network(images, training=training))
        # the integer graph clips the values that mark a line's end
        assert likeness(have[:, :, :-2], want[:, :, :-2]) > 0.99
        assert (have.argmax(-1) == want.argmax(-1)).mean() > 0.95


def test_classes_are_copied_by_character(bundle):
    picture = draw_sample()
    images = np.stack([picture[120 * i + 44 : 120 * i + 76, 60:316] for i in range(4)])
    charset = Charset("Zé0123456789ÄA")
    config = replace(load_config(CONFIGS / "line.toml").model, charset=charset.symbols)
    network = build_models(config).trained
    fresh = network.get_layer("rec_logits").get_weights()[0]
    copied = start_from_bundle(DEFAULT_BUNDLE, network, images, charset)
    assert "rec_logits" in copied
    kernel, bias = network.get_layer("rec_logits").get_weights()
    new = charset.encode("éÄ")
    np.testing.assert_array_equal(kernel[..., new], fresh[..., new])
    assert (bias[new] <= bias.min()).all()
    with closing(open_engine(bundle.graph("line"))) as engine:
        want = np.concatenate([engine.run({"strip": s[None]})["logits"] for s in images])
    have = np.asarray(network(images, training=False))
    shared = "Z0123456789A"
    columns = [0, *charset.encode(shared)], [0, *DEFAULT_CHARSET.encode(shared)]
    # the integer graph clips the values that mark a line's end
    have, want = have[:, :, :-2, columns[0]], want[:, :, :-2, columns[1]]
    assert likeness(have, want) > 0.99


def test_full_network_takes_the_detector_and_the_line_networks_head(bundle):
    image = draw_sample()[None, :480, :480]
    affines = np.tile(np.array([[1, 0, 0], [0, 1, 0]], np.float32), (1, 2, 1, 1))
    inputs = {"image": image, "affines": affines, "widths": np.full((1, 2), 40, np.int32)}
    built = build_models(load_config(CONFIGS / "fots.toml").model)
    copied = start_from_bundle(DEFAULT_BUNDLE, built.trained, inputs, DEFAULT_CHARSET)
    assert {"trunk_stem_conv", "vertical_conv", "rec_rows4_conv", "rec_logits"} <= {*copied}
    frame = np.full((1, 640, 640, 3), 128, np.uint8)
    frame[:, :480] = draw_sample()
    maps = built.parts["detector"](frame)
    with closing(open_engine(bundle.graph("detector"))) as engine:
        want = engine.run({"image": frame})
    for name in ("score", "vertical", "horizontal", "angle"):
        assert likeness(maps[name], want[name]) > 0.98, name
    # a scale folded into a convolution was taken out of it again
    assert np.abs(maps["vertical"]).mean() == pytest.approx(want["vertical"].mean(), rel=0.1)


def test_the_nearest_separable_convolution_of_a_separable_one_is_itself():
    rng = np.random.default_rng(0)
    places, mixes = rng.normal(size=(3, 3, 5, 1)), rng.normal(size=(1, 1, 5, 7))
    depthwise, pointwise = separate(places * mixes)
    np.testing.assert_allclose(depthwise * pointwise, places * mixes, rtol=1e-4, atol=1e-5)
    kernel = rng.normal(size=(3, 3, 5, 7))
    depthwise, pointwise = separate(kernel)
    first = np.abs(kernel - places * mixes).mean()
    assert np.abs(kernel - depthwise * pointwise).mean() < min(first, np.abs(kernel).mean())


def test_a_dense_kernel_becomes_the_nearest_separable_one():
    network = build_models(load_config(CONFIGS / "detector.toml").model).trained
    layers = layers_by_name(network)
    depthwise, mixing = (layers[f"neck_s16_merge_{part}"] for part in ("depthwise", "conv"))
    kernel = np.random.default_rng(0).normal(size=(*depthwise.kernel.shape[:3], mixing.filters))
    bias = np.arange(mixing.filters, dtype=np.float32)
    assert _assign(layers, "neck_s16_merge_conv", kernel.transpose(3, 0, 1, 2), bias)
    for layer, want in zip((depthwise, mixing), separate(kernel), strict=True):
        np.testing.assert_allclose(layer.kernel, want, rtol=1e-5)
    np.testing.assert_array_equal(layers["neck_s16_merge_bn"].beta, bias)


def test_a_detector_begins_as_the_bundles(bundle):
    built = build_models(load_config(CONFIGS / "detector.toml").model)
    frame = np.full((1, 640, 640, 3), 128, np.uint8)
    frame[:, :480] = draw_sample()
    copied = start_from_bundle(DEFAULT_BUNDLE, built.trained, {"image": frame}, DEFAULT_CHARSET)
    assert {"trunk_stem_conv", "neck_s4_merge_conv", "det_conv0_conv", "angle"} <= {*copied}
    with closing(open_engine(bundle.graph("detector"))) as engine:
        want = engine.run({"image": frame})
    maps = built.parts["detector"](frame)
    assert likeness(maps["score"], want["score"]) > 0.98


def test_a_run_with_other_characters_begins_from_a_bundle(line_shards, tmp_path, caplog):
    text = LINE_TOML.replace("[8, 8, 16]\nblocks = 1", "[24, 32, 64]\nblocks = 4")
    text = text.replace("[16, 16, 32]", "[80, 144, 288]").replace("kernel = 5", "kernel = 7")
    text = text.replace("steps = 40", "steps = 1")
    with caplog.at_level("INFO", "training"):
        fit = Trainer(f"{text}\ninit_from = '{DEFAULT_BUNDLE}'", [line_shards], tmp_path)
    # all convolutions, with one temporal block of the seven of the bundle, and shared classes
    assert "13 layers initialized" in caplog.text
    fit.run()


def test_a_bundle_that_fits_nowhere_is_refused(line_shards, tmp_path):
    with pytest.raises(TrainingError, match=r"no layer of .* fits"):
        Trainer(f"{LINE_TOML}\ninit_from = '{DEFAULT_BUNDLE}'", [line_shards], tmp_path)
