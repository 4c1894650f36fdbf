"""A widened network computes what the narrower one did, and its new channels learn."""

import dataclasses

import keras
import numpy as np
import pytest

from training.config import ModelConfig, RecognizerConfig
from training.models.build import build_models, copy_by_name
from training.models.widen import widen_by_name

IMAGES = np.random.default_rng(3).integers(0, 256, (2, 32, 64, 3)).astype(np.uint8)


def network(widths, kernel=5, **changes):
    recognizer = RecognizerConfig(widths=widths, row_blocks=(1, 1), blocks=2, kernel=kernel)
    config = dataclasses.replace(ModelConfig(), kind="line", recognizer=recognizer, **changes)
    return build_models(config).trained


@pytest.fixture
def narrow():
    model = network((16, 16, 32))
    rng = np.random.default_rng(4)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def test_wider_network_computes_the_same(narrow):
    wide = network((24, 20, 48))
    copied, widened = copy_by_name(narrow, wide), widen_by_name(narrow, wide)
    assert {"line_stem0_conv", "line_res0_conv"} <= {*copied}
    assert {"rec_rows4_conv", "rec_rows4_bn", "rec_time0_dw_conv", "rec_logits"} <= {*widened}
    assert not {*copied} & {*widened}
    have, want = np.asarray(wide(IMAGES)), np.asarray(narrow(IMAGES))
    assert np.abs(want).max() > 0.1
    np.testing.assert_allclose(have, want, atol=1e-4 * np.abs(want).max())


def test_new_channels_are_not_dead(narrow):
    wide = network((24, 20, 48))
    copy_by_name(narrow, wide)
    widen_by_name(narrow, wide)
    pointwise = wide.get_layer("rec_time0_pw_conv").kernel.numpy()
    assert np.abs(pointwise[..., 32:, :32]).max() == 0
    assert np.abs(pointwise[..., :32, 32:]).min() > 0
    assert np.abs(wide.get_layer("rec_time0_dw_conv").get_weights()[0][:, :, 32:]).min() > 0


def test_other_characters_start_afresh(narrow):
    more = network((24, 20, 48), charset=ModelConfig().charset + "§")
    assert "rec_logits" not in widen_by_name(narrow, more)
    assert "rec_rows4_conv" in widen_by_name(narrow, more)


def test_other_kernels_and_narrower_layers_are_left_alone(narrow):
    other = network((8, 20, 48), kernel=7)
    before = other.get_layer("rec_time0_dw_conv").get_weights()[0]
    widened = widen_by_name(narrow, other)
    assert "rec_rows4_conv" not in widened
    assert "rec_time0_dw_conv" not in widened
    np.testing.assert_array_equal(other.get_layer("rec_time0_dw_conv").get_weights()[0], before)
