import keras
import numpy as np
import pytest
import tensorflow as tf

from training.models.batch_norm import BatchNormalization

SHAPE = (4, 5, 6, 3)
OPTIONS = {"momentum": 0.9, "epsilon": 1e-3}


def pair():
    """Return the plain layer and ours, with the same weights, none of them neutral."""
    rng = np.random.default_rng(0)
    layers = keras.layers.BatchNormalization(**OPTIONS), BatchNormalization(**OPTIONS)
    weights = [rng.uniform(0.5, 2, SHAPE[-1]) for _ in range(4)]
    for layer in layers:
        layer.build(SHAPE)
        layer.set_weights(weights)
    return layers


def batch():
    rng = np.random.default_rng(1)
    return rng.normal((3, -1, 0), (0.2, 1, 5), SHAPE).astype("float32")


def test_training_gives_the_outputs_and_gradients_of_the_plain_layer():
    x, outputs, gradients = tf.constant(batch()), [], []
    weight = tf.constant(np.random.default_rng(2).normal(size=SHAPE).astype("float32"))
    for layer in pair():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(weight * y * y)
        outputs.append(y.numpy())
        gradients.append(tape.gradient(loss, [x, layer.gamma.value, layer.beta.value]))
    assert np.allclose(*outputs, atol=1e-4)
    for plain, fused in zip(*gradients, strict=True):
        assert np.abs(plain).max() > 0.1
        assert np.allclose(plain, fused, rtol=1e-3, atol=1e-2)


def test_training_moves_the_averages_by_the_unbiased_variance():
    plain, fused = pair()
    before = plain.moving_variance.numpy()
    for layer in (plain, fused):
        layer(batch(), training=True)
    assert np.allclose(plain.moving_mean, fused.moving_mean, atol=1e-5)
    n = np.prod(SHAPE[:3])
    kept = OPTIONS["momentum"] * before
    unbiased = kept + (plain.moving_variance - kept) * n / (n - 1)
    assert np.allclose(fused.moving_variance, unbiased, rtol=1e-5)
    assert not np.allclose(fused.moving_variance, before, rtol=1e-2)


@pytest.mark.parametrize("frozen", [False, True])
def test_outside_training_the_averages_count_and_stay(frozen):
    outputs = []
    for layer in pair():
        before = layer.get_weights()
        layer.trainable = not frozen
        outputs.append(layer(batch(), training=frozen).numpy())
        after = layer.get_weights()
        assert sorted(map(tuple, before)) == sorted(map(tuple, after))
    assert np.array_equal(*outputs)


def test_it_loads_what_the_plain_layer_saved(tmp_path):
    # without names: files then name the layers after their classes
    models = [
        keras.Sequential([keras.Input(SHAPE[1:]), kind(), kind()])
        for kind in (keras.layers.BatchNormalization, BatchNormalization)
    ]
    rng = np.random.default_rng(3)
    models[0].set_weights([rng.uniform(0.5, 2, w.shape) for w in models[0].get_weights()])
    models[0].save_weights(tmp_path / "plain.weights.h5")
    models[1].load_weights(tmp_path / "plain.weights.h5")
    for plain, fused in zip(*(m.get_weights() for m in models), strict=True):
        assert np.array_equal(plain, fused)
    assert np.array_equal(*(m(batch(), training=False) for m in models))
