import itertools

import numpy as np
import pytest
from keras import ops

from sdk.charset import Charset
from training.loop.losses import CtcLoss, geometry_loss, score_loss

ctc_loss = CtcLoss(Charset("123"))


def brute_force_nll(logits, labels):
    """Sum the probability of every path that collapses to the labels."""
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        merged = [k for k, _ in itertools.groupby(path) if k]
        if merged == list(labels):
            total += np.prod([p[t, c] for t, c in enumerate(path)])
    return -np.log(total)


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2], [3, 1, 3]])
def test_ctc_equals_the_sum_over_all_paths(labels):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 1, 6, 4)).astype("float32")
    target = np.zeros((2, 3 + 4), np.int32)
    target[:, 0] = (6, 5)
    target[:, 1] = len(labels)
    target[:, 3 : 3 + len(labels)] = labels
    expected = np.mean([brute_force_nll(logits[n, 0, :t], labels) for n, t in ((0, 6), (1, 5))])
    assert float(ctc_loss(target, logits)) == pytest.approx(expected, rel=1e-4)


def test_a_character_that_the_network_excludes_has_a_finite_loss():
    logits = np.zeros((1, 1, 6, 4), np.float32)
    logits[..., 1] = -300
    target = np.array([[6, 1, 0, 1]], np.int32)
    assert 60 < float(ctc_loss(target, logits)) < 400
    likely = np.array([[6, 1, 0, 2]], np.int32)
    assert float(ctc_loss(likely, logits)) == pytest.approx(
        brute_force_nll(logits[0, 0], [2]), rel=1e-4
    )


def test_ctc_leaves_out_empty_rows():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(3, 1, 6, 4)).astype("float32")
    target = np.zeros((3, 6), np.int32)
    target[0, :4] = (6, 1, 0, 2)
    target[1, :2] = (0, 0)
    target[2, :2] = (6, 0)
    alone = float(ctc_loss(target[:1], logits[:1]))
    assert float(ctc_loss(target, logits)) == pytest.approx(alone, rel=1e-5)
    assert float(ctc_loss(target[1:], logits[1:])) == 0.0


def test_where_case_is_open_the_probabilities_of_both_letters_add_up():
    charset = Charset("1Aa")
    loss = CtcLoss(charset)
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(1, 1, 4, charset.classes)).astype("float32")
    one, upper, lower = charset.encode("1Aa").tolist()
    merged = np.exp(logits[0, 0].astype(np.float64))
    merged[:, upper] += merged[:, lower]
    merged[:, lower] = 1e-300
    expected = brute_force_nll(np.log(merged), (one, upper))
    blind = np.array([[4, 2, 1, one, upper]], np.int32)
    assert float(loss(blind, logits)) == pytest.approx(expected, rel=1e-4)
    strict = np.array([[4, 2, 0, one, upper]], np.int32)
    assert float(loss(strict, logits)) == pytest.approx(
        brute_force_nll(logits[0, 0], (one, upper)), rel=1e-4
    )


def test_score_loss_equals_numpy():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(2, 5, 6, 1)).astype("float32")
    text = (rng.random((2, 5, 6)) < 0.3).astype("float32")
    weight = (rng.random((2, 5, 6)) < 0.8).astype("float32")
    x = logits[..., 0].astype(np.float64)
    p = 1 / (1 + np.exp(-x))
    dice = 1 - 2 * ((weight * p * text).sum() + 1) / ((weight * (p**2 + text)).sum() + 2)
    entropy = -(text * np.log(p) + (1 - text) * np.log(1 - p))
    entropy = (weight * entropy).sum() / (weight * text).sum() / 2
    target = np.stack([text, weight], -1)
    assert float(score_loss(target, logits)) == pytest.approx(dice + entropy, rel=1e-5)


def test_score_loss_ignores_cells_of_no_weight():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(1, 4, 4, 1)).astype("float32")
    target = np.ones((1, 4, 4, 2), np.float32)
    target[:, :2, :, 0] = 0
    target[:, 0, :, 1] = 0
    changed = logits.copy()
    changed[:, 0] += 5
    assert float(score_loss(target, logits)) == pytest.approx(float(score_loss(target, changed)))


def test_geometry_loss_of_known_boxes():
    target = np.zeros((1, 1, 2, 7), np.float32)
    target[0, 0, 0] = (1, 5, 5, 20, 20, 1, 0)
    # the second cell has no weight
    target[0, 0, 1] = (0, 1, 1, 1, 1, 1, 0)
    same = np.concatenate([target[..., 1:5], 3 * target[..., 5:7]], -1)
    assert float(geometry_loss(target, same)) == pytest.approx(0, abs=1e-5)
    half = same.copy()
    half[0, 0, 0, 2:4] = (10, 10)
    assert float(geometry_loss(target, half)) == pytest.approx(np.log(401 / 201), rel=1e-4)
    turned = same.copy()
    turned[0, 0, 0, 4:6] = (0, 2)
    assert float(geometry_loss(target, turned)) == pytest.approx(1 + 5, rel=1e-3)


def test_geometry_loss_upside_down_counts_the_direction_alone():
    target = np.array([1, 4, 6, 10, 30, 0.6, 0.8], np.float32).reshape(1, 1, 1, 7)
    reverse = np.array([6, 4, 30, 10, -0.6, -0.8], np.float32).reshape(1, 1, 1, 6)
    assert float(geometry_loss(target, reverse)) == pytest.approx(2, rel=1e-3)


def test_geometry_loss_without_text_is_zero():
    zeros = np.zeros((1, 2, 2, 7), np.float32)
    assert float(ops.convert_to_numpy(geometry_loss(zeros, zeros[..., 1:]))) == 0.0
