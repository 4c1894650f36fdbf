from __future__ import annotations

import numpy as np

from training.synth.degrade import defocus


def test_a_lens_blurs_light_so_that_bright_strokes_grow() -> None:
    stripe = np.zeros((32, 32, 3), np.float32)
    stripe[:, 14:18] = 255
    means = []
    for seed in range(40):
        image = defocus(stripe, np.random.default_rng(seed), 2.0)
        assert image.shape == stripe.shape
        assert image.min() >= 0
        assert image.max() <= 255.01
        means.append(float(image.mean()))
    plain = float(stripe.mean())  # a blur of pixel values keeps their mean
    assert min(abs(mean - plain) for mean in means) < 0.05 * plain
    assert max(means) > 1.2 * plain
