import keras
import numpy as np
import pytest

from sdk.geometry import box_quads
from sdk.recognize.roi_rotate import roi_affine, roi_rotate
from tests.training.conftest import FOTS_TOML, LINE_TOML
from training.config import parse_config
from training.errors import TrainingError
from training.models.blocks import residual_3x3
from training.models.build import build_models, copy_by_name
from training.models.fots import build_detector
from training.models.registry import create_trunk, list_trunks
from training.models.roi_rotate import RoIRotate


def test_roi_rotate_equals_the_reference():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2, 20, 24, 5)).astype("float32")
    # some boxes lie partly outside the map
    quads = box_quads(
        rng.uniform(0, 24, (2, 3, 2)),
        rng.uniform(3, 18, (2, 3)),
        rng.uniform(2, 9, (2, 3)),
        rng.uniform(-3, 3, (2, 3)),
    )
    pairs = [roi_affine(q, 8, 16) for q in quads]
    affines = np.stack([a for a, _ in pairs])
    widths = np.stack([w for _, w in pairs])
    layer = RoIRotate(8, 16)
    got = np.asarray(layer([features, affines, widths])).reshape(2, 3, 8, 16, 5)
    for image in range(2):
        want = roi_rotate(features[image], affines[image], widths[image], 8, 16)
        np.testing.assert_allclose(got[image], want, atol=1e-5)
    assert RoIRotate.from_config(layer.get_config()).width == 16


def test_line_shapes_and_any_width():
    line = build_models(parse_config(LINE_TOML).model).parts["line"]
    for batch, width in ((1, 32), (3, 96)):
        logits = line.predict_on_batch(np.zeros((batch, 32, width, 3), np.uint8))
        assert logits.shape == (batch, 1, width // 4, 18)


@pytest.mark.parametrize("name", list_trunks())
def test_every_trunk_has_four_strides(name):
    image = keras.Input((64, 96, 3))
    taps = create_trunk(name, keras.layers, image, fused=name.endswith("0"))
    assert [t.shape[1:3] for t in taps] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_unknown_trunk():
    with pytest.raises(TrainingError, match="efficientnet_lite0"):
        create_trunk("vgg", keras.layers, None, False)


def test_detector_outputs():
    config = parse_config(FOTS_TOML).model
    parts = build_models(config).parts
    maps = parts["detector"].predict_on_batch(np.zeros((1, 64, 96, 3), np.uint8))
    channels = {"score": 1, "vertical": 2, "horizontal": 2, "angle": 2, "features": 16}
    assert {k: v.shape for k, v in maps.items()} == {k: (1, 16, 24, c) for k, c in channels.items()}
    assert (maps["vertical"] >= 0).all() and (maps["horizontal"] >= 0).all()
    logits = parts["recognizer"].predict_on_batch(np.zeros((2, 8, 20, 16), np.float32))
    assert logits.shape == (2, 1, 20, 18)


def test_pixels_and_scaled_values_give_the_same():
    config = parse_config(FOTS_TOML).model
    pixels = build_detector(keras, config)
    scaled = build_detector(keras, config, normalize=False, size=(32, 64), batch=1)
    assert copy_by_name(pixels, scaled)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 64, 3)).astype(np.uint8)
    a = pixels.predict_on_batch(image)
    b = scaled.predict_on_batch(image.astype(np.float32) / 127.5 - 1)
    for name in a:
        np.testing.assert_allclose(a[name], b[name], atol=1e-4)


def test_weights_move_by_name_to_the_other_keras():
    tf_keras = pytest.importorskip("tf_keras")
    from training.models.line import build_line

    config = parse_config(LINE_TOML).model
    line = build_line(keras, config)
    other = build_line(tf_keras, config)
    with_weights = [layer.name for layer in line.layers if layer.weights]
    assert sorted(copy_by_name(line, other)) == sorted(with_weights)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 64, 3)).astype(np.uint8)
    np.testing.assert_allclose(
        other.predict_on_batch(image), line.predict_on_batch(image), atol=1e-5
    )


def test_fresh_residual_blocks_change_nothing():
    narrow = LINE_TOML.replace("blocks = 1\n[model.rec", "blocks = 0\n[model.rec")
    wide = LINE_TOML.replace("kernel = 5", "row_blocks = [2, 1]\nkernel = 5")
    before = build_models(parse_config(narrow).model).trained
    after = build_models(parse_config(wide).model).trained
    names = {layer.name for layer in after.layers} - {layer.name for layer in before.layers}
    assert {"line_res0_conv", "rec_rows4_res1_conv", "rec_rows2_res0_conv"} <= names
    copy_by_name(before, after)
    image = np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3)).astype(np.uint8)
    np.testing.assert_allclose(
        after.predict_on_batch(image), before.predict_on_batch(image), atol=1e-6
    )


def test_residual_blocks_in_a_row_are_not_linear():
    x = keras.Input((4, 8, 3))
    y = residual_3x3(keras.layers, residual_3x3(keras.layers, x, "a"), "b")
    model = keras.Model(x, y)
    for name in ("a_bn", "b_bn"):
        model.get_layer(name).gamma.assign([1.0, -1.0, 1.0])
    one, two = np.random.default_rng(1).uniform(0, 2, (2, 1, 4, 8, 3)).astype(np.float32)
    both = model.predict_on_batch(one) + model.predict_on_batch(two)
    assert np.abs(model.predict_on_batch(one + two) - both).max() > 0.1
    assert model.predict_on_batch(one).min() >= 0


def test_a_line_network_starts_a_full_one():
    line = build_models(parse_config(LINE_TOML).model).trained
    fots = build_models(parse_config(FOTS_TOML).model).trained
    copied = copy_by_name(line, fots)
    assert copied and all(name.startswith("rec_") for name in copied)
